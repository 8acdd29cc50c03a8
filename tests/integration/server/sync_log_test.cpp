// Following the sync log: live, and from where a lost stream ended.
#include <thread>

#include "common/wire/topics.hpp"
#include "tests/integration/server/house.hpp"

using namespace pf;
using namespace pf::tests;

TEST_CASE("the sync log is followed live and resumed without a gap") {
    Server server;
    server.start();
    server.furnish();
    Board board{1};
    REQUIRE(board.claim(server, server.invite("gate-1")).status == 201);
    Loop loop;
    board.connect(loop);
    REQUIRE(loop.run_until([&] { return board.heard.ups == 1; }));

    const auto follow = [&](const std::string& from, std::size_t wanted) {
        std::vector<std::string> ids;
        firmware::https::Client client{server.options()};
        firmware::https::Request request{.method = "GET", .target = "/v1/sync-log?follow=true"};
        request.headers.emplace_back("Authorization", "Bearer " + server.admin_key());
        if (!from.empty()) request.headers.emplace_back("Last-Event-ID", from);
        (void)client.stream(request, [&](std::string_view line) {
            if (line.starts_with("id: ")) ids.emplace_back(line.substr(4));
            if (line.starts_with("data: "))
                CHECK(Json::parse(line.substr(6))["device"] == "gate-1");
            // The data line follows the id's.
            return ids.size() < wanted || !line.starts_with("data: ");
        });
        return ids;
    };
    std::vector<std::string> live;
    std::thread follower{[&] { live = follow("", 3); }};
    // Nothing is there yet when the follower comes, or it comes later: both end the same.
    CHECK(board.link()
              .publish(wire::topic(board.root, wire::Up::events), wire::encode(board.batch(5)))
              .has_value());
    CHECK(loop.run_until([&] { return !board.heard.messages.empty(); }));
    follower.join();
    REQUIRE(live.size() == 3);
    const auto rest = follow(live.back(), 2);
    REQUIRE(rest.size() == 2);
    CHECK(std::stoull(rest.front()) > std::stoull(live.back()));
    const auto page = server.get("/v1/sync-log?after=0");
    CHECK(page.json["items"].size() == 5);
    CHECK(std::to_string(page.json["position"].get<std::uint64_t>()) == rest.back());

    // A follow ends with its key, though nothing is logged meanwhile.
    const auto made = server.post("/v1/keys", {{"name", "viewer"}, {"permissions", {"sync.read"}}});
    REQUIRE(made.status == 201);
    std::thread viewer{[&] {
        firmware::https::Client client{server.options()};
        firmware::https::Request request{.method = "GET",
                                         .target = "/v1/sync-log?follow=true&after=" + rest.back()};
        request.headers.emplace_back("Authorization",
                                     "Bearer " + made.json["key"].get<std::string>());
        (void)client.stream(request, [](std::string_view) { return true; });
    }};
    // Before it follows or after: in both cases it is out.
    CHECK(server.post("/v1/keys/" + made.json["id"].get<std::string>() + "/revoke").status == 204);
    viewer.join();

    // A stop does not wait for who follows.
    std::thread last{[&] { (void)follow(rest.back(), 1); }};
    CHECK(server.stop() == 0);
    last.join();
}
