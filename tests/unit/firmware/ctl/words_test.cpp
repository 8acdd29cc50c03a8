// What people read, in both languages: nothing a person meets is left a key.
#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "common/admission/decide.hpp"
#include "common/journal/event.hpp"
#include "firmware/ctl/event_words.hpp"
#include "firmware/ctl/words.hpp"
#include "firmware/journal/reader.hpp"
#include "firmware/scan/frame.hpp"
#include "firmware/scan/pipeline.hpp"
#include "tests/unit/firmware/ctl/fake_world.hpp"

using namespace pf;
using namespace pf::tests;
using firmware::ctl::Set;
using Json = firmware::ctl::Json;

namespace {

bool has_letters(std::string_view text) {
    return std::ranges::any_of(text, [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
}
bool has_chinese(std::string_view text) {
    return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) >= 0xe4; });
}

bool known(Set set, const std::string& key) {
    for (const auto& entry : firmware::ctl::all_entries())
        if (entry.set == set && entry.key == key) return true;
    return false;
}

/// The closed sets of the API are those its document names.
const Json& schemas() {
    static const Json document = [] {
        std::ifstream in{"docs/protocol/server.openapi.json"};
        return Json::parse(in);
    }();
    return document["components"]["schemas"];
}

/// One event of each kind, and of each value its fields may have.
std::vector<journal::Body> every_event() {
    using namespace journal;
    std::vector<Body> out;
    for (const auto why :
         {EpochOpened::Why::first, EpochOpened::Why::rolled_back, EpochOpened::Why::damaged})
        out.emplace_back(EpochOpened{.why = why, .parent = {}, .parent_seq = 0, .parent_head = {}});
    out.emplace_back(Booted{"1.0"});
    for (const auto source : {ClockChanged::Source::stepped, ClockChanged::Source::server,
                              ClockChanged::Source::ntp, ClockChanged::Source::staff})
        out.emplace_back(ClockChanged{.source = source, .moved_ms = -5});
    for (int kind = 1; kind <= 4; ++kind)
        out.emplace_back(Admitted{.ticket = TicketId{5},
                                  .generation = 1,
                                  .site = SiteId{1},
                                  .product = ProductId{1},
                                  .point = PointId{1},
                                  .day = Day{20'000},
                                  .persons = 2,
                                  .person_type = ticket::PersonType::child,
                                  .carrier = static_cast<admission::CarrierKind>(kind),
                                  .flags = 0x3f,
                                  .awaits_passage = true,
                                  .last_day = Day{20'000},
                                  .seen = {}});
    for (const auto& words : admission::all_words())
        out.emplace_back(Refused{.reason = words.reason,
                                 .carrier = admission::CarrierKind::code,
                                 .ticket = TicketId{5},
                                 .code_hash = {},
                                 .product = ProductId{2},
                                 .staff_asked = true});
    for (int how = 1; how <= 6; ++how) {
        const auto value = static_cast<Outcome::How>(how);
        out.emplace_back(Outcome{.grant_seq = 4, .passed = 1, .returned = 1, .how = value});
        // A command has no admission to end by its own undoing (sync-v1.md 3.2).
        if (how != 5) out.emplace_back(LetIn{.opened_seq = 4, .passed = 1, .how = value});
    }
    for (int what = 1; what <= 8; ++what)
        out.emplace_back(LaneAlarm{.what = static_cast<LaneAlarm::What>(what), .grant_seq = 3});
    for (std::uint8_t scope = 1; scope <= 2; ++scope)
        out.emplace_back(
            ListApplied{.scope = scope, .generation = Generation{1}, .version = 2, .root = {}});
    for (std::uint8_t kind = 1; kind <= 4; ++kind)
        for (std::uint8_t state = 1; state <= 5; ++state)
            out.emplace_back(CommandDone{.id = {}, .kind = kind, .state = state});
    for (const char* code :
         {"command_refused", "document_foreign", "document_refused", "events_lost", "foreign_topic",
          "journal_lost", "journal_rolled_back", "list_mismatch", "list_page_foreign",
          "manifest_refused", "message_malformed", "message_oversize", "server_forgot_more",
          "storage_unreadable"})
        out.emplace_back(Finding{code, "17"});
    out.emplace_back(Opened{.command = {}, .persons = 1});
    return out;
}

}  // namespace

TEST_CASE("every entry has both languages, and stands there once") {
    std::set<std::pair<Set, std::string>> seen;
    for (const auto& entry : firmware::ctl::all_entries()) {
        CAPTURE(entry.key);
        CHECK_FALSE(entry.en.empty());
        CHECK_FALSE(has_chinese(entry.en));
        CHECK(has_chinese(entry.zh));
        CHECK(seen.emplace(entry.set, entry.key).second);
    }
}

TEST_CASE("every event is told in Chinese without a key left in it") {
    std::set<std::string_view> kinds;
    for (const auto& body : every_event()) {
        const journal::Event event{.seq = 1,
                                   .wall = wall_from_ms(1'777'600'000'000),
                                   .steady = SteadyTime{Millis{5}},
                                   .boot = BootId{9},
                                   .clock = journal::ClockQuality::confirmed,
                                   .body = body};
        kinds.insert(journal::kind_text(body));
        auto json = firmware::ctl::event_json(journal::encode(event));
        CAPTURE(json.dump());
        // Names of things are not words: hexadecimal ids.
        for (const char* id : {"ticket", "id", "command", "parent"})
            if (json["body"].contains(id)) json["body"][id] = "0";
        const auto words = firmware::ctl::words_of_event(json);
        CAPTURE(words.zh);
        CHECK_FALSE(has_letters(words.zh));
        CHECK_FALSE(has_chinese(words.en));
        CHECK(words.en.find('_') == std::string::npos);
    }
    CHECK(kinds.size() == std::variant_size_v<journal::Body>);
    const auto newer = firmware::ctl::words_of_event({{"kind", "unknown"}, {"bytes", "0011"}});
    CHECK(newer.zh == "新版固件的事件：0011");
    const auto strange = firmware::ctl::words_of_event({{"kind", "flown"}, {"body", {{"by", 1}}}});
    CHECK(strange.zh == "flown：by 1");
}

TEST_CASE("every word of the API's closed sets is in the table") {
    struct Row {
        Set set;
        const Json& values;
    };
    const Row rows[] = {
        {Set::device_state, schemas()["Device"]["properties"]["state"]["enum"]},
        {Set::clock, schemas()["Device"]["properties"]["clock"]["enum"]},
        {Set::device_kind, schemas()["Configuration"]["properties"]["kind"]["enum"]},
        {Set::stale, schemas()["Product"]["properties"]["stale"]["enum"]},
        {Set::command, schemas()["Command"]["properties"]["kind"]["enum"]},
        {Set::command_state, schemas()["Command"]["properties"]["state"]["enum"]},
        {Set::ticket_state, schemas()["Ticket"]["properties"]["state"]["enum"]},
        {Set::finding, schemas()["Finding"]["properties"]["kind"]["enum"]},
        {Set::import_result, schemas()["JournalImport"]["properties"]["batches"]["items"]
                                      ["properties"]["result"]["enum"]},
    };
    for (const Row& row : rows) {
        CHECK(row.values.is_array());
        for (const Json& value : row.values)
            if (value.is_string()) CHECK_MESSAGE(known(row.set, value), value.dump());
    }
}

TEST_CASE("every word of the device's own rooms is in the table") {
    namespace scan = firmware::scan;
    using enum firmware::journal::Flaw::What;
    for (const auto what : {gap, chain_broken, malformed, columns_lie, no_parent})
        CHECK(known(Set::flaw, std::string{firmware::journal::to_text(what)}));
    for (int fault = 0; fault <= static_cast<int>(scan::FrameFault::file_kind_unknown); ++fault)
        CHECK(known(Set::scan_fault,
                    std::string{scan::to_text(static_cast<scan::FrameFault>(fault))}));
    for (const auto strategy : scan::strategies)
        CHECK(known(Set::strategy, std::string{scan::to_text(strategy)}));
    for (const auto symbology : {scan::Symbology::qr, scan::Symbology::aztec,
                                 scan::Symbology::data_matrix, scan::Symbology::pdf417})
        CHECK(known(Set::symbology, std::string{scan::to_text(symbology)}));
}

TEST_CASE("a wrong command line is told in the reader's language") {
    struct Row {
        std::vector<std::string> arguments;
        const char* en;
        const char* zh;
    };
    const Row rows[] = {
        {{}, "A subcommand is required", "缺少命令"},
        {{"site", "lst"}, "A subcommand is required", "缺少命令"},
        {{"site", "list", "lst"}, "not expected: lst", "不认识：lst"},
        {{"site", "add", "--zh", "a"}, "--en is required", "缺少 --en"},
        {{"ticket", "revoke", "1", "--why"}, "--why", "--why 缺少值"},
        {{"sync", "log", "--after", "x"}, "Could not convert", "--after 的值不对：x"},
        {{"device", "open", "gate-1", "--persons", "0"},
         "not in range",
         "--persons：0 不在 1 到 999 之间"},
        {{"device", "invite", "1", "g", "--kind", "door", "--point", "1"},
         "door not in",
         "--kind：door 不在 {"},
        {{"site", "list", "--json=maybe"}, "--json", "--json"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.zh);
        FakeWorld world;
        CHECK(world.run(row.arguments) == 2);
        CAPTURE(world.err);
        CHECK(world.err.find(row.en) != std::string::npos);
        auto chinese = row.arguments;
        chinese.insert(chinese.begin(), {"--lang", "zh"});
        CHECK(world.run(chinese) == 2);
        CHECK(world.err.find(row.zh) != std::string::npos);
        for (const char* english : {"required", "not expected", "convert", "range", "missing",
                                    "Should be", "allowed", " not in "})
            CHECK_MESSAGE(world.err.find(english) == std::string::npos, english);
    }
}

TEST_CASE("one word for each thing: what the glossary does not say is not said") {
    // Other words for 事件日志, 日志周期, 版次, 异常发现 and 人员类型, once in use here.
    const char* const others[] = {"流水", "纪元", "第几次", "问题", "人群", "命令会"};
    const auto check = [&](const std::string& text) {
        for (const char* other : others)
            CHECK_MESSAGE(text.find(other) == std::string::npos, other << " in " << text);
    };
    for (const auto& entry : firmware::ctl::all_entries()) check(std::string{entry.zh});
    FakeWorld world;
    for (const std::vector<std::string>& level :
         std::vector<std::vector<std::string>>{{"site"},
                                               {"point"},
                                               {"window"},
                                               {"product"},
                                               {"device"},
                                               {"ticket"},
                                               {"sync"},
                                               {"findings"},
                                               {"journal"},
                                               {"journal", "dump"},
                                               {"journal", "verify"},
                                               {"journal", "export"},
                                               {"journal", "import"},
                                               {"device", "resend"},
                                               {"ticket", "issue"},
                                               {"findings", "list"},
                                               {"sync", "log"}}) {
        auto arguments = level;
        arguments.insert(arguments.begin(), {"--lang", "zh"});
        arguments.push_back("--help");
        REQUIRE(world.run(arguments) == 0);
        check(world.out);
    }
    CHECK(world.run({"--lang", "zh", "journal", "dump", "--data", "/nowhere"}) == 4);
    check(world.err);
}

TEST_CASE("help in Chinese has no English headings") {
    FakeWorld world;
    for (const auto& level : std::vector<std::vector<std::string>>{
             {}, {"device"}, {"device", "invite"}, {"ticket", "issue"}}) {
        auto arguments = level;
        arguments.insert(arguments.begin(), {"--lang", "zh"});
        arguments.push_back("--help");
        REQUIRE(world.run(arguments) == 0);
        CAPTURE(world.out);
        for (const char* english : {"Usage", "Options:", "Subcommands", "Positionals", "REQUIRED",
                                    "TEXT", "INT", "Display"})
            CHECK_MESSAGE(world.out.find(english) == std::string::npos, english);
    }
}
