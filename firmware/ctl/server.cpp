#include "firmware/ctl/server.hpp"

#include <fmt/format.h>

namespace pf::firmware::ctl {
namespace {

std::string text_in(const Json& json, const char* name) {
    return json.is_object() && json.contains(name) && json[name].is_string()
               ? json[name].get<std::string>()
               : std::string{};
}

/// A little longer than the server takes before it gives up an answer itself.
constexpr std::chrono::minutes upload_patience{6};

bool good(int status) { return status >= 200 && status < 300; }

/// The link's fault in words a person can act on.
Words words_of(https::Fault fault, const std::string& url) {
    switch (fault) {
        case https::Fault::tls_untrusted:
            return {fmt::format("the server at {} is not the one this authority vouches for", url),
                    fmt::format("{} 的服务器不是这个证书机构担保的那一台", url)};
        case https::Fault::no_authority:
            return {"no authority to check the server against: add --ca FILE",
                    "没有可用来核对服务器的证书机构：请加 --ca 文件"};
        case https::Fault::plain_http_refused:
            return {fmt::format("{} is not encrypted and not on this machine", url),
                    fmt::format("{} 没有加密，也不在本机", url)};
        case https::Fault::unresolved:
        case https::Fault::unreachable:
        case https::Fault::timeout:
        case https::Fault::closed_early:
            return {fmt::format("no answer from {}", url), fmt::format("{} 没有回答", url)};
        case https::Fault::bad_url:
        case https::Fault::bad_request:
        case https::Fault::bad_credentials:
        case https::Fault::certificate_refused:
        case https::Fault::tls_failed:
        case https::Fault::too_large:
        case https::Fault::bad_response:
        case https::Fault::cancelled:
            break;
    }
    return {fmt::format("can't talk to {}", url), fmt::format("无法与 {} 通信", url)};
}

}  // namespace

std::string encoded(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                           (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == '~';
        if (plain)
            out += c;
        else
            out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
    return out;
}

Failure failure_of_problem(int status, const std::string& body) {
    Failure failure{.exit = Exit::refused, .problem = body};
    const Json problem = Json::parse(body, nullptr, false);
    failure.code = text_in(problem, "code");
    if (failure.code.empty()) failure.code = fmt::format("status_{}", status);
    std::string detail = text_in(problem, "detail");
    if (detail.empty()) detail = text_in(problem, "title");
    if (problem.is_object() && problem.contains("errors") && problem["errors"].is_array())
        for (const Json& error : problem["errors"])
            detail += fmt::format("\n  {}: {} [{}]", text_in(error, "pointer"),
                                  text_in(error, "detail"), text_in(error, "code"));
    failure.words = {fmt::format("the server refused: {}", detail),
                     fmt::format("服务器拒绝：{}", detail)};
    return failure;
}

Server::Server(std::unique_ptr<Wire> wire, Place place, std::string idempotency_key)
    : wire_{std::move(wire)},
      place_{std::move(place)},
      idempotency_key_{std::move(idempotency_key)} {}

https::Request Server::request(std::string method, const std::string& target) const {
    https::Request request{.method = std::move(method), .target = target};
    request.headers.emplace_back("Accept", "application/json");
    if (!place_.key.empty()) request.headers.emplace_back("Authorization", "Bearer " + place_.key);
    return request;
}

Failure Server::failure_of(https::Fault fault) const {
    const std::string more = wire_->explain();
    Words words = words_of(fault, place_.url);
    if (!more.empty()) {
        words.en += fmt::format(" ({})", more);
        words.zh += fmt::format("（{}）", more);
    }
    return {.exit = Exit::unreachable, .code = std::string{https::to_text(fault)}, .words = words};
}

Got<Json> Server::send(const https::Request& request) {
    const auto response = wire_->request(request);
    if (response.has_error()) return failure_of(response.error());
    if (!good(response->status)) return failure_of_problem(response->status, response->body);
    if (response->body.empty()) return got(Json::object());
    Json json = Json::parse(response->body, nullptr, false);
    if (json.is_discarded())
        return Failure{.exit = Exit::unreachable,
                       .code = "answer_malformed",
                       .words = {"the server's answer is not JSON", "服务器的回答不是 JSON"}};
    return got(std::move(json));
}

Got<Json> Server::get(const std::string& target) { return send(request("GET", target)); }

Got<Json> Server::post(const std::string& target, const Json& body) {
    return upload(target, "application/json", body.dump());
}

https::Request Server::act(const std::string& target, const std::string& content_type) {
    https::Request act = request("POST", target);
    act.headers.emplace_back("Content-Type", content_type);
    act.headers.emplace_back(
        "Idempotency-Key",
        acts_ == 0 ? idempotency_key_ : fmt::format("{}.{}", idempotency_key_, acts_));
    ++acts_;
    return act;
}

Got<Json> Server::upload(const std::string& target, const std::string& content_type,
                         std::string content) {
    https::Request request = act(target, content_type);
    request.body = std::move(content);
    return send(request);
}

Got<Json> Server::upload(const std::string& target, const std::string& content_type,
                         std::uint64_t bytes, https::Request::Source source) {
    https::Request request = act(target, content_type);
    request.source = std::move(source);
    request.body_bytes = bytes;
    request.timeout = upload_patience;
    return send(request);
}

Got<std::uint64_t> Server::list(const std::string& target, std::uint64_t items_max,
                                const Each& each) {
    std::uint64_t given = 0;
    std::string cursor;
    for (;;) {
        const char joint = target.find('?') == std::string::npos ? '?' : '&';
        const auto page =
            get(cursor.empty() ? target : fmt::format("{}{}cursor={}", target, joint, cursor));
        if (!page) return page.error();
        const Json items = page->is_object() ? page->value("items", Json::array()) : *page;
        for (const Json& item : items) {
            if (given == items_max || !each(item)) return given;
            ++given;
        }
        cursor = text_in(*page, "next_cursor");
        if (cursor.empty()) return given;
    }
}

Got<std::uint64_t> Server::follow(const std::string& target, const Each& each) {
    https::Request question = request("GET", target);
    question.headers.front().second = "text/event-stream";
    std::uint64_t given = 0;
    constexpr std::string_view data = "data: ";
    const auto response = wire_->stream(question, [&](std::string_view line) {
        if (!line.starts_with(data)) return true;
        const Json item = Json::parse(line.substr(data.size()), nullptr, false);
        if (item.is_discarded()) return true;  // a comment of a newer server
        ++given;
        return each(item);
    });
    if (response.has_error()) return failure_of(response.error());
    if (!good(response->status)) return failure_of_problem(response->status, response->body);
    return given;
}

}  // namespace pf::firmware::ctl
