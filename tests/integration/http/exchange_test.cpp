// Ordinary use: what a well-behaved client gets.
#include <doctest/doctest.h>

#include "firmware/https/client.hpp"
#include "tests/integration/http/house.hpp"
#include "tests/integration/http/raw_client.hpp"

using namespace pf::tests;
using pf::firmware::https::Client;

namespace {

const std::string last = "Connection: close\r\n";

std::string url(const House& house) { return "http://127.0.0.1:" + std::to_string(house.port()); }

}  // namespace

TEST_CASE("requests on one connection are answered in order") {
    House house;
    house.open();
    RawClient client{house.port()};
    client.send(request("GET /echo/a?x=1&y=%E6%A3%80") + request("GET /later") +
                request("POST /echo", "", "body") + request("GET /echo/z", last));
    const auto& all = client.all();
    CHECK(statuses(all) == "200 200 200 200");
    CHECK(all.find("a x=1 y=检 127.0.0.1") < all.find("\r\n\r\nlater"));
    CHECK(all.find("\r\n\r\nlater") < all.find("\r\n\r\nbody"));
    CHECK(all.find("\r\n\r\nbody") < all.find("\r\n\r\nz 127.0.0.1"));
    CHECK(all.find("Date:") == std::string::npos);
}

TEST_CASE("what the server refuses is a problem with a code") {
    struct Row {
        std::string bytes;
        std::string status;
        std::string code;
        std::string_view why;
    };
    const Row rows[] = {
        {request("GET /absent", last), "404", "not_found", "no such path"},
        {request("DELETE /echo", last), "405", "method_not_allowed", "other methods only"},
        {request("BREW /echo", last), "501", "method_unknown", "no method of ours"},
        {request("GET /echo/%ff", last), "400", "bad_encoding", "not UTF-8"},
        {request("GET /echo/a?x=1&x=2", last), "400", "query_key_repeated", "key twice"},
        {request("GET http://other/echo/a", last), "400", "bad_target", "absolute form"},
        {request("GET /nothing", last), "500", "no_answer", "the handler forgot"},
        {request("GET /throws", last), "500", "handler_failed", "the handler threw"},
        {request("POST /echo", "Expect: a-miracle\r\n" + last, "x"), "417", "expectation_unknown",
         "an Expect we don't know"},
        {request("POST /small", last, "123456789"), "413", "body_too_large", "the route's limit"},
    };
    House house;
    house.open();
    for (const auto& row : rows) {
        CAPTURE(row.why);
        RawClient client{house.port()};
        client.send(row.bytes);
        const auto& all = client.all();
        CHECK(statuses(all) == row.status);
        CHECK(all.find("Content-Type: application/problem+json\r\n") != std::string::npos);
        CHECK(all.find("\"code\":\"" + row.code + "\"") != std::string::npos);
        CHECK(all.find("\"status\":" + row.status) != std::string::npos);
        CHECK(all.find("\"type\":\"/problems/" + row.code + "\"") != std::string::npos);
        CHECK(all.find("\"instance\":\"urn:paifang:request:") != std::string::npos);
    }
    const std::lock_guard lock{house.seen().mutex};
    CHECK(house.seen().bugs == std::vector<std::string>{"a handler's bug"});
}

TEST_CASE("405 and OPTIONS say what is allowed") {
    House house;
    house.open();
    RawClient client{house.port()};
    client.send(request("PUT /echo/a") + request("OPTIONS /echo/a") + request("OPTIONS *", last));
    const auto& all = client.all();
    CHECK(statuses(all) == "405 204 204");
    const std::string allow = "Allow: GET, HEAD, OPTIONS\r\n";
    const auto first = all.find(allow);
    REQUIRE(first != std::string::npos);
    CHECK(all.find(allow, first + 1) != std::string::npos);
}

TEST_CASE("HEAD tells the length and sends nothing") {
    House house;
    house.open();
    RawClient client{house.port()};
    client.send(request("HEAD /echo/word") + request("HEAD /numbers") + request("HEAD /follow") +
                request("GET /empty", last));
    const auto& all = client.all();
    CHECK(statuses(all) == "200 200 200 204");
    CHECK(all.find("Content-Length: 14\r\n") != std::string::npos);
    CHECK(all.find("word 127") == std::string::npos);
    CHECK(all.find("\r\n1\r\n") == std::string::npos);
    CHECK(all.find("hello") == std::string::npos);
    CHECK(house.stream().write("x") == false);
}

TEST_CASE("a request id goes there and back, a strange one does not") {
    House house;
    house.open();
    RawClient client{house.port()};
    client.send(request("GET /echo/a", "X-Request-Id: order-17\r\n") +
                request("GET /echo/a", "X-Request-Id: \"<script>\"\r\n" + last));
    const auto& all = client.all();
    CHECK(all.find("X-Request-Id: order-17\r\n") != std::string::npos);
    CHECK(all.find("script") == std::string::npos);
    const auto accesses = house.accesses(2);
    REQUIRE(accesses.size() == 2);
    CHECK(accesses[0].request_id == "order-17");
    CHECK(accesses[0].route == "/echo/{word}");
    CHECK(accesses[0].status == 200);
    CHECK(accesses[1].request_id != "order-17");
}

TEST_CASE("a client that asks first is invited, or refused before it sends") {
    House house;
    house.open();
    const std::string expect = "Expect: 100-continue\r\n";
    RawClient invited{house.port()};
    invited.send(request("POST /echo", expect + last + "Content-Length: 2\r\n"));
    CHECK(statuses(invited.until("\r\n\r\n")) == "100");
    invited.send("hi");
    CHECK(statuses(invited.all()) == "100 200");

    RawClient refused{house.port()};
    refused.send(request("POST /small", expect + "Content-Length: 2000000\r\n"));
    CHECK(statuses(refused.all()) == "413");

    RawClient forbidden{house.port()};
    forbidden.send(request("POST /upload/refused", expect + "Content-Length: 200\r\n"));
    CHECK(statuses(forbidden.all()) == "403");
}

TEST_CASE("HTTP/1.0 gets a body that ends with the connection") {
    House house;
    house.open();
    RawClient client{house.port()};
    client.send("GET /numbers HTTP/1.0\r\n\r\n");
    const auto& all = client.all();
    CHECK(all.find("Transfer-Encoding") == std::string::npos);
    CHECK(all.ends_with("\n999\n1000\n"));
}

TEST_CASE("only loopback is served without TLS, and mistakes are named") {
    struct Row {
        std::string address;
        http::StartFault fault;
        std::string_view why;
    };
    const Row rows[] = {{"0.0.0.0", http::StartFault::tls_required, "every interface"},
                        {"::", http::StartFault::tls_required, "every interface, version 6"},
                        {"192.0.2.1", http::StartFault::tls_required, "somebody's address"},
                        {"localhost", http::StartFault::bad_address, "a name"}};
    for (const auto& row : rows) {
        CAPTURE(row.why);
        House house;
        house.options.listeners[0].address = row.address;
        http::Server server{house.options};
        const auto started = server.start();
        REQUIRE(started.has_error());
        CHECK(started.error().fault == row.fault);
        CHECK(started.error().message.find("'main'") != std::string::npos);
        CHECK(started.error().message.find(row.address) != std::string::npos);
    }
}

TEST_CASE("a port that is taken is an error and leaves nothing open") {
    House first;
    first.open();
    House second;
    second.options.listeners.push_back(second.options.listeners[0]);
    second.options.listeners[1].port = first.port();
    http::Server server{second.options};
    const auto started = server.start();
    REQUIRE(started.has_error());
    CHECK(started.error().fault == http::StartFault::cannot_listen);
}

TEST_CASE("several threads serve at once") {
    House house;
    house.options.threads = 3;
    house.open();
    std::vector<std::thread> clients;
    std::atomic<int> good{0};
    for (int i = 0; i < 6; ++i)
        clients.emplace_back([&] {
            Client client{{.base_url = url(house)}};
            for (int n = 0; n < 20; ++n) {
                const auto answer = client.request({.target = n % 2 ? "/later2" : "/echo/a"});
                if (answer.has_value() && answer->status == (n % 2 ? 404 : 200)) ++good;
            }
        });
    for (auto& client : clients) client.join();
    CHECK(good == 120);
    CHECK(house.all_gone());
}

TEST_CASE("stopping lets what is in flight finish, and answers after that are harmless") {
    House house;
    house.options.timeouts.stop_grace = patience;
    house.open();
    RawClient idle{house.port()};
    idle.send(request("GET /echo/a"));
    idle.until("127.0.0.1");
    RawClient busy{house.port()};
    busy.send(request("GET /kept"));
    auto respond = house.kept();
    std::thread stopper{[&] { house.server().stop(); }};
    CHECK(idle.all().find("a 127.0.0.1") != std::string::npos);  // closed while waiting
    CHECK(respond({.status = 200, .body = "just in time"}));
    CHECK(busy.all().ends_with("just in time"));
    stopper.join();
    CHECK_FALSE(respond({.status = 200}));

    House abandoned;
    abandoned.options.timeouts.stop_grace = http::Timeouts::ms{1};
    abandoned.open();
    RawClient waiting{abandoned.port()};
    waiting.send(request("GET /kept"));
    const auto late = abandoned.kept();
    abandoned.close();
    CHECK_FALSE(late({.status = 200}));
    CHECK(waiting.all().empty());
}
