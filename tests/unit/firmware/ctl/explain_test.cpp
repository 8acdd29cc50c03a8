// Codes explained: alone, and with a server's answer.
#include <doctest/doctest.h>

#include <fstream>

#include "common/ticket/token.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/unit/firmware/ctl/fake_world.hpp"

using namespace pf;
using namespace pf::tests;

namespace {

struct Sold {
    crypto::PrivateKey key = [] {
        SeededEntropy entropy{7};
        return crypto::PrivateKey::generate(entropy);
    }();
    std::string text = ticket::seal(
        {.id = TicketId{0x7c1f9d20a45be863},
         .generation = 2,
         .person_type = ticket::PersonType::child,
         .persons = 2,
         .holder = {},
         .entitlements = {{SiteId{341}, ProductId{12}, *day_from("2026-05-01"),
                           *day_from("2026-05-03"), WindowId{0}, 1, ticket::Scope::day}}},
        key, crypto::key_id(key.public_key()));
};

}  // namespace

TEST_CASE("a signed code explains itself without a server") {
    const Sold sold;
    FakeWorld world;
    world.variables.clear();
    REQUIRE(world.run({"ticket", "explain", sold.text, "--json"}) == 0);
    const auto json = world.json();
    CHECK(json["signature"] == "unchecked");
    CHECK(json["key"] == to_hex(crypto::key_id(sold.key.public_key())));
    const auto& claims = json["tickets"][0]["claims"];
    CHECK(claims[0]["value"] == "7c1f9d20a45be863");
    CHECK(claims[1]["value"] == 2);
    CHECK(claims[4]["value"]["first_day"] == "2026-05-01");
    REQUIRE(world.run({"--lang", "zh", "ticket", "explain", sold.text}) == 0);
    CHECK(world.out.find("景区 341 的产品 12，2026-05-01 至 2026-05-03，每天可入 1 次") !=
          std::string::npos);
    CHECK(world.out.find("未核对") != std::string::npos);
}

TEST_CASE("from standard input the end of the line is not part of the code") {
    const Sold sold;
    FakeWorld world;
    world.variables.clear();
    world.in = sold.text + "\r\n";
    CHECK(world.run({"ticket", "explain", "-"}) == 0);
}

TEST_CASE("a signature is checked with the key at hand") {
    const Sold sold;
    const TempDir dir;
    std::ofstream{dir / "key.pem"} << sold.key.public_key().to_pem();
    SeededEntropy entropy{8};
    std::ofstream{dir / "other.pem"} << crypto::PrivateKey::generate(entropy).public_key().to_pem();
    std::ofstream{dir / "no.pem"} << "no key";
    // Another ticket's text with this ticket's signature: decodes, and is forged.
    auto forged = *ticket::read(sold.text);
    forged.token.claims.persons = 20;
    const auto forged_text = ticket::text_of(forged.token, forged.signature);
    struct Row {
        std::string text, key;
        int exit;
        const char* signature;
    };
    const Row rows[] = {
        {sold.text, "key.pem", 0, "valid"},
        {sold.text, "other.pem", 1, "key_unknown"},
        {forged_text, "key.pem", 1, "bad"},
    };
    for (const Row& row : rows) {
        FakeWorld world;
        CHECK_MESSAGE(world.run({"ticket", "explain", row.text, "--public-key", dir / row.key,
                                 "--json"}) == row.exit,
                      row.signature);
        CHECK(world.json()["signature"] == row.signature);
    }
    FakeWorld world;
    CHECK(world.run({"ticket", "explain", sold.text, "--public-key", dir / "no.pem"}) == 4);
}

TEST_CASE("what is no ticket says why") {
    struct Row {
        std::string text;
        const char* fault;
    };
    for (const Row& row : {Row{"PF1:abc", "not_base45"}, Row{"PF1:", "truncated"}}) {
        FakeWorld world;
        world.variables.clear();
        CHECK(world.run({"ticket", "explain", row.text, "--json"}) == 1);
        CHECK(world.json()["fault"] == row.fault);
        CHECK(!world.json()["words"]["zh"].get<std::string>().empty());
    }
    FakeWorld world;
    world.variables.clear();
    CHECK(world.run({"ticket", "explain", "E123456"}) == 2);  // only a server could know it
}

TEST_CASE("why a code is refused is told with where and when, by name") {
    const Sold sold;
    const std::string answer =
        R"({"kind":"signed","key":"0011","signature":"valid","tickets":[{"claims":[{"claim":)"
        R"("entitlement","value":{},"words":"Adult at Huangshan","words_zh":"黄山的成人票"}],"known":)"
        R"({"issued_here":true,"state":"issued","generation":1,)"
        R"("check_ins":[{"device":"gate-south",)"
        R"("at":"2026-05-01T08:00:00.000Z","site":1,"product":1,"granted":1,"passed":1,)"
        R"("returned":0}]},"now":[{"site":1,"site_zh":"黄山","site_en":"Huangshan","point":2,)"
        R"("point_zh":"南门","point_en":"South gate","words":{"reason":"already_used","zh":"用过了",)"
        R"("en":"Used already","do_zh":"请看记录。","do_en":"See the record."},"used":{"device":)"
        R"("gate-south","device_zh":"南门一号","device_en":"South 1","at":)"
        R"("2026-05-01T08:00:00.000Z","local_time":"2026-05-01 16:00"}}]}]})";
    FakeWorld world;
    world.server.answers = {{200, answer}, {200, answer}};
    REQUIRE(world.run({"ticket", "explain", sold.text}) == 0);
    CAPTURE(world.out);
    for (const char* said : {"Now at Huangshan, South gate: Used already",
                             "Used at South 1 (gate-south), 2026-05-01 16:00.",
                             "Adult at Huangshan", "2026-05-01T08:00:00.000Z  gate-south"})
        CHECK_MESSAGE(world.out.find(said) != std::string::npos, said);
    REQUIRE(world.run({"--lang", "zh", "ticket", "explain", sold.text}) == 0);
    CAPTURE(world.out);
    for (const char* said :
         {"此刻在黄山南门：用过了", "用于 南门一号 (gate-south)，2026-05-01 16:00。",
          "黄山的成人票", "版次 1"})
        CHECK_MESSAGE(world.out.find(said) != std::string::npos, said);
}

TEST_CASE("with a server its answer is told, without one reachable the claims all the same") {
    const Sold sold;
    FakeWorld world;
    world.server.answers = {
        {200,
         R"({"kind":"signed","key":"0011","signature":"bad","tickets":[{"claims":[],"now":[]}],)"
         R"("words":{"reason":"bad_signature","zh":"z","en":"not signed by us",)"
         R"("do_zh":"","do_en":""}})"}};
    CHECK(world.run({"ticket", "explain", sold.text}) == 1);
    CHECK(world.server.asked[0].target == "/v1/tickets/explain");
    CHECK(world.out.find("[bad_signature]") != std::string::npos);
    world.server.answers = {{200, "", firmware::https::Fault::unreachable}};
    CHECK(world.run({"ticket", "explain", sold.text}) == 3);
    CHECK(world.out.find("7c1f9d20a45be863") != std::string::npos);
}
