#include "sync-server/http/problem.hpp"

#include <doctest/doctest.h>

using namespace pf::server::http;

TEST_CASE("a problem has the members of RFC 9457 in their order") {
    Problem problem{.status = 422, .code = "bad_order", .detail = "Two \"items\" are wrong."};
    problem.instance = "urn:paifang:request:1";
    problem.errors = {{"/items/0/quantity", "below_minimum", "at least 1"}};
    CHECK(to_json(problem) ==
          R"({"type":"/problems/bad_order","title":"Unprocessable Content","status":422,)"
          R"("detail":"Two \"items\" are wrong.","instance":"urn:paifang:request:1",)"
          R"("code":"bad_order","errors":[{"pointer":"/items/0/quantity",)"
          R"("code":"below_minimum","detail":"at least 1"}]})");
}

TEST_CASE("what is empty is left out or filled in") {
    CHECK(to_json({.status = 404}) == R"({"type":"about:blank","title":"Not Found","status":404})");
    Problem own{.status = 409, .title = "Sold out", .type = "https://example.test/sold-out"};
    CHECK(to_json(own) ==
          R"({"type":"https://example.test/sold-out","title":"Sold out","status":409})");
}

TEST_CASE("bytes that are not UTF-8 don't stop an answer") {
    const auto json = to_json({.status = 400, .code = "x", .detail = "a\xff\xfe"});
    CHECK(json.find("a\xEF\xBF\xBD\xEF\xBF\xBD") != std::string::npos);
}

TEST_CASE("a problem response says what it is") {
    const auto response = to_response({.status = 403, .code = "scope_missing"});
    CHECK(response.status == 403);
    CHECK(response.headers.find("content-type") == "application/problem+json");
}
