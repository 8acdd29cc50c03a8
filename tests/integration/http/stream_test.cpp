// Bodies that don't fit in a string: uploads, exports, follow.
#include <doctest/doctest.h>

#include <algorithm>
#include <span>

#include "firmware/https/client.hpp"
#include "tests/integration/http/house.hpp"
#include "tests/integration/http/raw_client.hpp"

using namespace pf::tests;
using ms = http::Timeouts::ms;
using pf::firmware::https::Client;
using pf::firmware::https::Fault;

namespace {

const std::string last = "Connection: close\r\n";

Client client_of(const House& house) {
    return Client{{.base_url = "http://localhost:" + std::to_string(house.port())}};
}

}  // namespace

TEST_CASE("an upload arrives whole, one piece at a time") {
    House house;
    house.open();
    const std::string body(3'000'000, 'x');
    auto client = client_of(house);
    const auto answer = client.request({.method = "POST", .target = "/upload", .body = body});
    REQUIRE(answer.has_value());
    CHECK(answer->status == 200);
    CHECK(answer->body == "3000000");
    const std::lock_guard lock{house.seen().mutex};
    CHECK(house.seen().pieces_waiting_max == 1);
    CHECK(house.seen().broken.empty());
}

TEST_CASE("a body given piece by piece arrives as one") {
    House house;
    house.open();
    auto client = client_of(house);
    constexpr std::uint64_t bytes = 3'000'017;
    struct Case {
        std::uint64_t given;  // before the source has no more
        std::uint64_t said;
        const char* told;
        const char* why;
    };
    const Case cases[] = {
        {bytes, bytes, "3000017", "all of it"},
        {bytes + 1'000, bytes, "3000017", "a file that grew meanwhile"},
        {0, 0, "0", "nothing"},
        {bytes / 2, bytes, "", "a file that was cut meanwhile"},
    };
    for (const auto& c : cases) {
        CAPTURE(c.why);
        {
            const std::lock_guard lock{house.seen().mutex};
            house.seen().uploaded = 0;
        }
        std::uint64_t left = c.given;
        std::size_t largest = 0;
        const auto answer = client.request({.method = "POST",
                                            .target = "/upload",
                                            .source =
                                                [&](std::span<char> room) {
                                                    const auto got =
                                                        std::min<std::uint64_t>(left, room.size());
                                                    std::fill_n(room.data(), got, 'x');
                                                    left -= got;
                                                    largest = std::max(largest, room.size());
                                                    return static_cast<std::size_t>(got);
                                                },
                                            .body_bytes = c.said});
        if (*c.told == '\0') {
            CHECK(answer.error() == Fault::bad_request);
            continue;
        }
        REQUIRE(answer.has_value());
        CHECK(answer->body == c.told);
        CHECK(largest <= 64 * 1024);  // never all of it in memory
    }
}

TEST_CASE("an upload that can't be whole is told so") {
    House house;
    house.options.limits.upload_bytes_max = 100'000;
    house.open();

    auto client = client_of(house);
    auto answer =
        client.request({.method = "POST", .target = "/upload", .body = std::string(200'000, 'x')});
    REQUIRE(answer.has_value());
    CHECK(answer->status == 413);
    CHECK(house.broken().empty());  // refused by its length, before any sink

    const std::string chunk = "c350\r\n" + std::string(50'000, 'x') + "\r\n";
    RawClient chunks{house.port()};
    chunks.send(request("POST /upload", "Transfer-Encoding: chunked\r\n") + chunk + chunk + chunk);
    CHECK(statuses(chunks.all()) == "413");
    CHECK(house.broken() == std::vector{http::BodyFault::too_large});

    RawClient malformed{house.port()};
    malformed.send(request("POST /upload", "Transfer-Encoding: chunked\r\n") + "1\r\nxyz\r\n");
    CHECK(statuses(malformed.all()) == "400");
    CHECK(house.broken().back() == http::BodyFault::malformed);

    RawClient dying{house.port()};
    dying.send(request("POST /upload", "Content-Length: 100\r\n") + "half");
    dying.reset();
    CHECK(eventually([&] { return house.broken().back() == http::BodyFault::peer_gone; }));

    RawClient refused{house.port()};
    refused.send(request("POST /upload/bad", "Content-Length: 100\r\n") + "half");
    CHECK(statuses(refused.all()) == "422");
    CHECK(house.broken().back() == http::BodyFault::answered);
}

TEST_CASE("a pulled body comes in chunks and the connection is kept") {
    House house;
    house.open();
    RawClient client{house.port()};
    client.send(request("GET /numbers") + request("GET /echo/after", last));
    const auto& all = client.all();
    CHECK(statuses(all) == "200 200");
    CHECK(all.find("5\r\n1000\n\r\n0\r\n\r\nHTTP/1.1") != std::string::npos);

    auto asking = client_of(house);
    std::string got;
    const auto answer = asking.download({.target = "/numbers"}, [&](std::string_view piece) {
        got += piece;
        return true;
    });
    REQUIRE(answer.has_value());
    CHECK(got.starts_with("1\n2\n3\n"));
    CHECK(got.ends_with("\n1000\n"));
}

TEST_CASE("a body that broke off is never taken for a whole one") {
    House house;
    house.open();
    auto client = client_of(house);
    const auto answer = client.request({.target = "/numbers/broken"});
    REQUIRE(answer.has_error());
    CHECK(answer.error() == Fault::closed_early);

    std::thread writer{[&] { house.stream().write("data: 1\n\n"); }};  // dropped without end()
    int lines = 0;
    const auto followed = client.stream({.target = "/follow"}, [&](std::string_view) {
        ++lines;
        return true;
    });
    writer.join();
    REQUIRE(followed.has_error());
    CHECK(followed.error() == Fault::closed_early);
    CHECK(lines == 4);
}

TEST_CASE("a follower gets each line as it is written") {
    House house;
    house.open();
    auto client = client_of(house);
    http::StreamWriter writer;
    std::vector<std::string> lines;
    const auto answer = client.stream({.target = "/follow"}, [&](std::string_view line) {
        lines.emplace_back(line);
        if (lines.size() == 1) writer = house.stream();
        if (line.empty()) {
            if (lines.size() < 8)
                writer.write("data: " + std::to_string(lines.size()) + "\r\n\n");
            else
                writer.end();
        }
        return true;
    });
    REQUIRE(answer.has_value());
    CHECK(answer->status == 200);
    CHECK(lines ==
          std::vector<std::string>{": hello", "", "data: 2", "", "data: 4", "", "data: 6", ""});
    CHECK_FALSE(writer.write("more"));

    const auto enough =
        client.stream({.target = "/follow"}, [](std::string_view) { return false; });
    CHECK(enough.has_value());
    const auto refused =
        client.stream({.target = "/absent"}, [](std::string_view) { return true; });
    REQUIRE(refused.has_value());
    CHECK(refused->status == 404);
    CHECK(refused->body.find("not_found") != std::string::npos);
}

TEST_CASE("a silent stream is pinged, and a follower that left is noticed") {
    House house;
    house.options.timeouts.stream_ping = ms{20};
    house.open();
    RawClient client{house.port()};
    client.send(request("GET /follow"));
    client.until("3\r\n:\n\n\r\n3\r\n:\n\n\r\n");
    const auto writer = house.stream();
    CHECK_FALSE(writer.gone());
    client.reset();
    CHECK(eventually([&] { return writer.gone(); }));
    CHECK_FALSE(writer.write("x"));
    CHECK(house.all_gone());

    House silent;  // no ping before the goodbye is noticed
    silent.open();
    RawClient leaving{silent.port()};
    leaving.send(request("GET /follow"));
    const auto other = silent.stream();
    leaving.until("hello");
    leaving.end_sending();
    CHECK(eventually([&] { return other.gone(); }));
}

TEST_CASE("a follower that doesn't read is cut off at the queue's limit") {
    House house;
    house.options.limits.stream_queue_bytes_max = 300'000;
    house.options.timeouts.write = ms{200};
    house.open();
    RawClient client{house.port()};
    client.send(request("GET /follow"));
    const auto writer = house.stream();
    const std::string block(100'000, 'x');
    CHECK(eventually([&] { return !writer.write(block); }));
    CHECK(house.all_gone());
}

TEST_CASE("stopping the server ends streams without their final chunk") {
    House house;
    house.open();
    RawClient client{house.port()};
    client.send(request("GET /follow"));
    const auto writer = house.stream();
    client.until("hello");
    house.close();
    CHECK_FALSE(client.all().ends_with("0\r\n\r\n"));
    CHECK_FALSE(writer.write("x"));
}

TEST_CASE("the client keeps its limits") {
    House house;
    house.open();
    const auto base = "http://127.0.0.1:" + std::to_string(house.port());
    Client small{{.base_url = base, .response_bytes_max = 1000}};
    const auto large = small.request({.target = "/numbers"});
    REQUIRE(large.has_error());
    CHECK(large.error() == Fault::too_large);
    CHECK_FALSE(small.explain().empty());

    Client lines{{.base_url = base, .line_bytes_max = 1000}};
    const auto endless =
        lines.stream({.target = "/numbers/endless"}, [](std::string_view) { return true; });
    REQUIRE(endless.has_error());
    CHECK(endless.error() == Fault::too_large);

    Client hasty{{.base_url = base, .request_timeout = ms{50}}};
    const auto late = hasty.request({.target = "/kept"});
    REQUIRE(late.has_error());
    CHECK(late.error() == Fault::timeout);

    house.kept();  // of the one that was late
    Client cancelled{{.base_url = base}};
    std::thread canceller{[&] {
        const auto held = house.kept();  // so the request has arrived, and isn't answered
        cancelled.cancel();
    }};
    const auto never = cancelled.request({.target = "/kept"});
    canceller.join();
    REQUIRE(never.has_error());
    CHECK(never.error() == Fault::cancelled);
    const auto again = cancelled.request({.target = "/echo/a"});
    REQUIRE(again.has_error());
    CHECK(again.error() == Fault::cancelled);
}
