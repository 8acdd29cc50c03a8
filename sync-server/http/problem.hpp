#pragma once
// Problem details for HTTP APIs (RFC 9457), as a plain struct and as bytes.
#include <string>
#include <string_view>
#include <vector>

#include "sync-server/http/message.hpp"

namespace pf::server::http {

/// What is wrong with one field of the request's body.
struct FieldError {
    std::string pointer;  // JSON pointer (RFC 6901): "/items/0/quantity"
    std::string code;     // stable, snake_case
    std::string detail;   // for people
};

struct Problem {
    int status = 500;
    std::string code = {};      // stable, snake_case: what programs compare
    std::string title = {};     // empty: the status phrase
    std::string detail = {};    // this occurrence, for people; never a secret or a stack trace
    std::string type = {};      // empty: "/problems/<code>"
    std::string instance = {};  // empty: Responder::refuse() names the request id here
    std::vector<FieldError> errors = {};
};

/// `application/problem+json`. Text that is not UTF-8 is replaced, never refused.
std::string to_json(const Problem& problem);
Response to_response(const Problem& problem);

/// "Not Found" for 404; empty for a number without a registered phrase.
std::string_view status_phrase(int status) noexcept;

}  // namespace pf::server::http
