// Look, admit some, take back.
#include "firmware/handheld/handheld.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace {

using namespace pf;
using firmware::handheld::Handheld;
namespace verify = pf::firmware::verify;
using pf::journal::Outcome;

constexpr std::int64_t minute = 60'000;
SteadyTime at_ms(std::int64_t ms) { return SteadyTime{Millis{ms}}; }

/// A verifier that answers as told and remembers what it was asked.
struct Desk {
    std::vector<verify::Request> asked;
    std::vector<Outcome> written;
    bool admits = true;
    bool disk_works = true;

    Handheld::Check check = [this](const verify::Request& request) {
        asked.push_back(request);
        verify::Answer answer;
        answer.verdict.kind =
            admits ? admission::Verdict::Kind::admit : admission::Verdict::Kind::ask;
        answer.verdict.reason = admits ? admission::Reason::ok : admission::Reason::list_stale;
        answer.verdict.persons = request.persons.value_or(5);
        if (admits && !request.only_look) answer.grant_seq = 100 + asked.size();
        return answer;
    };
    Handheld::Write write = [this](const Outcome& outcome) {
        if (disk_works) written.push_back(outcome);
        return disk_works;
    };

    verify::Answer look(Handheld& handheld, std::int64_t ms = 0) {
        return handheld.preview({verify::Presented::Kind::document, "110105194912310021"},
                                at_ms(ms), check);
    }
    verify::Answer admit(Handheld& handheld, std::optional<std::uint16_t> persons,
                         std::int64_t ms = 0) {
        return handheld.admit(persons, false, {}, at_ms(ms), check);
    }
};

TEST_CASE("a preview only looks; an admission is what counts") {
    Desk desk;
    Handheld handheld;
    CHECK_FALSE(desk.look(handheld).grant_seq.has_value());
    REQUIRE(desk.asked.size() == 1);
    CHECK(desk.asked[0].only_look);
    CHECK_FALSE(desk.asked[0].persons.has_value());

    const auto answer = handheld.admit(3, true, TicketId{9}, at_ms(10), desk.check);
    CHECK(answer.grant_seq.has_value());
    REQUIRE(desk.asked.size() == 2);
    CHECK(desk.asked[1].presented.text == desk.asked[0].presented.text);
    CHECK(desk.asked[1].presented.kind == verify::Presented::Kind::document);
    CHECK(desk.asked[1].persons == 3);
    CHECK(desk.asked[1].staff_confirmed);
    CHECK(desk.asked[1].chosen == TicketId{9});
    CHECK_FALSE(desk.asked[1].only_look);
    CHECK_FALSE(desk.asked[1].awaits_passage);
}

TEST_CASE("one preview, one admission") {
    Desk desk;
    Handheld handheld;
    // Nothing was looked at: nothing is checked, so nothing is written.
    CHECK(desk.admit(handheld, {}).verdict.reason == admission::Reason::unknown_code);
    CHECK(desk.asked.empty());
    (void)desk.look(handheld);
    CHECK(desk.admit(handheld, 2).grant_seq.has_value());
    CHECK_FALSE(desk.admit(handheld, 2).grant_seq.has_value());
    CHECK(desk.asked.size() == 2);
}

TEST_CASE("an answer that admits nobody keeps the preview, so staff may confirm or choose") {
    Desk desk;
    desk.admits = false;
    Handheld handheld;
    (void)desk.look(handheld);
    CHECK_FALSE(desk.admit(handheld, {}).grant_seq.has_value());
    desk.admits = true;
    CHECK(handheld.admit({}, true, {}, at_ms(0), desk.check).grant_seq.has_value());
}

TEST_CASE("a later preview replaces the earlier") {
    Desk desk;
    Handheld handheld;
    (void)desk.look(handheld);
    (void)handheld.preview({verify::Presented::Kind::code, "MT-8821"}, at_ms(1), desk.check);
    (void)desk.admit(handheld, {}, 2);
    CHECK(desk.asked.back().presented.text == "MT-8821");
}

TEST_CASE("a preview nobody came back to is forgotten") {
    struct Row {
        std::int64_t ms;
        bool admits;
    };
    for (const Row& row : {Row{5 * minute - 1, true}, Row{5 * minute, false}}) {
        CAPTURE(row.ms);
        Desk desk;
        Handheld handheld;
        (void)desk.look(handheld);
        CHECK(handheld.wake_at() == at_ms(5 * minute));
        SUBCASE("because a tick came") {
            handheld.tick(at_ms(row.ms));
            CHECK(handheld.wake_at().has_value() == row.admits);
        }
        SUBCASE("also when no tick came") {}
        CHECK(desk.admit(handheld, {}, row.ms).grant_seq.has_value() == row.admits);
    }
}

TEST_CASE("undo takes back the last admission, once and within its time") {
    struct Row {
        const char* what;
        std::int64_t ms;
        bool expected;
    };
    for (const Row& row : {Row{"at once", 0, true}, Row{"in time", 10 * minute, true},
                           Row{"too late", 10 * minute + 1, false}}) {
        CAPTURE(row.what);
        Desk desk;
        Handheld handheld;
        CHECK_FALSE(handheld.undo(at_ms(0), desk.write));
        (void)desk.look(handheld);
        const auto answer = desk.admit(handheld, 3);
        CHECK(handheld.undo(at_ms(row.ms), desk.write) == row.expected);
        CHECK(desk.written.size() == (row.expected ? 1 : 0));
        if (!row.expected) continue;
        CHECK(desk.written[0] == Outcome{.grant_seq = *answer.grant_seq,
                                         .passed = 0,
                                         .returned = 3,
                                         .how = Outcome::How::staff_undo});
        CHECK_FALSE(handheld.undo(at_ms(row.ms), desk.write));
        CHECK(desk.written.size() == 1);
    }
}

TEST_CASE("a number stays nowhere when the decision fails") {
    const std::string number = "110105194912310021";
    Handheld handheld;
    const char* where = nullptr;
    const Handheld::Check fails = [&](const verify::Request& request) -> verify::Answer {
        where = request.presented.text.data();
        throw firmware::journal::ReadFailed{firmware::journal::Fault::io_error, "test"};
    };
    CHECK_THROWS(handheld.preview({verify::Presented::Kind::document, number}, at_ms(0), fails));
    CHECK(where != nullptr);
    CHECK_FALSE(handheld.wake_at().has_value());  // nothing is kept to be admitted later
    // Whether the freed bytes were overwritten no test may read; that the guard overwrites, it may.
    std::string text = number;
    const char* const bytes = text.data();
    { const verify::Wiped guard{text}; }
    CHECK(text.empty());
    CHECK(std::string(bytes, 1) != number.substr(0, 1));
}

TEST_CASE("an undo the disk refused may be tried again") {
    Desk desk;
    Handheld handheld;
    (void)desk.look(handheld);
    (void)desk.admit(handheld, 1);
    desk.disk_works = false;
    CHECK_FALSE(handheld.undo(at_ms(1), desk.write));
    desk.disk_works = true;
    CHECK(handheld.undo(at_ms(2), desk.write));
    CHECK(desk.written.size() == 1);
}

TEST_CASE("wiping leaves nothing of a number") {
    std::string number = "110105194912310021";
    const char* where = number.data();
    verify::wipe(number);
    CHECK(number.empty());
    CHECK(std::string{where, 18}.find_first_not_of('\0') == std::string::npos);
}

}  // namespace
