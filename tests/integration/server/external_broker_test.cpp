// A broker of somebody else's, set up as docs/runbooks/external-broker.md says.
#include <signal.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "common/wire/topics.hpp"
#include "tests/integration/server/house.hpp"

using namespace pf;
using namespace pf::tests;

namespace {

std::string content(const std::string& file) {
    std::ostringstream out;
    out << std::ifstream{file}.rdbuf();
    return out.str();
}

}  // namespace

TEST_CASE("an external broker is set up with the kit, and obeys rules written anew") {
    Server server;
    const std::string kit = hand_out_kit(server);
    struct stat info {};
    REQUIRE(::stat(server.file("kit/broker.key").c_str(), &info) == 0);
    CHECK((info.st_mode & 0777) == 0600);
    CHECK(content(server.file("kit/authority.pem")) == server.authority_pem());

    Elsewhere broker{server};
    broker.start(kit);
    server.start();  // waits until the link is up
    CHECK(server.get("/v1/health").json["broker"]["kind"] == "external");

    Board board{1};
    REQUIRE(board.claim(server, server.invite("gate-1")).status == 201);
    const std::string access = server.data() + "/broker/access";
    REQUIRE(eventually([&] { return content(access).find("gate-1") != std::string::npos; }));
    broker.obey();
    Loop loop;
    board.connect(loop);
    REQUIRE(loop.run_until([&] { return board.heard.ups >= 1; }));
    REQUIRE(board.link()
                .publish(wire::topic(board.root, wire::Up::birth), wire::encode(board.birth(1)))
                .has_value());
    const std::string ack = wire::topic(board.root, wire::Down::ack);
    CHECK(loop.run_until([&] { return board.heard.has(ack); }));

    // Revoked: without rules in what its administrator copies next.
    CHECK(server.post("/v1/devices/gate-1/revoke").status == 200);
    CHECK(content(access).find("gate-1") == std::string::npos);
    CHECK(server.stop() == 0);
}

TEST_CASE("rules that can't be written are said to be pending, and are written when they can be") {
    Server server;
    const std::string kit = hand_out_kit(server);
    Elsewhere broker{server};
    broker.start(kit);
    server.start();
    Board board{1};
    REQUIRE(board.claim(server, server.invite("gate-1")).status == 201);
    const std::string rules = server.data() + "/broker";
    std::filesystem::rename(rules, rules + ".away");
    std::ofstream{rules} << "in the way";
    const auto revoked = server.post("/v1/devices/gate-1/revoke");
    CHECK(revoked.status == 202);
    CHECK(revoked.json["state"] == "revoked");
    std::filesystem::remove(rules);
    std::filesystem::rename(rules + ".away", rules);
    CHECK(
        eventually([&] { return content(rules + "/access").find("gate-1") == std::string::npos; }));
    CHECK(server.stop() == 0);
}

TEST_CASE("the server's own link reaches a managed broker on an address of its own") {
    Server server;
    server.broker_settings = "port = 0\naddress = \"127.0.0.2\"";
    server.start();  // waits until the link is up
    CHECK(server.get("/v1/health").json["link"]["up"] == true);
    CHECK(server.stop() == 0);
}
