// What arrives at an open port: halves, floods, nonsense, silence.
#include <doctest/doctest.h>

#include "tests/integration/http/house.hpp"
#include "tests/integration/http/raw_client.hpp"

using namespace pf::tests;
using ms = http::Timeouts::ms;

namespace {

const std::string last = "Connection: close\r\n";
const std::string chunked = "Transfer-Encoding: chunked\r\n";

/// A server nobody has harmed still answers and holds nothing.
bool healthy(House& house) {
    RawClient client{house.port()};
    client.send(request("GET /echo/well", last));
    return statuses(client.all()) == "200" && house.all_gone();
}

}  // namespace

TEST_CASE("malformed requests are answered once and the connection is closed") {
    struct Row {
        std::string bytes;
        std::string status;
        std::string code;
        std::string_view why;
    };
    const Row rows[] = {
        {"GET / HTTP/1.1\r\n\r\n", "400", "bad_host", "no host"},
        {"nonsense\r\n\r\n", "400", "malformed_request", "no request line"},
        {"GET / HTTP/3.0\r\nHost: h\r\n\r\n", "505", "version_not_supported", "version"},
        {request("GET /echo/a", "X: " + std::string(20'000, 'x') + "\r\n"), "431",
         "header_too_large", "long field"},
        {"GET /" + std::string(20'000, 'x'), "431", "header_too_large", "long target, no end"},
        {request("POST /echo", "Content-Length: 2000000\r\n"), "413", "body_too_large",
         "announced too large"},
        {request("POST /small", chunked) + "9\r\n123456789\r\n0\r\n\r\n", "413", "body_too_large",
         "turns out too large"},
        {request("POST /echo", chunked) + "xyz\r\n", "400", "malformed_request", "bad chunk size"},
        {request("POST /echo", "Transfer-Encoding: gzip, chunked\r\n"), "501",
         "coding_not_supported", "coding"},
        {request("POST /echo", chunked + "Content-Length: 3\r\n") + "0\r\n\r\n", "400",
         "malformed_request", "two framings"},
    };
    House house;
    house.open();
    for (const auto& row : rows) {
        CAPTURE(row.why);
        RawClient client{house.port()};
        // A second request follows: whoever reads on past a bad frame would answer it.
        client.send(row.bytes + "\r\n\r\n" + request("GET /echo/smuggled"));
        const auto& all = client.all();
        CHECK(statuses(all) == row.status);
        CHECK(all.find("\"code\":\"" + row.code + "\"") != std::string::npos);
        CHECK(all.find("Connection: close\r\n") != std::string::npos);
        CHECK(all.find("smuggled") == std::string::npos);
    }
    CHECK(healthy(house));
}

TEST_CASE("a client may die after any byte") {
    House house;
    house.open();
    const std::string whole[] = {
        request("POST /echo", "", "hello"),
        request("POST /upload", chunked) + "5\r\nhello\r\n0\r\n\r\n",
        request("GET /follow"),
        request("GET /numbers/endless"),
    };
    for (const auto& bytes : whole)
        for (std::size_t sent = 0; sent <= bytes.size(); ++sent) {
            RawClient client{house.port()};
            client.send(bytes.substr(0, sent));
            switch (sent % 3) {
                case 0:
                    client.reset();
                    break;
                case 1:
                    client.end_sending();
                    break;
                case 2:
                    break;  // closed by the destructor
            }
        }
    CHECK(healthy(house));
    const std::lock_guard lock{house.seen().mutex};
    CHECK(house.seen().bugs.empty());
}

TEST_CASE("who is slow is closed by the deadline of what it is slow at") {
    struct Row {
        std::string bytes;
        std::string statuses;
        std::string_view why;
    };
    const Row rows[] = {
        {"", "", "says nothing"},
        {"GET /ec", "408", "half a request line"},
        {request("GET /echo/a") + "GET /", "200 408", "half a second request"},
        {request("POST /echo", "Content-Length: 5\r\n") + "he", "408", "half a body"},
        {request("POST /upload", chunked) + "5\r\nhe", "408", "half an upload"},
        {request("GET /echo/a"), "200", "idle after an answer"},
        {request("GET /kept"), "503", "the handler's own slowness"},
    };
    House house;
    auto& timeouts = house.options.timeouts;
    timeouts.header = timeouts.body = timeouts.idle = timeouts.answer = ms{150};
    timeouts.linger = ms{50};
    house.open();
    for (const auto& row : rows) {
        CAPTURE(row.why);
        RawClient client{house.port()};
        client.send(row.bytes);
        CHECK(statuses(client.all()) == row.statuses);
    }
    CHECK(house.broken() == std::vector{http::BodyFault::too_slow});
    CHECK_FALSE(house.kept()({.status = 200}));
    CHECK(house.all_gone());
}

TEST_CASE("a client that drips bytes can't stretch the deadline of a header") {
    House house;
    house.options.limits.header_bytes_max = 4 * 1024 * 1024;  // not what stops it
    house.options.timeouts.header = ms{200};
    house.options.timeouts.linger = ms{50};
    house.open();
    RawClient client{house.port()};
    const std::string dripped = "GET /echo/a HTTP/1.1\r\nHost: h\r\n";
    std::size_t sent = 0;
    // More header fields for ever, each in time for any deadline that starts anew with a byte.
    const bool refused = eventually([&] {
        const std::string next = sent < dripped.size() ? dripped.substr(sent, 1) : "X: y\r\n";
        sent += next.size();
        return !client.send(next);
    });
    CHECK(refused);
    CHECK(house.all_gone());
}

TEST_CASE("a peer that doesn't read is cut off and holds no memory") {
    House house;
    house.options.timeouts.write = ms{200};
    house.options.timeouts.linger = ms{50};
    house.open();
    RawClient client{house.port()};
    client.send(request("GET /numbers/endless"));
    client.until("\r\n\r\n");
    CHECK(house.all_gone());
    const auto accesses = house.accesses(1);
    REQUIRE(accesses.size() == 1);
    CHECK(accesses[0].status == 200);
    CHECK(accesses[0].bytes_out < 100'000'000);  // what the kernel's buffers took
}

TEST_CASE("the connection after the last allowed one is closed at once") {
    House house;
    house.options.limits.connections_max = 2;
    house.open();
    RawClient first{house.port()};
    RawClient second{house.port()};
    CHECK(eventually([&] { return house.server().connections() == 2; }));
    RawClient third{house.port()};
    third.send(request("GET /echo/a"));
    CHECK(third.all().empty());
    first.send(request("GET /echo/a", last));
    CHECK(statuses(first.all()) == "200");
    CHECK(eventually([&] { return house.server().connections() == 1; }));
}

TEST_CASE("limits that make no sense are configuration errors") {
    House house;
    house.options.threads = 0;
    http::Server server{house.options};
    const auto started = server.start();
    REQUIRE(started.has_error());
    CHECK(started.error().fault == http::StartFault::bad_limits);
}
