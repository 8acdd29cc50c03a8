// Whatever a request says. The first line names the route, the rest is its body, or its query for
// GET. What is refused is refused in words that point into the body, and the same body spelled
// another way gets the same answer; what is accepted can be done, by the real domain on a real
// store, and done again from the start it gives the same answer, because transactions may restart.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "sync-server/http/target.hpp"
#include "tests/fuzz/server_house/house.hpp"

namespace {

using namespace pf::fuzz;
using nlohmann::json;

bool is_word(std::string_view code) {
    return !code.empty() && std::ranges::all_of(code, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
    });
}

void check_problem(const http::Problem& problem) {
    require(problem.status >= 400 && problem.status < 500, "a refusal blames the request");
    require(is_word(problem.code), "a refusal has a code");
    require(problem.status != 422 || problem.code != "body_invalid" || !problem.errors.empty(),
            "a body that is refused says where");
    for (const http::FieldError& error : problem.errors) {
        require(error.pointer.empty() || error.pointer.front() == '/', "a pointer is one");
        require(is_word(error.code), "a fault of a field has a code");
    }
    const json document = json::parse(http::to_json(problem), nullptr, false);
    require(document.is_object() && document.contains("code"), "a refusal can be written");
}

std::string text_of(const http::Problem& problem) { return http::to_json(problem); }

std::string text_of(const http::Response& response) {
    require(response.status >= 200 && response.status < 500, "an answer is no failure of ours");
    const auto type = response.headers.find("Content-Type");
    if (type && type->find("json") != std::string_view::npos)
        require(!json::parse(response.body, nullptr, false).is_discarded(), "JSON is JSON");
    return std::to_string(response.status) + response.body;
}

std::string run(const api::Read& read, const api::Context& c) { return text_of(read(c)); }

std::string run(const api::Write& write, const api::Context& c) {
    const api::Reply reply = write(c);
    require(reply.refused.empty() || is_word(reply.refused), "a refused act has a code");
    require(reply.refused.empty() == (reply.response.status < 400), "a refusal answers as one");
    return text_of(reply.response);
}

/// The whole answer to one request, checked on the way.
template <class Run>
std::string answer(House& house, const api::Prepared<Run>& prepared) {
    if (const auto* problem = std::get_if<http::Problem>(&prepared)) {
        check_problem(*problem);
        return text_of(*problem);
    }
    std::string once, again;
    house.look([&](const api::Context& c) { once = run(std::get<Run>(prepared), c); });
    house.look([&](const api::Context& c) { again = run(std::get<Run>(prepared), c); });
    require(once == again, "an act done again from the start gives the same answer");
    return once;
}

std::string ask(House& house, const api::Endpoint& endpoint, const http::Request& request) {
    if (const auto* write = std::get_if<api::WriteRoute>(&endpoint.run))
        return answer(house, (*write)(request));
    if (const auto* read = std::get_if<api::ReadRoute>(&endpoint.run))
        return answer(house, (*read)(request));
    if (const auto* follow = std::get_if<api::FollowRoute>(&endpoint.run))
        return answer(house, follow->page(request));
    return {};  // uploads have targets of their own: csv, journal_upload
}

/// The same document with other blanks and its names in another order.
std::string respelled(const std::string& body) {
    const auto document = json::parse(body, nullptr, false);
    return document.is_discarded() ? body : document.dump(1);
}

bool malformed(std::string_view told) { return told.find("\"json_") != std::string_view::npos; }

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static House house;
    std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto line = text.find('\n');
    if (line == std::string_view::npos) return 0;
    const api::Endpoint* endpoint = House::route(text.substr(0, line));
    if (endpoint == nullptr) return 0;
    text.remove_prefix(line + 1);
    http::Request request = house.request(*endpoint);
    if (endpoint->method == http::Method::get) {
        const auto target = http::read_target("/?" + std::string{text});
        if (!target.target) return 0;
        request.query = target.target->query;
        ask(house, *endpoint, request);
        return 0;
    }
    request.body = text;
    const std::string told = ask(house, *endpoint, request);
    // A name said twice, or nesting too deep, is a matter of spelling.
    if (malformed(told)) return 0;
    request.body = respelled(request.body);
    require(ask(house, *endpoint, request) == told, "spelling changes no answer");
    return 0;
}
