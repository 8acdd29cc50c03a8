// A board is paired over HTTPS, speaks over MQTT with what it was given, and is shut out again.
#include "common/wire/topics.hpp"
#include "tests/integration/server/house.hpp"

using namespace pf;
using namespace pf::tests;

TEST_CASE("paired with a code, heard over the link, revoked and gone") {
    Server server;
    server.start();
    server.furnish();
    const std::string code = server.invite("gate-1");
    Board board{1};
    const auto claimed = board.claim(server, code);
    REQUIRE_MESSAGE(claimed.status == 201, claimed.code);
    CHECK(claimed.json["broker"]["port"] == server.port("broker"));

    Loop loop;
    board.connect(loop);
    // The broker was told before the answer, so the first attempt succeeds.
    REQUIRE(loop.run_until([&] { return board.heard.ups == 1; }));
    CHECK(board.heard.downs.empty());

    REQUIRE(board.link()
                .publish(wire::topic(board.root, wire::Up::birth), wire::encode(board.birth(1)))
                .has_value());
    const std::string ack = wire::topic(board.root, wire::Down::ack);
    REQUIRE(loop.run_until([&] { return board.heard.has(ack); }));
    REQUIRE(board.link()
                .publish(wire::topic(board.root, wire::Up::events), wire::encode(board.batch(3)))
                .has_value());
    REQUIRE(loop.run_until([&] { return board.heard.count(ack) >= 2; }));
    const auto upto = wire::decode_ack(board.heard.messages.back().payload);
    REQUIRE(upto.has_value());
    CHECK(upto->upto.seq == 3);

    const auto device = server.get("/v1/devices/gate-1");
    CHECK(device.json["online"] == true);
    CHECK(device.json["firmware"] == "0.1.0-test");

    // What moves is told: a new product raises the table.
    const std::string news = wire::topic(board.root, wire::Down::news);
    const auto before = board.heard.count(news);
    REQUIRE(
        server.post("/v1/sites/1/products", {{"name_zh", "学生"}, {"name_en", "Student"}}).status ==
        201);
    CHECK(loop.run_until([&] { return board.heard.count(news) > before; }));

    // Somebody else's branch is closed to it.
    REQUIRE(board.link().publish("pf/1/0/d/gate-2/up/birth", Bytes{1}).has_value());
    CHECK(loop.run_until([&] {
        return std::ranges::any_of(board.heard.sent, [](const auto& sent) {
            return sent.second == mqtt::Fault::not_authorised;
        });
    }));

    const auto renewed = board.renew();
    CHECK_MESSAGE(renewed.status == 201, renewed.code);

    REQUIRE(server.post("/v1/devices/gate-1/revoke").status == 200);
    REQUIRE(loop.run_until([&] { return !board.link().up(); }));
    // It tries again and is refused each time.
    const auto downs = board.heard.downs.size();
    CHECK(loop.run_until([&] { return board.heard.downs.size() >= downs + 2; }));
    CHECK(board.heard.ups == 1);
    CHECK(server.get("/v1/devices/gate-1").json["connected"] == false);
    CHECK(board.renew().code == "device_revoked");
}

TEST_CASE("who does not know the authority is not fooled, and who is not known gets nowhere") {
    Server server;
    server.start();
    server.furnish();
    Board board{2};
    std::string code = server.invite("gate-1");
    code.back() = code.back() == '0' ? '1' : '0';
    // The fingerprint is another one: the board trusts nobody with that.
    CHECK(board.claim(server, code).code.starts_with("tls_untrusted"));

    // The renewal listener wants a certificate before anything is said.
    firmware::https::Options options = server.options();
    options.base_url = "https://localhost:" + std::to_string(server.port("renewal"));
    firmware::https::Client stranger{options};
    const auto answer =
        stranger.request({.method = "POST", .target = "/v1/certificates/renew", .body = "{}"});
    CHECK(answer.has_error());

    // A new board in the place of an old one: the old one is put out at once.
    Board first{3};
    REQUIRE(first.claim(server, server.invite("gate-1")).status == 201);
    Loop loop;
    first.connect(loop);
    REQUIRE(loop.run_until([&] { return first.heard.ups == 1; }));
    Board second{4};
    REQUIRE(second.claim(server, server.invite("gate-1")).status == 201);
    CHECK(loop.run_until([&] { return !first.link().up(); }));
    second.connect(loop);
    CHECK(loop.run_until([&] { return second.heard.ups == 1; }));
    CHECK(first.heard.ups == 1);
}
