// docs/protocol/server.openapi.json against the routes and against what they really answer.
#include <algorithm>
#include <set>

#include "sync-server/api/openapi.hpp"
#include "sync-server/api/route.hpp"
#include "sync-server/findings/findings.hpp"
#include "tests/unit/sync-server/api/house.hpp"
#include "tests/unit/sync-server/api/schema.hpp"

using namespace pf;
using namespace pf::server;
using tests::House;
using tests::Json;

namespace {

const Json& document() {
    static const Json parsed = Json::parse(api::openapi_document());
    return parsed;
}

std::string upper(std::string text) {
    std::ranges::transform(text, text.begin(), [](char c) {
        return static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
    });
    return text;
}

const Json& operation(const std::string& method, const std::string& path) {
    std::string lower = method;
    std::ranges::transform(lower, lower.begin(), [](char c) {
        return static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    });
    return document()["paths"].at(path).at(lower);
}

/// The documented schema of an answer with that status.
const Json& schema_of(const Json& operation, int status) {
    const Json& answers = operation["responses"];
    const std::string number = std::to_string(status);
    const Json& answer = answers.contains(number) ? answers[number] : answers["default"];
    return answer["content"].begin().value()["schema"];
}

void check_answer(const std::string& method, const std::string& path, const House::Answer& answer,
                  int status) {
    CAPTURE(method);
    CAPTURE(path);
    CAPTURE(answer.text);
    CHECK(answer.status == status);
    if (answer.text.empty()) return;
    const auto wrong = tests::violations(
        document(), schema_of(operation(method, path), answer.status), answer.json);
    for (const std::string& line : wrong) CHECK_MESSAGE(false, line);
}

}  // namespace

TEST_CASE("every route is documented, and every documented operation is routed") {
    std::set<std::string> documented;
    for (const auto& [path, methods] : document()["paths"].items())
        for (const auto& [method, operation] : methods.items())
            documented.insert(upper(method) + " " + path);
    std::set<std::string> routed;
    for (const std::string& route : api::Api::route_list()) routed.insert(route);
    CHECK(documented == routed);
    CHECK(routed.size() == api::endpoints().size());
}

TEST_CASE("the document names each route's permission, and says so where there is none") {
    std::set<std::string> without;
    for (const api::Endpoint& endpoint : api::endpoints()) {
        const std::string path{endpoint.path};
        const Json& told = operation(std::string{http::to_text(endpoint.method)}, path);
        CAPTURE(path);
        if (endpoint.door.kind() == api::Door::Kind::key) {
            CHECK(told.value("x-permission", "") == access::to_text(endpoint.door.permission()));
            CHECK_FALSE(told.contains("security"));
        } else {
            CHECK(told.value("security", Json{}) == Json::array());
            without.insert(path);
        }
    }
    // A list, so that nobody opens another door in passing.
    CHECK(without == std::set<std::string>{"/v1/health", "/v1/openapi.json", "/v1/pairings/claim",
                                           "/v1/certificates/renew"});
}

TEST_CASE("every kind of finding is in the document") {
    std::set<std::string> told;
    for (const Json& kind :
         document()["components"]["schemas"]["Finding"]["properties"]["kind"]["enum"])
        told.insert(kind.get<std::string>());
    std::set<std::string> raised;
    for (int kind = 1; kind <= static_cast<int>(findings::newest_kind); ++kind)
        raised.insert(std::string{findings::to_text(static_cast<findings::Kind>(kind))});
    CHECK(told == raised);
}

TEST_CASE("operation ids are there once each, and every schema is used") {
    std::set<std::string> ids;
    std::size_t operations = 0;
    for (const auto& [path, methods] : document()["paths"].items()) {
        for (const auto& [method, operation] : methods.items()) {
            ids.insert(operation.value("operationId", ""));
            ++operations;
        }
    }
    CHECK(ids.size() == operations);
    const std::string text{api::openapi_document()};
    for (const auto& [name, schema] : document()["components"]["schemas"].items())
        CHECK_MESSAGE(text.find("#/components/schemas/" + name + "\"") != std::string::npos,
                      name << " is used nowhere");
}

TEST_CASE("what the document shows as examples works, and answers as it says") {
    House house;
    // In the order a platform is set up; path parameters are those the examples themselves lead to.
    struct Row {
        const char *method, *path, *real;
        int status;
        bool if_match = false;
    };
    const Row rows[] = {
        {"POST", "/v1/sites", "/v1/sites", 201},
        {"POST", "/v1/sites/{site}/points", "/v1/sites/1/points", 201},
        {"POST", "/v1/sites/{site}/windows", "/v1/sites/1/windows", 201},
        {"POST", "/v1/sites/{site}/products", "/v1/sites/1/products", 201},
        {"PUT", "/v1/sites/{site}/products/{product}", "/v1/sites/1/products/1", 200, true},
        {"POST", "/v1/sites/{site}/code-imports", "/v1/sites/1/code-imports", 201},
        {"POST", "/v1/devices", "/v1/devices", 201},
        {"PUT", "/v1/devices/{device}/configuration", "/v1/devices/gate-1/configuration", 200,
         true},
        {"POST", "/v1/tickets", "/v1/tickets", 201},
        {"POST", "/v1/tickets/batch", "/v1/tickets/batch", 201},
        {"POST", "/v1/tickets/explain", "/v1/tickets/explain", 200},
        {"POST", "/v1/carriers/search", "/v1/carriers/search", 200},
        {"POST", "/v1/generation", "/v1/generation", 201},
        {"POST", "/v1/keys", "/v1/keys", 201},
    };
    for (const Row& row : rows) {
        const Json& content = operation(row.method, row.path)["requestBody"]["content"];
        const std::string media = content.begin().key();
        const Json& example = content.begin().value().at("example");
        if (media == "application/json") {
            const auto wrong = tests::violations(document(), content[media]["schema"], example);
            CHECK_MESSAGE(wrong.empty(), (wrong.empty() ? "" : wrong.front()));
        }
        House::Ask ask{.method = row.method,
                       .path = row.real,
                       .body = example.is_string() ? example.get<std::string>() : example.dump()};
        ask.content_type = media;
        if (row.if_match)
            ask.headers.add("If-Match", std::string{*house.get(row.real).headers.find("ETag")});
        check_answer(row.method, row.path, house.ask(ask), row.status);
    }
    // What can be read then.
    const Json issued = house.post("/v1/carriers/search", {{"kind", "code"}, {"text", "WEB-88123"}})
                            .json["items"][0];
    const std::string ticket = "/v1/tickets/" + issued["id"].get<std::string>();
    const std::pair<const char*, std::string> reads[] = {
        {"/v1/health", "/v1/health"},
        {"/v1/sites", "/v1/sites"},
        {"/v1/sites/{site}", "/v1/sites/1"},
        {"/v1/sites/{site}/points", "/v1/sites/1/points"},
        {"/v1/sites/{site}/windows", "/v1/sites/1/windows"},
        {"/v1/sites/{site}/products", "/v1/sites/1/products"},
        {"/v1/sites/{site}/products/{product}", "/v1/sites/1/products/1"},
        {"/v1/sites/{site}/keys", "/v1/sites/1/keys"},
        {"/v1/devices", "/v1/devices?site=1"},
        {"/v1/devices/{device}", "/v1/devices/gate-1"},
        {"/v1/devices/{device}/keys", "/v1/devices/gate-1/keys"},
        {"/v1/devices/{device}/configuration", "/v1/devices/gate-1/configuration"},
        {"/v1/tickets", "/v1/tickets"},
        {"/v1/tickets/{ticket}", ticket},
        {"/v1/tickets/{ticket}/text", ticket + "/text"},
        {"/v1/findings", "/v1/findings"},
        {"/v1/sync-log", "/v1/sync-log?after=0"},
        {"/v1/keys", "/v1/keys"},
        {"/v1/audit", "/v1/audit?limit=3"},
    };
    for (const auto& [path, real] : reads) check_answer("GET", path, house.get(real), 200);
    check_answer("POST", "/v1/tickets/{ticket}/reissue", house.post(ticket + "/reissue", {}), 200);
    check_answer("POST", "/v1/tickets/{ticket}/revoke",
                 house.post(ticket + "/revoke", {{"why", "refunded"}}), 200);
    check_answer("POST", "/v1/devices/{device}/revoke", house.post("/v1/devices/gate-1/revoke", {}),
                 200);
    check_answer("POST", "/v1/sites/{site}/carrier-key/rotate",
                 house.post("/v1/sites/1/carrier-key/rotate", {}), 202);
    check_answer("POST", "/v1/ticket-key/rotate", house.post("/v1/ticket-key/rotate", {}), 201);
    check_answer("GET", "/v1/sites/{site}", house.get("/v1/sites/99"), 404);
}
