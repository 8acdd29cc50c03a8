// Journals of real files: dumped, verified whole and damaged, exported, imported.
#include <SQLiteCpp/SQLiteCpp.h>
#include <doctest/doctest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "common/crypto/x509.hpp"
#include "common/wire/messages.hpp"
#include "firmware/ctl/journal_file.hpp"
#include "firmware/journal/journal.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/unit/firmware/ctl/fake_world.hpp"

using namespace pf;
using namespace pf::tests;

namespace {

constexpr int events = 300;  // more than one batch

/// A gate's folder as the sim board leaves it: events.db, vault/identity.
struct DeadGate {
    TempDir dir;
    std::string folder = dir.path().string();
    std::string certificate;

    DeadGate() {
        SeededEntropy entropy{3};
        const firmware::journal::Stamp stamp{wall_from_ms(1'777'600'000'000), SteadyTime{Millis{5}},
                                             BootId{9}, pf::journal::ClockQuality::confirmed};
        auto journal = firmware::journal::Journal::open(
            {dir / "events.db", {}, *DeviceId::parse("gate-9")}, entropy, stamp);
        REQUIRE(journal.has_value());
        for (int i = 1; i < events; ++i)
            REQUIRE((*journal)->append(stamp, pf::journal::Booted{"0.1.0"}).has_value());
        write_identity(entropy);
    }

    void write_identity(Entropy& entropy) {
        const crypto::Validity life{wall_from_ms(0), wall_from_ms(4'000'000'000'000)};
        const auto authority = crypto::PrivateKey::generate(entropy);
        const auto pem = crypto::make_authority(authority, "authority", {1}, life);
        const auto key = crypto::PrivateKey::generate(entropy);
        certificate = crypto::issue(authority, pem, key.public_key(), {"gate-9", {}, {}},
                                    crypto::Usage::tls_client, {2}, life);
        std::filesystem::create_directory(dir.path() / "vault");
        std::ofstream{dir / "vault/identity"} << nlohmann::json{{"device", "gate-9"},
                                                                {"certificate_pem", certificate},
                                                                {"authority_pem", pem},
                                                                {"key_pem", key.to_pem()}};
        std::ofstream{dir / "certificate.pem"} << certificate;
    }

    void damage(const std::string& sql) const {
        SQLite::Database database{dir / "events.db", SQLite::OPEN_READWRITE};
        database.exec(sql);
    }
};

}  // namespace

TEST_CASE("dump shows every event, one object a line") {
    const DeadGate gate;
    FakeWorld world;
    REQUIRE(world.run({"journal", "dump", "--data", gate.folder, "--after", "298", "--json"}) == 0);
    std::istringstream lines{world.out};
    std::string line;
    std::getline(lines, line);
    const auto event = nlohmann::json::parse(line);
    CHECK(event["device"] == "gate-9");
    CHECK(event["seq"] == 299);
    CHECK(event["kind"] == "booted");
    CHECK(event["body"]["firmware"] == "0.1.0");
    std::getline(lines, line);
    CHECK(!std::getline(lines, line));
    REQUIRE(world.run(
                {"--lang", "zh", "journal", "dump", "--data", gate.folder, "--after", "299"}) == 0);
    CHECK(world.out.find("开机：固件 0.1.0\n") != std::string::npos);
    CHECK(world.run({"journal", "dump", "--data", gate.dir / "nowhere"}) == 4);
}

TEST_CASE("verify finds a whole journal whole and every damage") {
    struct Row {
        const char* sql;
        int exit;
        const char* flaw;
    };
    const Row rows[] = {
        {"SELECT 1", 0, ""},
        {"DELETE FROM event WHERE seq = 150", 1, "gap"},
        {"UPDATE event SET event = (SELECT event FROM event WHERE seq = 20) WHERE seq = 21", 1,
         "chain_broken"},
        {"UPDATE event SET ticket = x'0000000000000001' WHERE seq = 30", 1, "columns_lie"},
    };
    for (const Row& row : rows) {
        const DeadGate gate;
        {
            SQLite::Database database{gate.dir / "events.db", SQLite::OPEN_READWRITE};
            (void)database.tryExec(row.sql);
        }
        FakeWorld world;
        CHECK_MESSAGE(world.run({"journal", "verify", "--data", gate.folder, "--json"}) == row.exit,
                      row.sql);
        const auto report = world.json();
        CHECK_MESSAGE(report["whole"] == (row.exit == 0), row.sql);
        // Events on their device are not signed yet.
        CHECK(report["signature"] == "key_certified");
        if (*row.flaw != '\0') CHECK_MESSAGE(report["flaws"][0]["what"] == row.flaw, row.sql);
    }
}

TEST_CASE("a key that is not the journal's can't vouch for it") {
    const DeadGate gate;
    auto identity = nlohmann::json::parse(std::ifstream{gate.dir / "vault/identity"});
    SeededEntropy other{99};
    identity["key_pem"] = crypto::PrivateKey::generate(other).to_pem();
    std::ofstream{gate.dir / "vault/identity"} << identity;
    FakeWorld world;
    CHECK(world.run({"journal", "verify", "--data", gate.folder, "--json"}) == 1);
    CHECK(world.json()["signature"] == "key_not_certified");
}

TEST_CASE("an exported journal is signed, verifies, and any changed byte shows") {
    const DeadGate gate;
    FakeWorld world;
    const auto file = gate.dir / "gate.journal";
    REQUIRE(world.run({"journal", "export", "--data", gate.folder, "--out", file, "--json"}) == 0);
    CHECK(world.json()["events"] == events);
    CHECK(world.json()["batches"] == 2);
    CHECK(world.json()["signed"] == true);

    const std::vector<std::string> verify{
        "journal", "verify", file, "--certificate", gate.dir / "certificate.pem", "--json"};
    REQUIRE(world.run(verify) == 0);
    CHECK(world.json()["signature"] == "valid");
    CHECK(world.json()["events"] == events);

    // The server named knows every key the device ever had.
    SeededEntropy entropy{77};
    const auto other = crypto::PrivateKey::generate(entropy).public_key().to_pem();
    const auto own = crypto::read_certificate(gate.certificate)->key.to_pem();
    const auto keys = [&](const std::vector<std::string>& pems) {
        nlohmann::json items = nlohmann::json::array();
        for (const auto& pem : pems) items.push_back({{"id", "00"}, {"public_key_pem", pem}});
        return nlohmann::json{{"items", items}}.dump();
    };
    const std::vector<std::string> ask{"journal", "verify", file, "--json"};
    world.server.answers = {{200, keys({other, own})}, {200, keys({other})}, {200, keys({})}};
    REQUIRE(world.run(ask) == 0);
    CHECK(world.json()["signature"] == "valid");
    CHECK(world.server.asked.back().target == "/v1/devices/gate-9/keys");
    CHECK(world.run(ask) == 1);
    CHECK(world.json()["signature"] == "bad");
    CHECK(world.run(ask) == 1);
    CHECK(world.json()["error"]["code"] == "device_without_key");
    std::ofstream{gate.dir / "keys.pem"} << other << own;  // as `device keys` prints them
    CHECK(world.run({"journal", "verify", file, "--certificate", gate.dir / "keys.pem"}) == 0);
    CHECK(world.out.find("every signature is its device's") != std::string::npos);
    FakeWorld alone;
    alone.variables.clear();
    REQUIRE(alone.run(ask) == 0);
    CHECK(alone.json()["signature"] == "unchecked");

    std::string bytes{std::istreambuf_iterator<char>{std::ifstream{file}.rdbuf()}, {}};
    // Any byte of the events, not of a frame: the last byte of the file is the signature's.
    bytes.back() = static_cast<char>(bytes.back() ^ 1);
    std::ofstream{file, std::ios::binary} << bytes;
    CHECK(world.run(verify) == 1);
    CHECK(world.json()["flaws"][0]["what"] == "bad_signature");
    bytes.resize(bytes.size() - 10);
    std::ofstream{file, std::ios::binary} << bytes;
    CHECK(world.run(verify) == 4);
    CHECK(world.json()["error"]["code"] == "frame_cut");
}

TEST_CASE("without a vault the export is not signed and says so") {
    const DeadGate gate;
    std::filesystem::remove_all(gate.dir / "vault");
    FakeWorld world;
    REQUIRE(world.run({"journal", "export", "--data", gate.folder, "--out", gate.dir / "x"}) == 0);
    CHECK(world.out.find("not signed") != std::string::npos);
    CHECK(world.run({"journal", "verify", "--data", gate.folder, "--json"}) == 0);
    CHECK(world.json()["signature"] == "unchecked");
}

TEST_CASE("import gives the file to the server as it is") {
    const DeadGate gate;
    FakeWorld world;
    REQUIRE(world.run({"journal", "export", "--data", gate.folder, "--out", gate.dir / "x"}) == 0);
    struct Row {
        const char* result;
        int exit;
    };
    for (const Row& row : {Row{"booked", 0}, Row{"known", 0}, Row{"not_booked", 1}}) {
        world.server.asked.clear();
        world.server.answers = {
            {200, std::string{R"({"booked":1,"batches":[{"device":"gate-9","result":")"} +
                      row.result + R"("}]})"}};
        CHECK_MESSAGE(world.run({"journal", "import", gate.dir / "x"}) == row.exit, row.result);
        CHECK(world.server.asked[0].target == "/v1/journals");
        CHECK(world.server.header(0, "Content-Type") == "application/vnd.paifang.journal");
        std::string fault;
        const auto batches =
            firmware::ctl::read_journal_file(as_bytes(world.server.asked[0].body), fault);
        REQUIRE(batches.has_value());
        CHECK(batches->at(1).first_seq == wire::Batch{batches->at(0)}.events.size() + 1);
    }
}
