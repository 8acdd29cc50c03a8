#include "sync-server/http/router.hpp"

#include <doctest/doctest.h>

using namespace pf::server::http;

namespace {

Router example() {
    Router router;
    const auto nothing = [](const Request&, const Responder&) {};
    router.add(Method::get, "/", nothing);
    router.add(Method::get, "/v1/tickets", nothing);
    router.add(Method::post, "/v1/tickets", nothing);
    router.add(Method::get, "/v1/tickets/{id}", nothing);
    router.add(Method::del, "/v1/tickets/{id}", nothing);
    router.add(Method::get, "/v1/tickets/export", nothing);
    router.add(Method::post, "/v1/tickets/{ticket}/revoke", nothing);
    return router;
}

std::string outcome(const Router& router, Method method, std::string_view path) {
    const auto match = router.find(method, path);
    if (const auto* found = std::get_if<Router::Found>(&match)) {
        std::string text = std::string{to_text(found->route->method)} + ' ' + found->route->path;
        for (const auto& [name, value] : found->parameters) text += ' ' + name + '=' + value;
        return text;
    }
    if (const auto* other = std::get_if<Router::OtherMethods>(&match))
        return "allow " + other->allow;
    return std::holds_alternative<Router::BadPath>(match) ? "bad" : "none";
}

}  // namespace

TEST_CASE("paths find their routes") {
    struct Row {
        Method method;
        std::string_view path;
        std::string_view expected;
        std::string_view why;
    };
    const auto router = example();
    const Row rows[] = {
        {Method::get, "/", "GET /", "the root"},
        {Method::get, "/v1/tickets", "GET /v1/tickets", "literal"},
        {Method::head, "/v1/tickets", "GET /v1/tickets", "HEAD is GET without the body"},
        {Method::get, "/v1/tickets/7a", "GET /v1/tickets/{id} id=7a", "parameter"},
        {Method::get, "/v1/tickets/a%2Fb", "GET /v1/tickets/{id} id=a/b", "decoded once"},
        {Method::get, "/v1/tickets/export", "GET /v1/tickets/export", "literal beats parameter"},
        {Method::post, "/v1/tickets/9/revoke", "POST /v1/tickets/{ticket}/revoke ticket=9", "deep"},
        {Method::get, "/v1/tickets/", "none", "an empty parameter is none"},
        {Method::get, "/v1", "none", "a prefix is not a match"},
        {Method::get, "/v1/tickets/1/x", "none", "longer than any"},
        {Method::get, "//v1/tickets", "none", "no slashes are skipped"},
        {Method::get, "/v1/tickets/%00", "bad", "control character"},
        {Method::put, "/v1/tickets", "allow GET, HEAD, OPTIONS, POST", "other methods"},
        {Method::head, "/v1/tickets/9/revoke", "allow OPTIONS, POST", "HEAD without GET"},
        {Method::del, "/v1/tickets/export", "allow GET, HEAD, OPTIONS", "of the literal"},
        {Method::options, "/v1/tickets/1", "allow DELETE, GET, HEAD, OPTIONS", "what there is"},
    };
    for (const auto& row : rows) {
        CAPTURE(row.why);
        CHECK(outcome(router, row.method, row.path) == row.expected);
    }
    CHECK(router.routes().size() == 7);
}
