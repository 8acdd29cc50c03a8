#include "sync-server/http/problem.hpp"

#include <nlohmann/json.hpp>

namespace pf::server::http {

std::string_view status_phrase(int status) noexcept {
    switch (status) {
        case 100:
            return "Continue";
        case 200:
            return "OK";
        case 201:
            return "Created";
        case 202:
            return "Accepted";
        case 204:
            return "No Content";
        case 206:
            return "Partial Content";
        case 301:
            return "Moved Permanently";
        case 302:
            return "Found";
        case 303:
            return "See Other";
        case 304:
            return "Not Modified";
        case 307:
            return "Temporary Redirect";
        case 308:
            return "Permanent Redirect";
        case 400:
            return "Bad Request";
        case 401:
            return "Unauthorized";
        case 402:
            return "Payment Required";
        case 403:
            return "Forbidden";
        case 404:
            return "Not Found";
        case 405:
            return "Method Not Allowed";
        case 406:
            return "Not Acceptable";
        case 408:
            return "Request Timeout";
        case 409:
            return "Conflict";
        case 410:
            return "Gone";
        case 411:
            return "Length Required";
        case 412:
            return "Precondition Failed";
        case 413:
            return "Content Too Large";
        case 414:
            return "URI Too Long";
        case 415:
            return "Unsupported Media Type";
        case 417:
            return "Expectation Failed";
        case 422:
            return "Unprocessable Content";
        case 423:
            return "Locked";
        case 428:
            return "Precondition Required";
        case 429:
            return "Too Many Requests";
        case 431:
            return "Request Header Fields Too Large";
        case 500:
            return "Internal Server Error";
        case 501:
            return "Not Implemented";
        case 502:
            return "Bad Gateway";
        case 503:
            return "Service Unavailable";
        case 504:
            return "Gateway Timeout";
        case 505:
            return "HTTP Version Not Supported";
        case 507:
            return "Insufficient Storage";
    }
    return {};
}

std::string to_json(const Problem& problem) {
    // Ordered, so that a person reading a log meets the members in RFC 9457's order.
    nlohmann::ordered_json json;
    if (!problem.type.empty())
        json["type"] = problem.type;
    else
        json["type"] = problem.code.empty() ? "about:blank" : "/problems/" + problem.code;
    json["title"] =
        problem.title.empty() ? std::string{status_phrase(problem.status)} : problem.title;
    json["status"] = problem.status;
    if (!problem.detail.empty()) json["detail"] = problem.detail;
    if (!problem.instance.empty()) json["instance"] = problem.instance;
    if (!problem.code.empty()) json["code"] = problem.code;
    if (!problem.errors.empty()) {
        auto& errors = json["errors"] = nlohmann::ordered_json::array();
        for (const auto& error : problem.errors)
            errors.push_back(
                {{"pointer", error.pointer}, {"code", error.code}, {"detail", error.detail}});
    }
    return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

Response to_response(const Problem& problem) {
    return {problem.status, {{"Content-Type", "application/problem+json"}}, to_json(problem)};
}

}  // namespace pf::server::http
