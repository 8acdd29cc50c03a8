// Invariant 2: nothing is given up until the server has it for good, and thirty days longer.
#include "firmware/journal/reader.hpp"
#include "tests/contract/journal/fixture.hpp"

using namespace pf;
using namespace pf::tests;
using pf::journal::Admitted;
using pf::journal::ClockQuality;
using pf::journal::Cursor;
using pf::journal::EpochOpened;
using pf::journal::Outcome;
using pf::journal::Refused;

namespace {

constexpr Day today{20'800};
constexpr std::int64_t later_ms = noon_ms + 40 * day_ms;

fj::Stamp stamp_with(std::int64_t wall_ms, ClockQuality clock) {
    fj::Stamp stamp = stamp_at(wall_ms);
    stamp.clock = clock;
    return stamp;
}

void append(fj::Journal& journal, std::int64_t wall_ms, pf::journal::Body body,
            ClockQuality clock = ClockQuality::confirmed) {
    REQUIRE(ok(journal.append(stamp_with(wall_ms, clock), std::move(body))));
}

std::uint64_t prune(fj::Journal& journal, const std::vector<Cursor>& confirmed, Day day = today) {
    std::uint64_t gone = 0;
    while (true) {
        const auto slice = journal.prune(wall_from_ms(later_ms - 30 * day_ms), day, confirmed);
        REQUIRE(ok(slice));
        if (*slice == 0) return gone;
        gone += *slice;
    }
}

std::vector<std::uint64_t> numbers(const std::string& path, Epoch epoch) {
    const auto reader = fj::Reader::open(path, "");
    REQUIRE(ok(reader));
    std::vector<std::uint64_t> found;
    REQUIRE(ok((*reader)->for_each(epoch, 0, [&](const fj::StoredEvent& event) {
        found.push_back(event.seq);
        return true;
    })));
    return found;
}

std::vector<fj::Flaw> flaws(const std::string& path) {
    const auto reader = fj::Reader::open(path, "");
    REQUIRE(ok(reader));
    const auto verification = (*reader)->verify();
    REQUIRE(ok(verification));
    return verification->flaws;
}

Admitted lasting(TicketId ticket, Day last_day) {
    Admitted admitted = an_admission(ticket, 2);
    admitted.last_day = last_day;
    return admitted;
}

using Numbers = std::vector<std::uint64_t>;

}  // namespace

TEST_CASE("old acknowledged events go; the first, the last and everything after stay in order") {
    OnFiles files;
    fj::Journal& journal = files.open();
    for (int i = 0; i < 8; ++i) append(journal, noon_ms, Refused{});  // 2 to 9
    const Cursor acknowledged = journal.end();
    append(journal, later_ms, Refused{});  // 10
    const Cursor end = journal.end();
    CHECK(prune(journal, {acknowledged}) == 8);
    CHECK(numbers(files.path(), end.epoch) == Numbers{1, 10});
    CHECK(journal.end() == end);
    CHECK(flaws(files.path()).empty());

    fj::Journal& again = files.open();
    CHECK(again.end() == end);
    CHECK(again.head_at(end.epoch, 9) == acknowledged.head);  // the boundary
    CHECK_FALSE(again.head_at(end.epoch, 5));
    CHECK(again.after(end.epoch, 0, 99, SIZE_MAX).front().seq == 10);
    CHECK(chain_verifies(again, end.epoch, 9));
    CHECK(again.latest_wall() == wall_from_ms(later_ms));
    append(again, later_ms, Refused{});
    CHECK(flaws(files.path()).empty());
}

TEST_CASE("what was not acknowledged stays, however old") {
    const struct {
        int acknowledged;  // -1: nothing; otherwise up to this number
        bool our_head;
        std::uint64_t gone;
        const char* why;
    } table[] = {
        {-1, true, 0, "nothing acknowledged"},
        {5, true, 4, "2 to 5"},
        {5, false, 0, "another chain was acknowledged: the server has not got ours"},
        {99, true, 0, "a number we never wrote"},
    };
    for (const auto& row : table) {
        CAPTURE(std::string{row.why});
        OnFiles files;
        fj::Journal& journal = files.open();
        for (int i = 0; i < 8; ++i) append(journal, noon_ms, Refused{});
        append(journal, later_ms, Refused{});
        std::vector<Cursor> confirmed;
        if (row.acknowledged >= 0) {
            const auto seq = static_cast<std::uint64_t>(row.acknowledged);
            Cursor cursor{journal.end().epoch, seq, {}};
            if (row.our_head) cursor.head = journal.head_at(cursor.epoch, seq).value_or(Digest{});
            confirmed.push_back(cursor);
        }
        CHECK(prune(journal, confirmed) == row.gone);
        CHECK(flaws(files.path()).empty());
    }
}

TEST_CASE("thirty days are kept whatever the caller says the time is") {
    OnFiles files;
    fj::Journal& journal = files.open();
    for (int i = 0; i < 8; ++i) append(journal, noon_ms, Refused{});
    append(journal, noon_ms + 29 * day_ms, Refused{});
    const auto far_future = wall_from_ms(noon_ms + 4'000 * day_ms);
    auto gone = journal.prune(far_future, today, {journal.end()});
    REQUIRE(ok(gone));
    CHECK(*gone == 0);
    append(journal, noon_ms + 30 * day_ms + 1, Refused{});
    gone = journal.prune(far_future, today, {journal.end()});
    REQUIRE(ok(gone));
    CHECK(*gone == 8);
}

TEST_CASE("an event is as old as a confirmed clock proves") {
    const struct {
        std::vector<std::pair<std::int64_t, ClockQuality>> written;  // from number 2
        std::uint64_t gone;
        const char* why;
    } table[] = {
        {{{0, ClockQuality::unset}, {later_ms, ClockQuality::confirmed}},
         0,
         "a dead battery says 1970, and the next confirmed clock is young"},
        {{{0, ClockQuality::unset}, {noon_ms, ClockQuality::confirmed}},
         2,
         "and the next confirmed clock is old"},
        {{{noon_ms, ClockQuality::confirmed}, {noon_ms, ClockQuality::unsure}},
         1,
         "nothing confirmed proves the second"},
        {{{later_ms, ClockQuality::confirmed}, {noon_ms, ClockQuality::confirmed}},
         0,
         "after a young one nothing goes"},
        {{{noon_ms, ClockQuality::unconfirmed}, {noon_ms, ClockQuality::unconfirmed}},
         0,
         "a clock may be weeks behind and look right: only a confirmed one proves age"},
        {{{noon_ms, ClockQuality::unconfirmed}, {noon_ms, ClockQuality::confirmed}},
         2,
         "and it proves the age of all before it"},
    };
    for (const auto& row : table) {
        CAPTURE(std::string{row.why});
        OnFiles files;
        fj::Journal& journal = files.open();
        for (const auto& [wall_ms, clock] : row.written) append(journal, wall_ms, Refused{}, clock);
        append(journal, later_ms, Refused{});
        CHECK(prune(journal, {journal.end()}) == row.gone);
        CHECK(flaws(files.path()).empty());
    }
}

TEST_CASE("a long time with a dead clock does not block pruning for ever") {
    OnFiles files;
    fj::Journal& journal = files.open();
    for (int i = 0; i < 1'300; ++i) append(journal, 0, Refused{}, ClockQuality::unset);
    append(journal, noon_ms, Refused{});
    append(journal, later_ms, Refused{});
    CHECK(prune(journal, {journal.end()}) == 1'301);
}

TEST_CASE("admissions of living tickets stay with their outcomes, until the last day is over") {
    OnFiles files;
    fj::Journal& journal = files.open();
    append(journal, noon_ms, lasting(ticket_a, today));                   // 2
    append(journal, noon_ms, outcome(2, 1, 1, Outcome::How::timeout));    // 3
    append(journal, noon_ms, lasting(ticket_b, Day{today.number - 1}));   // 4
    append(journal, noon_ms, outcome(4, 2, 0, Outcome::How::complete));   // 5
    append(journal, noon_ms, Refused{});                                  // 6
    append(journal, noon_ms, lasting(ticket_a, today + 5));               // 7
    append(journal, later_ms, outcome(7, 2, 0, Outcome::How::complete));  // 8, young
    append(journal, later_ms, Refused{});                                 // 9
    const Epoch epoch = journal.end().epoch;
    const std::vector<Cursor> confirmed{journal.end()};

    CHECK(prune(journal, confirmed) == 3);
    CHECK(numbers(files.path(), epoch) == Numbers{1, 2, 3, 7, 8, 9});
    CHECK(flaws(files.path()).empty());
    const auto uses = uses_of(journal, ticket_a);
    REQUIRE(uses.size() == 2);
    CHECK(uses[0].returned == 1);
    CHECK(uses_of(journal, ticket_b).empty());

    CHECK(prune(journal, confirmed, today + 1) == 2);
    CHECK(numbers(files.path(), epoch) == Numbers{1, 7, 8, 9});
    CHECK(prune(journal, confirmed, today + 6) == 1);
    CHECK(numbers(files.path(), epoch) == Numbers{1, 8, 9});
    CHECK(flaws(files.path()).empty());
    CHECK(ok(files.try_open()) == false);  // still ours and open
    CHECK(files.open().end() == confirmed.front());
}

TEST_CASE("old epochs are pruned by their own acknowledgement and keep their end") {
    OnFiles files;
    fj::Journal& journal = files.open();
    for (int i = 0; i < 5; ++i) append(journal, noon_ms, Refused{});
    const Cursor old_end = journal.end();
    REQUIRE(
        ok(journal.open_epoch(EpochOpened::Why::rolled_back, stamp_at(noon_ms), files.entropy())));
    append(journal, later_ms, Refused{});
    CHECK(prune(journal, {journal.end()}) == 0);
    CHECK(prune(journal, {journal.end(), old_end}) == 4);
    CHECK(files.open().epochs().front().end == old_end);
    CHECK(flaws(files.path()).empty());
}

TEST_CASE("one call removes a bounded slice") {
    OnFiles files;
    fj::Journal& journal = files.open();
    for (int i = 0; i < 1'200; ++i) append(journal, noon_ms, Refused{});
    append(journal, later_ms, Refused{});
    const auto gone = journal.prune(wall_from_ms(later_ms - 30 * day_ms), today, {journal.end()});
    REQUIRE(ok(gone));
    CHECK(*gone < 1'000);
    CHECK(*gone + prune(journal, {journal.end()}) == 1'200);
}
