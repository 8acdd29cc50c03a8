// Command lines against a server that says what the test wants: what is asked, what is printed,
// which exit code.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "tests/support/temp_dir.hpp"
#include "tests/unit/firmware/ctl/fake_world.hpp"

using namespace pf;
using namespace pf::tests;
using Json = firmware::ctl::Json;
namespace https = firmware::https;

namespace {

Json sent(const FakeWorld& world, std::size_t request = 0) {
    return Json::parse(world.server.asked.at(request).body, nullptr, false);
}

constexpr const char* ticket_json =
    R"({"id":"7c1f9d20a45be863","generation":1,"state":"issued","person_type":"child","persons":2,)"
    R"("entitlements":[{"site":1,"product":2,"first_day":"2026-05-01","last_day":"2026-05-02",)"
    R"("window":0,"entries":1,"scope":"day"}],"carriers":[],"reference":"","issued_at":)"
    R"("2026-04-30T01:02:03.000Z","text":"PF1:ABC"})";

}  // namespace

TEST_CASE("wrong usage is 2, in words, and points to the help") {
    struct Row {
        std::vector<std::string> arguments;
        const char* because;
    };
    const Row rows[] = {
        {{}, "no command"},
        {{"ticket"}, "a group without a command"},
        {{"tickets", "list"}, "a misspelt group"},
        {{"site", "add", "--zh", "石林"}, "a name is missing"},
        {{"device", "invite", "1", "gate-1", "--kind", "door", "--point", "1"}, "no such kind"},
        {{"product", "add", "1", "--zh", "a", "--en", "b", "--stale", "maybe"}, "no such rule"},
        {{"window", "add", "1", "9", "17"}, "no times of day"},
        {{"ticket", "issue", "--site", "1", "--product", "1", "--first", "1 May", "--last",
          "2026-05-01"},
         "no day"},
        {{"ticket", "issue", "--site", "1", "--product", "1", "--first", "2026-05-01", "--last",
          "2026-05-01", "--no-qr"},
         "nothing to show at the gate"},
        {{"ticket", "issue", "--site", "1", "--product", "1", "--first", "2026-05-01", "--last",
          "2026-05-01", "--also", "2:7:2026-05-01"},
         "half an entitlement"},
        {{"journal", "verify"}, "neither folder nor file"},
        {{"--lang", "fr", "site", "list"}, "no such language"},
    };
    for (const Row& row : rows) {
        FakeWorld world;
        CHECK_MESSAGE(world.run(row.arguments) == 2, row.because);
        CHECK_MESSAGE(!world.err.empty(), row.because);
        CHECK_MESSAGE(world.out.empty(), row.because);
        CHECK_MESSAGE(world.server.asked.empty(), row.because);
    }
}

TEST_CASE("every level has help with examples, in the language asked for") {
    const std::vector<std::vector<std::string>> levels = {
        {},
        {"site", "add"},
        {"site", "list"},
        {"point", "add"},
        {"window", "add"},
        {"product", "add"},
        {"product", "list"},
        {"device", "invite"},
        {"device", "list"},
        {"device", "show"},
        {"device", "keys"},
        {"device", "revoke"},
        {"device", "open"},
        {"device", "test-scan"},
        {"device", "resend"},
        {"device", "renew"},
        {"ticket", "issue"},
        {"ticket", "show"},
        {"ticket", "reissue"},
        {"ticket", "revoke"},
        {"ticket", "list"},
        {"ticket", "import"},
        {"ticket", "explain"},
        {"sync", "log"},
        {"findings", "list"},
        {"journal", "dump"},
        {"journal", "verify"},
        {"journal", "export"},
        {"journal", "import"},
        {"scan"},
    };
    for (auto level : levels) {
        const std::string name = level.empty() ? "paifangctl" : level.front();
        level.push_back("--help");
        FakeWorld world;
        CHECK_MESSAGE(world.run(level) == 0, name);
        CHECK_MESSAGE(world.out.find("  paifangctl ") != std::string::npos, name);
        world.variables["LANG"] = "zh_CN.UTF-8";
        CHECK_MESSAGE(world.run(level) == 0, name);
        CHECK_MESSAGE(world.out.find("说明") != std::string::npos, name);
    }
}

TEST_CASE("a site: what is asked, as a document and as words") {
    FakeWorld world;
    world.server.answers = {{201, R"({"id":3,"name_zh":"石林","name_en":"Stone Forest"})"}};
    REQUIRE(world.run({"site", "add", "--zh", "石林", "--en", "Stone Forest", "--json"}) == 0);
    CHECK(world.server.asked[0].method == "POST");
    CHECK(world.server.asked[0].target == "/v1/sites");
    CHECK(sent(world)["name_zh"] == "石林");
    CHECK(world.server.header(0, "Idempotency-Key").starts_with("ctl-5a5a"));
    CHECK(world.json()["id"] == 3);

    world.server.answers = {{201, R"({"id":3,"name_zh":"石林","name_en":"Stone Forest"})"}};
    REQUIRE(world.run({"--lang", "zh", "site", "add", "--zh", "石林", "--en", "S"}) == 0);
    CHECK(world.out == "景区 3：石林\n");
}

TEST_CASE("options of the program stand before or behind the command") {
    for (const auto& arguments : std::vector<std::vector<std::string>>{
             {"--server", "http://127.0.0.1:1", "--json", "site", "list"},
             {"site", "list", "--server", "http://127.0.0.1:1", "--json"}}) {
        FakeWorld world;
        world.variables.clear();
        world.server.answers = {{200, R"({"items":[],"next_cursor":null})"}};
        CHECK(world.run(arguments) == 0);
        CHECK(world.server.connected[0].base_url == "http://127.0.0.1:1");
        CHECK(world.json()["items"].empty());
    }
}

TEST_CASE("lists are read to their last page") {
    FakeWorld world;
    world.server.answers = {{200, R"({"items":[{"id":1},{"id":2}],"next_cursor":"ab"})"},
                            {200, R"({"items":[{"id":3}],"next_cursor":null})"}};
    REQUIRE(world.run({"site", "list", "--json"}) == 0);
    CHECK(world.server.asked[1].target == "/v1/sites?cursor=ab");
    CHECK(world.json()["items"].size() == 3);
}

TEST_CASE("a refusal is 1, in the server's words with its code and every field") {
    FakeWorld world;
    const char* problem =
        R"({"type":"/problems/import_refused","status":422,"code":"import_refused",)"
        R"("detail":"nothing was imported: 1 lines can't be accepted","errors":)"
        R"([{"pointer":"/lines/7/first_day","code":"day_bad","detail":"line 7"}]})";
    world.server.answers = {{422, problem}, {422, problem}};
    const TempDir dir;
    std::ofstream{dir / "codes.csv"} << "code,product,first_day,last_day\n";
    CHECK(world.run({"ticket", "import", "1", dir / "codes.csv"}) == 1);
    CHECK(world.out.empty());
    CHECK(world.err.find("[import_refused]") != std::string::npos);
    CHECK(world.err.find("/lines/7/first_day: line 7 [day_bad]") != std::string::npos);
    CHECK(world.run({"ticket", "import", "1", dir / "codes.csv", "--json"}) == 1);
    CHECK(world.json()["error"]["code"] == "import_refused");
    CHECK(world.json()["error"]["errors"][0]["pointer"] == "/lines/7/first_day");
}

TEST_CASE("no server there, or one not to be trusted, is 3; a local file is 4") {
    struct Row {
        https::Fault fault;
        const char* code;
    };
    for (const Row& row : {Row{https::Fault::unreachable, "[unreachable]"},
                           Row{https::Fault::tls_untrusted, "[tls_untrusted]"}}) {
        FakeWorld world;
        world.server.answers = {{200, "", row.fault}};
        CHECK(world.run({"site", "list"}) == 3);
        CHECK(world.err.find(row.code) != std::string::npos);
    }
    FakeWorld world;
    CHECK(world.run({"ticket", "import", "1", "/nowhere.csv"}) == 4);
    CHECK(world.server.asked.empty());
    CHECK(world.run({"site", "list", "--data", "/nowhere"}) == 4);
}

TEST_CASE("a device is invited with what the server's configuration wants") {
    FakeWorld world;
    const char* answer =
        R"({"device":"gate-1","pairing_code":"K7QF.ab","expires_at":"2026-05-02T00:00:00.000Z"})";
    world.server.answers = {{201, answer}, {201, answer}};
    const std::vector<std::string> arguments{"device",
                                             "invite",
                                             "1",
                                             "gate-1",
                                             "--kind",
                                             "gate",
                                             "--point",
                                             "2",
                                             "--number",
                                             "A1",
                                             "--passage-wait-ms",
                                             "4000"};
    REQUIRE(world.run(arguments) == 0);
    const auto body = sent(world);
    CHECK(body["id"] == "gate-1");
    CHECK(body["site"] == 1);
    CHECK(body["configuration"]["number"] == "A1");
    CHECK(body["configuration"]["name_en"] == "gate-1");
    CHECK(body["configuration"]["point"] == 2);
    CHECK(body["configuration"]["lane"]["passage_wait_ms"] == 4000);
    CHECK(world.out.find("\nK7QF.ab\n") != std::string::npos);
    CHECK(world.out.find("--server http://127.0.0.1:8080 ") != std::string::npos);
    auto with_qr = arguments;
    with_qr.push_back("--qr");
    REQUIRE(world.run(with_qr) == 0);
    CHECK(world.out.find("█") != std::string::npos);
}

TEST_CASE("an invitation names the server as boards reach it, and warns where they can't") {
    struct Row {
        const char* url;
        bool warned;
    };
    for (const Row& row : {Row{"https://gate.example:8443", false},
                           Row{"https://localhost:8443", true}, Row{"https://127.0.0.1:1", true}}) {
        CAPTURE(row.url);
        FakeWorld world;
        world.server.answers = {
            {201,
             std::string{R"({"device":"g","pairing_code":"K.ab","expires_at":"","server_url":")"} +
                 row.url + "\"}"}};
        REQUIRE(world.run({"device", "invite", "1", "g", "--kind", "gate", "--point", "1"}) == 0);
        CHECK(world.out.find(std::string{"--server "} + row.url + " --code K.ab") !=
              std::string::npos);
        CHECK((world.out.find("set host") != std::string::npos) == row.warned);
    }
}

namespace {

constexpr const char* device_json =
    R"({"id":"gate-1","site":1,"state":"active","online":true,"connected":true,)"
    R"("last_heard":"2026-05-01T08:00:05.000Z","clock":"unconfirmed","firmware":"0.1.0",)"
    R"("certificate_until":"2027-05-01T00:00:00.000Z","topic_root":"pf/1/3/d/gate-1/",)"
    R"("configuration":{"number":"A1","name_zh":"南门一号","name_en":"South 1","kind":"gate",)"
    R"("point":1},)"
    R"("newest":{"documents":{"key_ring":3},"lists":{"revoked":17,"tickets":4022}},)"
    R"("reported":{"at":"2026-05-01T08:00:00.000Z","lists":{"revoked":{"version":17,)"
    R"("generation":1,)"
    R"("of_this_generation":true},"tickets":{"version":4021,"generation":1,)"
    R"("of_this_generation":true}},)"
    R"("documents":{"key_ring":3},"journal":{"epoch":"5e0c4a1d90b3f762","last_seq":14,)"
    R"("confirmed_seq":12,"unconfirmed":2}}})";

}  // namespace

TEST_CASE("a device is shown as it says it is: connected, lists, what was confirmed, its clock") {
    FakeWorld world;
    world.server.answers = {{200, device_json}, {200, device_json}};
    REQUIRE(world.run({"device", "show", "gate-1"}) == 0);
    CAPTURE(world.out);
    for (const char* said :
         {"connected          yes", "version 17, the newest", "version 4021, newest 4022",
          "confirmed up to event 12 of journal 5e0c4a1d90b3f762; 2 not here yet",
          "not confirmed since start", "0.1.0", "2026-05-01T08:00:05.000Z", "South 1"})
        CHECK_MESSAGE(world.out.find(said) != std::string::npos, said);
    REQUIRE(world.run({"--lang", "zh", "device", "show", "gate-1"}) == 0);
    CAPTURE(world.out);
    for (const char* said :
         {"南门一号", "名单 作废名单", "版本 17，最新", "版本 4021，最新 4022",
          "已确认到第 12 个事件", "2 个还没到", "开机后未确认", "已配对", "闸机"})
        CHECK_MESSAGE(world.out.find(said) != std::string::npos, said);

    auto silent = Json::parse(device_json);
    silent["online"] = false;
    silent["reported"]["lists"].erase("tickets");
    silent["reported"]["lists"]["revoked"]["of_this_generation"] = false;
    silent["reported"]["journal"]["unconfirmed"] = 0;
    world.server.answers = {{200, silent.dump()}};
    REQUIRE(world.run({"device", "show", "gate-1"}) == 0);
    for (const char* said : {"no: silent", "none, newest 4022", "of an earlier life of the server",
                             "none known to be missing"})
        CHECK_MESSAGE(world.out.find(said) != std::string::npos, said);
    silent["reported"] = nullptr;
    world.server.answers = {{200, silent.dump()}, {200, silent.dump()}};
    REQUIRE(world.run({"device", "show", "gate-1"}) == 0);
    CHECK(world.out.find("not heard since it was paired") != std::string::npos);
    REQUIRE(world.run({"device", "show", "gate-1", "--json"}) == 0);
    CHECK(world.json()["reported"].is_null());
}

TEST_CASE("a device's keys are PEM and nothing else") {
    FakeWorld world;
    world.server.answers = {{200, R"({"items":[{"id":"a","public_key_pem":"-----A\n"},)"
                                  R"({"id":"b","public_key_pem":"-----B\n"}]})"}};
    REQUIRE(world.run({"device", "keys", "gate-1"}) == 0);
    CHECK(world.server.asked[0].target == "/v1/devices/gate-1/keys");
    CHECK(world.out == "-----A\n-----B\n");
}

TEST_CASE("all of a journal can be asked for again") {
    FakeWorld world;
    world.server.answers = {
        {202, R"({"id":"00ff","state":"done","detail":""})"},
        {202, R"({"id":"00ff","state":"refused","detail":"there is no such event"})"}};
    REQUIRE(world.run({"device", "resend", "gate-1", "--from", "0"}) == 0);
    CHECK(sent(world)["from_seq"] == 0);
    CHECK(world.run({"--lang", "zh", "device", "resend", "gate-1", "--from", "99"}) == 1);
    CHECK(world.err.find("被拒绝：没有这个序号的事件 [command_refused]") != std::string::npos);
}

TEST_CASE("a command waits for the device's answer") {
    struct Row {
        std::vector<std::string> states;
        int exit, asked;
        const char* because;
    };
    const Row rows[] = {
        {{"null", "\"received\"", "\"done\""}, 0, 3, "heard, then done"},
        {{"null", "\"refused\""}, 1, 2, "the lane was busy"},
        {{"\"failed\""}, 1, 1, "at once"},
    };
    for (const Row& row : rows) {
        FakeWorld world;
        for (const auto& state : row.states)
            world.server.answers.push_back(
                {202, R"({"id":"00ff","state":)" + state + R"(,"detail":"the lane is busy"})"});
        CHECK_MESSAGE(world.run({"device", "open", "gate-1", "--why", "test"}) == row.exit,
                      row.because);
        CHECK_MESSAGE(static_cast<int>(world.server.asked.size()) == row.asked, row.because);
        CHECK(world.server.asked[0].target == "/v1/devices/gate-1/commands");
        CHECK(sent(world)["expires_in_s"] == 10);
    }
    FakeWorld world;
    for (int i = 0; i < 200; ++i)
        world.server.answers.push_back({200, R"({"id":"00ff","state":null,"detail":""})"});
    CHECK(world.run({"device", "test-scan", "gate-1", "PF1:X", "--wait-s", "2"}) == 1);
    CHECK(world.err.find("[command_unanswered]") != std::string::npos);
    CHECK(world.slept == 20);
}

TEST_CASE("a test scan says in both languages what the device would have said") {
    struct Row {
        std::string detail;
        std::vector<std::string> said;
    };
    const Row rows[] = {
        {"already_used",
         {"already_used", "这张票已经用过了", "This ticket has already been used",
          "工作人员能看到何时在哪里用过。", "Staff can see when"}},
        {"ok", {"请进", "Welcome", "Please walk through."}},
        {"of_newer_firmware", {"of_newer_firmware"}},
    };
    for (const Row& row : rows) {
        CAPTURE(row.detail);
        const std::string answer =
            R"({"id":"00ff","kind":"test_scan","state":"done","detail":")" + row.detail + "\"}";
        for (const bool json : {false, true}) {
            FakeWorld world;
            world.server.answers.push_back({202, answer});
            std::vector<std::string> line{"device", "test-scan", "gate-1", "PF1:X"};
            if (json) line.insert(line.begin(), "--json");
            CHECK(world.run(line) == 0);
            for (const std::string& words : row.said)
                CHECK_MESSAGE(world.out.find(words) != std::string::npos, words);
        }
    }
}

TEST_CASE("a ticket is sold with everything that was said") {
    FakeWorld world;
    world.server.answers = {{201, ticket_json}};
    const TempDir dir;
    REQUIRE(world.run({"ticket",
                       "issue",
                       "--site",
                       "1",
                       "--product",
                       "2",
                       "--first",
                       "2026-05-01",
                       "--last",
                       "2026-05-02",
                       "--persons",
                       "2",
                       "--person-type",
                       "child",
                       "--per-day",
                       "--window",
                       "4",
                       "--also",
                       "3:9:2026-05-01:2026-05-03",
                       "--code",
                       "E1",
                       "--document",
                       "110101",
                       "--holder",
                       "110101",
                       "--reference",
                       "R-7",
                       "--png",
                       dir / "t.png",
                       "--json"}) == 0);
    const auto body = sent(world);
    CHECK(body["person_type"] == "child");
    CHECK(body["persons"] == 2);
    CHECK(body["entitlements"].size() == 2);
    CHECK(body["entitlements"][0]["window"] == 4);
    CHECK(body["entitlements"][0]["scope"] == "day");
    CHECK(body["entitlements"][1]["site"] == 3);
    CHECK(body["entitlements"][1]["last_day"] == "2026-05-03");
    CHECK(body["carriers"] ==
          Json::parse(R"([{"kind":"code","text":"E1"},{"kind":"document","text":"110101"}])"));
    CHECK(body["holder_document"] == "110101");
    CHECK(body["reference"] == "R-7");
    CHECK(body["signed_qr"] == true);
    CHECK(world.json()["id"] == "7c1f9d20a45be863");
    CHECK(std::filesystem::file_size(dir / "t.png") > 100);

    world.server.answers = {{201, ticket_json}};
    CHECK(world.run({"ticket", "issue", "--site", "1", "--product", "2", "--first", "2026-05-01",
                     "--last", "2026-05-02", "--png", "/nowhere/t.png"}) == 4);
    CHECK(world.out.find("7c1f9d20a45be863") != std::string::npos);  // it was sold all the same
}

TEST_CASE("the sync log: pages, and a stream of one object a line") {
    FakeWorld world;
    const std::string event =
        R"({"position":8,"device":"gate-1","epoch":"0011223344556677","seq":2,"kind":"booted",)"
        R"("at":"2026-05-01T00:00:00.000Z","body":{"firmware":"1\u001b"}})";
    world.server.answers = {{200, "{\"items\":[" + event + "],\"position\":8}"},
                            {200, R"({"items":[],"position":8})"}};
    REQUIRE(world.run({"sync", "log", "--after", "7"}) == 0);
    CHECK(world.server.asked[0].target == "/v1/sync-log?after=7&limit=500");
    CHECK(world.server.asked[1].target == "/v1/sync-log?after=8&limit=500");
    CHECK(world.out.find("gate-1 00112233#2 started: firmware 1\\x1b\n") != std::string::npos);

    FakeWorld following;
    following.server.answers = {
        {200, "", {}, {"id: 8", "event: journal", "data: " + event, "", ": ping"}}};
    CHECK(following.run({"sync", "log", "--follow", "--json"}) == 3);  // the server ended it
    CHECK(following.server.asked[0].target == "/v1/sync-log?follow=true&after=0");
    CHECK(following.out.starts_with(R"({"position":8,)"));
    FakeWorld limited;
    limited.server.answers = {{200, "", {}, {"data: " + event, "", "data: " + event}}};
    CHECK(limited.run({"sync", "log", "--follow", "--limit", "1"}) == 0);
}

TEST_CASE("a file of codes is sent as it is read, and a person sees how far it is") {
    const TempDir dir;
    std::string csv = "code,product,first_day,last_day\n";
    for (int i = 0; i < 20; ++i) csv += "A-" + std::to_string(i) + ",1,2026-05-01,2026-05-02\n";
    std::ofstream{dir / "codes.csv"} << csv;
    for (const bool watches : {false, true}) {
        CAPTURE(watches);
        FakeWorld world;
        world.person_watches = watches;
        world.server.answers.push_back({201, R"({"imported":20})"});
        CHECK(world.run({"ticket", "import", "1", dir / "codes.csv"}) == 0);
        REQUIRE(world.server.asked.size() == 1);
        const auto& asked = world.server.asked.front();
        CHECK(asked.target == "/v1/sites/1/code-imports");
        CHECK(asked.body == csv);
        CHECK(asked.body_bytes == csv.size());
        CHECK(world.server.header(0, "Content-Type") == "text/csv");
        CHECK_FALSE(world.server.header(0, "Idempotency-Key").empty());
        // A season takes minutes: the answer is waited for longer than any other.
        CHECK(asked.timeout > std::chrono::minutes{5});
        CHECK((world.err.find("50 % sent") != std::string::npos) == watches);
        CHECK((world.err.find("books the codes") != std::string::npos) == watches);
        CHECK(world.err.empty() == !watches);
        CHECK(world.out == "20 codes imported.\n");
    }
}
