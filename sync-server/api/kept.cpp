#include "sync-server/api/kept.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "common/crypto/crypto.hpp"
#include "sync-server/access/access.hpp"
#include "sync-server/api/decode.hpp"

namespace pf::server::api {

bool kept_key_ok(std::string_view key) noexcept {
    return !key.empty() && key.size() <= access::idempotency_key_chars_max &&
           std::ranges::all_of(key, [](char c) { return c > 0x20 && c < 0x7f; });
}

Digest fingerprint_of(const http::Request& request, const Digest& body) {
    crypto::Sha256 hash;
    // Lengths keep one part from running into the next.
    const auto part = [&hash](std::string_view text) {
        hash.update(to_be8(text.size())).update(as_bytes(text));
    };
    part(http::to_text(request.method));
    part(request.path);
    for (const auto& [name, value] : request.query) {
        part(name);
        part(value);
    }
    part(request.headers.find("If-Match").value_or(""));
    return hash.update(body).finish();
}

std::string to_kept(const http::Response& response) {
    Json headers = Json::array();
    for (const auto& [name, value] : response.headers.all()) headers.push_back({name, value});
    return Json{{"status", response.status}, {"headers", headers}, {"body", response.body}}.dump();
}

http::Response response_from_kept(std::string_view kept) {
    const Json json = Json::parse(kept, nullptr, false);
    if (!json.is_object()) throw std::runtime_error{"a kept answer can't be read"};
    http::Response response{.status = json.at("status").get<int>(),
                            .headers = {},
                            .body = json.at("body").get<std::string>()};
    for (const Json& field : json.at("headers"))
        response.headers.add(field.at(0).get<std::string>(), field.at(1).get<std::string>());
    response.headers.set("Idempotency-Replayed", "true");
    return response;
}

bool wants_stream(const http::Request& request) {
    if (request.query_value("follow") == "true") return true;
    const auto accept = request.headers.find("Accept");
    return accept && accept->find("text/event-stream") != std::string_view::npos;
}

std::variant<http::Problem, std::uint64_t> follow_from(const http::Request& request) {
    for (const auto& [name, value] : request.query)
        if (name != "after" && name != "follow") return query_problem(name, "is not known here");
    auto text = request.headers.find("Last-Event-ID");
    if (!text) text = request.query_value("after");
    if (!text) return std::uint64_t{0};
    const auto position = number_of(*text, INT64_MAX);
    if (!position) return query_problem("after", "must be a position of the sync log");
    return *position;
}

}  // namespace pf::server::api
