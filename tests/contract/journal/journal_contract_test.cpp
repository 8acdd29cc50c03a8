#include <SQLiteCpp/SQLiteCpp.h>

#include <fstream>
#include <stdexcept>

#include "tests/contract/journal/fixture.hpp"

using namespace pf;
using namespace pf::tests;
using pf::journal::Admitted;
using pf::journal::ClockQuality;
using pf::journal::EpochOpened;
using pf::journal::Outcome;
using pf::journal::Refused;

namespace {

/// Changes a closed journal behind its back.
void tamper(const std::string& path, const std::string& sql) {
    SQLite::Database database{path, SQLite::OPEN_READWRITE};
    database.exec(sql);
}

template <class Kind>
Kind body_at(const fj::Journal& journal, Epoch epoch, std::uint64_t seq) {
    const auto stored = journal.after(epoch, seq - 1, 1, SIZE_MAX);
    REQUIRE(stored.size() == 1);
    const auto event = pf::journal::decode(stored.front().event);
    REQUIRE(event.has_value());
    REQUIRE(event->seq == seq);
    REQUIRE(std::holds_alternative<Kind>(event->body));
    return std::get<Kind>(event->body);
}

}  // namespace

TEST_CASE("a new file begins with a first epoch that has no parent") {
    OnFiles files;
    const fj::Journal& journal = files.open();
    const auto end = journal.end();
    CHECK(end.seq == 1);
    CHECK(journal.epochs().size() == 1);
    CHECK(journal.head_at(end.epoch, 0) == pf::journal::genesis(gate, end.epoch));
    CHECK(body_at<EpochOpened>(journal, end.epoch, 1) == EpochOpened{});
    CHECK(chain_verifies(journal, end.epoch));
}

TEST_CASE("what was appended is there after opening again, and the epoch is the same") {
    OnFiles files;
    fj::Journal& journal = files.open();
    const auto appended = journal.append(stamp_at(noon_ms + 5), an_admission(ticket_a, 2));
    REQUIRE(ok(appended));
    CHECK(appended->cursor == journal.end());
    const auto end = journal.end();

    const fj::Journal& again = files.open();
    CHECK(again.end() == end);
    CHECK(again.epochs().size() == 1);
    CHECK(body_at<Admitted>(again, end.epoch, 2) == an_admission(ticket_a, 2));
    CHECK(chain_verifies(again, end.epoch));
}

TEST_CASE("numbers rise by one and every head follows from the one before") {
    OnFiles files;
    fj::Journal& journal = files.open();
    for (std::uint64_t seq = 2; seq < 30; ++seq) {
        const auto appended = journal.append(stamp_at(noon_ms), Refused{});
        REQUIRE(ok(appended));
        CHECK(appended->cursor.seq == seq);
        CHECK(journal.head_at(appended->cursor.epoch, seq) == appended->cursor.head);
    }
    CHECK(chain_verifies(journal, journal.end().epoch));
    CHECK_FALSE(journal.head_at(journal.end().epoch, 30));
    CHECK_FALSE(journal.head_at(Epoch{12}, 1));
}

TEST_CASE("a decision reads and appends in one transaction") {
    OnFiles files;
    fj::Journal& journal = files.open();
    const auto once = [&] {
        return journal.transact(stamp_at(noon_ms),
                                [](const fj::View& view) -> std::optional<pf::journal::Body> {
                                    if (!view.uses_of(ticket_a).empty()) return Refused{};
                                    return an_admission(ticket_a);
                                });
    };
    REQUIRE(ok(once()));
    REQUIRE(ok(once()));
    CHECK(uses_of(journal, ticket_a).size() == 1);
    CHECK(body_at<Refused>(journal, journal.end().epoch, 3) == Refused{});
}

TEST_CASE("a decision for nothing appends nothing") {
    OnFiles files;
    fj::Journal& journal = files.open();
    const auto before = journal.end();
    const auto result =
        journal.transact(stamp_at(noon_ms), [](const fj::View&) { return std::nullopt; });
    REQUIRE(ok(result));
    CHECK_FALSE(result->has_value());
    CHECK(journal.end() == before);
}

TEST_CASE("what a decision throws ends the transaction, and the next one works") {
    OnFiles files;
    fj::Journal& journal = files.open();
    const auto before = journal.end();
    CHECK_THROWS_AS(
        static_cast<void>(journal.transact(stamp_at(noon_ms),
                                           [](const fj::View&) -> std::optional<pf::journal::Body> {
                                               throw std::runtime_error{"the decision failed"};
                                           })),
        std::runtime_error);
    CHECK(journal.end() == before);
    CHECK(ok(journal.append(stamp_at(noon_ms), Refused{})));
}

TEST_CASE("own uses are grants with what came back") {
    struct Row {
        Outcome::How how;
        std::uint16_t passed;
        std::uint16_t returned;
        bool unknown;
        bool automatic;
    };
    const Row table[] = {
        {Outcome::How::complete, 3, 0, false, false},
        {Outcome::How::timeout, 1, 2, false, true},
        {Outcome::How::timeout, 1, 0, false, false},  // the limit of automatic returns was reached
        {Outcome::How::fault, 1, 0, true, false},
        {Outcome::How::unknown, 0, 0, true, false},
        {Outcome::How::staff_undo, 0, 3, false, false},
        {Outcome::How::emergency, 1, 0, true, false},
    };
    for (const Row& row : table) {
        CAPTURE(static_cast<int>(row.how));
        OnFiles files;
        fj::Journal& journal = files.open();
        const auto granted = journal.append(stamp_at(noon_ms + 9), an_admission(ticket_a, 3));
        REQUIRE(ok(granted));
        REQUIRE(ok(journal.append(stamp_at(noon_ms + 10), outcome(granted->cursor.seq, row.passed,
                                                                  row.returned, row.how))));
        const auto uses = uses_of(journal, ticket_a);
        REQUIRE(uses.size() == 1);
        const fj::OwnUse& use = uses.front();
        CHECK(use.grant == GrantId{gate, granted->cursor.epoch, granted->cursor.seq});
        CHECK(use.site == SiteId{3});
        CHECK(use.product == ProductId{5});
        CHECK(use.day == Day{20'750});
        CHECK(use.granted == 3);
        CHECK(use.returned == row.returned);
        CHECK(use.passed == row.passed);
        CHECK(use.outcome_unknown == row.unknown);
        CHECK(use.automatic_return == row.automatic);
        CHECK(use.at == wall_from_ms(noon_ms + 9));
    }
}

TEST_CASE("own uses are of that ticket only and of every epoch") {
    OnFiles files;
    fj::Journal& journal = files.open();
    REQUIRE(ok(journal.append(stamp_at(noon_ms), an_admission(ticket_a))));
    REQUIRE(ok(journal.append(stamp_at(noon_ms), an_admission(ticket_b))));
    const Epoch first = journal.end().epoch;
    REQUIRE(
        ok(journal.open_epoch(EpochOpened::Why::rolled_back, stamp_at(noon_ms), files.entropy())));
    REQUIRE(ok(journal.append(stamp_at(noon_ms), an_admission(ticket_a))));
    const auto uses = uses_of(journal, ticket_a);
    REQUIRE(uses.size() == 2);
    CHECK(uses[0].grant == GrantId{gate, first, 2});
    CHECK(uses[1].grant == GrantId{gate, journal.end().epoch, 2});
    // Nobody can end the first one any more; the second one's lane may still be waiting.
    CHECK(uses[0].outcome_unknown);
    CHECK_FALSE(uses[1].outcome_unknown);
    Refused refused;
    refused.ticket = ticket_b;  // a refusal names the ticket and uses nothing
    REQUIRE(ok(journal.append(stamp_at(noon_ms), refused)));
    CHECK(uses_of(journal, ticket_b).size() == 1);
    CHECK(uses_of(journal, TicketId{1}).empty());
}

TEST_CASE("what the events say of the time") {
    using pf::journal::ClockQuality;
    struct Written {
        ClockQuality clock;
        int day;
    };
    struct Row {
        const char* what;
        std::vector<Written> written;
        std::optional<int> confirmed;
        std::optional<int> unconfirmed;
    };
    // A new file's first event is day 0, unset.
    const Row rows[] = {
        {"nothing", {}, {}, {}},
        {"plausible", {{ClockQuality::unconfirmed, 2}, {ClockQuality::unconfirmed, 1}}, {}, 2},
        {"vouched for", {{ClockQuality::confirmed, 3}}, 3, {}},
        {"vouched for after a clock that was ahead",
         {{ClockQuality::unconfirmed, 900}, {ClockQuality::confirmed, 3}},
         3,
         {}},
        {"and a plausible one since",
         {{ClockQuality::unconfirmed, 900},
          {ClockQuality::confirmed, 3},
          {ClockQuality::unconfirmed, 5},
          {ClockQuality::unconfirmed, 4}},
         3,
         5},
        {"the server's last word, also when it was ahead before",
         {{ClockQuality::confirmed, 900}, {ClockQuality::confirmed, 3}},
         3,
         {}},
        {"doubtful and impossible clocks say nothing",
         {{ClockQuality::confirmed, 3}, {ClockQuality::unsure, 7}, {ClockQuality::unset, 8}},
         3,
         {}},
    };
    for (const Row& row : rows) {
        CAPTURE(row.what);
        OnFiles files;
        fj::Stamp stamp = stamp_at(0);
        stamp.clock = ClockQuality::unset;
        auto opened = fj::Journal::open({.path = files.path(), .vfs = {}, .device = gate},
                                        files.entropy(), stamp);
        REQUIRE(ok(opened));
        for (const Written& written : row.written) {
            stamp = stamp_at(written.day * day_ms);
            stamp.clock = written.clock;
            REQUIRE(ok((*opened)->append(stamp, pf::journal::Booted{"1.0"})));
        }
        const auto at = [](std::optional<int> day) {
            return day ? std::optional{wall_from_ms(*day * day_ms)} : std::nullopt;
        };
        CHECK(((*opened)->clock_evidence().confirmed == at(row.confirmed)));
        CHECK(((*opened)->clock_evidence().unconfirmed == at(row.unconfirmed)));
    }
}

TEST_CASE("a ticket id above 2^63 is a ticket like any other") {
    OnFiles files;
    fj::Journal& journal = files.open();
    const TicketId high{UINT64_MAX};
    REQUIRE(ok(journal.append(stamp_at(noon_ms), an_admission(high))));
    CHECK(uses_of(journal, high).size() == 1);
}

TEST_CASE("a lane that ends what it must not is a bug, and nothing is appended") {
    OnFiles files;
    fj::Journal& journal = files.open();
    const auto granted = journal.append(stamp_at(noon_ms), an_admission(ticket_a, 2));
    REQUIRE(ok(granted));
    const std::uint64_t grant = granted->cursor.seq;
    const auto append = [&](const Outcome& body) {
        return static_cast<void>(journal.append(stamp_at(noon_ms), body));
    };
    const auto before = journal.end();
    using How = Outcome::How;
    CHECK_THROWS_AS(append(outcome(grant, 2, 1, How::timeout)), std::logic_error);  // three of two
    CHECK_THROWS_AS(append(outcome(1, 0, 0, How::complete)), std::logic_error);     // no admission
    CHECK_THROWS_AS(append(outcome(77, 0, 0, How::complete)), std::logic_error);    // no event
    CHECK(journal.end() == before);
    append(outcome(grant, 2, 0, How::complete));
    CHECK_THROWS_AS(append(outcome(grant, 2, 0, How::complete)), std::logic_error);  // twice
    CHECK(journal.end().seq == before.seq + 1);
}

TEST_CASE("open grants are those that await a passage and have no outcome") {
    OnFiles files;
    fj::Journal& journal = files.open();
    Admitted by_hand = an_admission(ticket_b);
    by_hand.awaits_passage = false;
    REQUIRE(ok(journal.append(stamp_at(noon_ms), an_admission(ticket_a, 1))));  // 2
    REQUIRE(ok(journal.append(stamp_at(noon_ms), by_hand)));                    // 3
    REQUIRE(ok(journal.append(stamp_at(noon_ms), an_admission(ticket_a, 4))));  // 4
    REQUIRE(ok(journal.append(stamp_at(noon_ms), outcome(2, 1, 0, Outcome::How::complete))));

    const auto open = files.open().open_grants();
    REQUIRE(open.size() == 1);
    CHECK(open.front().seq == 4);
    CHECK(open.front().admitted == an_admission(ticket_a, 4));
}

TEST_CASE("an admission can be asked for by its number") {
    OnFiles files;
    fj::Journal& journal = files.open();
    REQUIRE(ok(journal.append(stamp_at(noon_ms), an_admission(ticket_a))));
    CHECK(journal.admitted(2) == an_admission(ticket_a));
    CHECK_FALSE(journal.admitted(1));
    CHECK_FALSE(journal.admitted(3));
}

TEST_CASE("what became of a command is found by its id, as far back as it can matter") {
    OnFiles files;
    fj::Journal& journal = files.open();
    const auto id = [](Byte number) {
        std::array<Byte, 16> out{};
        out.fill(number);
        return out;
    };
    const auto write = [&](std::int64_t wall_ms, pf::journal::Body body) {
        REQUIRE(ok(journal.append(stamp_at(wall_ms), std::move(body))));
    };
    write(noon_ms, pf::journal::CommandDone{id(1), 1, 3});
    write(noon_ms + 500, pf::journal::CommandDone{id(5), 4, 3});
    write(noon_ms + 600, pf::journal::CommandDone{id(5), 4, 4});
    write(noon_ms + 1'000, pf::journal::Opened{.command = id(2), .persons = 1});
    write(noon_ms + 1'000, pf::journal::CommandDone{id(2), 1, 4});
    write(noon_ms + 2'000, pf::journal::Opened{.command = id(3), .persons = 1});
    const auto trace = [&](Byte number, std::int64_t since_ms) {
        return journal.trace_of(id(number), wall_from_ms(since_ms));
    };
    REQUIRE(trace(1, noon_ms));
    CHECK(trace(1, noon_ms)->state == 3);
    CHECK(trace(2, noon_ms)->state == 4);
    REQUIRE(trace(3, noon_ms));
    CHECK_FALSE(trace(3, noon_ms)->state);  // interrupted
    CHECK(trace(5, noon_ms)->state == 4);   // the newest word counts
    CHECK_FALSE(trace(4, noon_ms));
    // Walks past nothing that a confirmed clock dates before.
    CHECK_FALSE(trace(1, noon_ms + 2'000));
    // Also in the epoch before.
    pf::tests::SeededEntropy entropy{9};
    REQUIRE(ok(journal.open_epoch(pf::journal::EpochOpened::Why::rolled_back,
                                  stamp_at(noon_ms + 3'000), entropy)));
    CHECK(trace(2, noon_ms)->state == 4);
}

TEST_CASE("a new epoch continues the end of the one before, which stays to be sent") {
    OnFiles files;
    fj::Journal& journal = files.open();
    REQUIRE(ok(journal.append(stamp_at(noon_ms), an_admission(ticket_a))));
    const auto old_end = journal.end();
    const auto opened =
        journal.open_epoch(EpochOpened::Why::rolled_back, stamp_at(noon_ms), files.entropy());
    REQUIRE(ok(opened));
    CHECK(opened->cursor == journal.end());
    CHECK(journal.end().seq == 1);
    CHECK(journal.end().epoch != old_end.epoch);

    const fj::Journal& again = files.open();
    REQUIRE(again.epochs().size() == 2);
    CHECK(again.epochs()[0].end == old_end);
    CHECK(again.epochs()[1].end == opened->cursor);
    CHECK(body_at<EpochOpened>(again, again.end().epoch, 1) ==
          EpochOpened{EpochOpened::Why::rolled_back, old_end.epoch, old_end.seq, old_end.head});
    CHECK(chain_verifies(again, old_end.epoch));
    CHECK(chain_verifies(again, again.end().epoch));
    CHECK(again.open_grants().empty());
}

TEST_CASE("what is sent comes in order and within the limits") {
    OnFiles files;
    fj::Journal& journal = files.open();
    for (int i = 0; i < 9; ++i) REQUIRE(ok(journal.append(stamp_at(noon_ms), Refused{})));
    const Epoch epoch = journal.end().epoch;
    const auto some = journal.after(epoch, 3, 4, SIZE_MAX);
    REQUIRE(some.size() == 4);
    for (std::size_t i = 0; i < some.size(); ++i) CHECK(some[i].seq == 4 + i);
    const std::size_t size = some.front().event.size();
    CHECK(journal.after(epoch, 3, 100, 2 * size).size() == 2);
    CHECK(journal.after(epoch, 3, 100, 1).size() == 1);  // never stuck on a large event
    CHECK(journal.after(epoch, 10, 100, SIZE_MAX).empty());
    CHECK(journal.after(Epoch{5}, 0, 100, SIZE_MAX).empty());
}

TEST_CASE("the latest wall time is never forgotten, also when the clock went back") {
    OnFiles files;
    fj::Journal& journal = files.open();
    REQUIRE(ok(journal.append(stamp_at(noon_ms + day_ms), Refused{})));
    REQUIRE(ok(journal.append(stamp_at(0), Refused{})));
    CHECK(journal.latest_wall() == wall_from_ms(noon_ms + day_ms));
    REQUIRE(ok(journal.open_epoch(EpochOpened::Why::rolled_back, stamp_at(5), files.entropy())));
    CHECK(files.open().latest_wall() == wall_from_ms(noon_ms + day_ms));
}

TEST_CASE("one process has the file") {
    OnFiles files;
    files.open();
    CHECK(files.try_open().error() == fj::Fault::locked);
    files.close();
    CHECK(ok(files.try_open()));
}

TEST_CASE("a file that is not this device's journal is refused, and left as it is") {
    OnFiles files;
    SUBCASE("of another device") {
        files.open();
        files.close();
        CHECK(files.try_open(*DeviceId::parse("gate-2")).error() == fj::Fault::not_ours);
        CHECK(ok(files.try_open()));
    }
    SUBCASE("of a newer schema") {
        files.open();
        files.close();
        tamper(files.path(), "PRAGMA user_version = 2");
        CHECK(files.try_open().error() == fj::Fault::not_ours);
    }
    SUBCASE("another program's database") {
        SQLite::Database database{files.path(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE};
        database.exec("CREATE TABLE other (n INTEGER)");
        CHECK(files.try_open().error() == fj::Fault::not_ours);
    }
    SUBCASE("no database at all") {
        std::ofstream{files.path()} << "this has never been a database, not for a single moment";
        CHECK(files.try_open().error() == fj::Fault::damaged);
    }
}

TEST_CASE("last events that do not chain are damage") {
    const std::string damages[] = {
        "UPDATE event SET event = zeroblob(40) WHERE seq = 4",
        "UPDATE event SET head = zeroblob(32) WHERE seq = 4",
        "UPDATE event SET head = zeroblob(32) WHERE seq = 6",
        "DELETE FROM event WHERE seq = 4",
        "UPDATE event SET event = (SELECT event FROM event WHERE seq = 3) WHERE seq = 4",
        "DELETE FROM event",
    };
    for (const std::string& damage : damages) {
        CAPTURE(damage);
        OnFiles files;
        fj::Journal& journal = files.open();
        for (int i = 0; i < 5; ++i) REQUIRE(ok(journal.append(stamp_at(noon_ms), Refused{})));
        files.close();
        tamper(files.path(), damage);
        CHECK(files.try_open().error() == fj::Fault::damaged);
    }
}

TEST_CASE("a damaged file is set aside and the next one says why it begins") {
    OnFiles files;
    fj::Journal& journal = files.open();
    REQUIRE(ok(journal.append(stamp_at(noon_ms), Refused{})));
    files.close();
    const auto moved = fj::set_aside(files.path(), "");
    REQUIRE(ok(moved));
    CHECK(*moved == files.path() + ".damaged-1");
    fj::Journal::Options options{files.path(), "", gate, EpochOpened::Why::damaged};
    const auto anew = fj::Journal::open(options, files.entropy(), stamp_at(noon_ms));
    REQUIRE(ok(anew));
    CHECK(body_at<EpochOpened>(**anew, (*anew)->end().epoch, 1).why == EpochOpened::Why::damaged);
    options.path = *moved;
    const auto evidence = fj::Journal::open(options, files.entropy(), stamp_at(noon_ms));
    REQUIRE(ok(evidence));
    CHECK((*evidence)->end().seq == 2);
}

TEST_CASE("an event somebody else wrote is met with refusal, not with a fork") {
    OnFiles files;
    fj::Journal& journal = files.open();
    REQUIRE(ok(journal.append(stamp_at(noon_ms), an_admission(ticket_a))));
    // Nobody can do this while the lock is honoured; a broken tool could.
    tamper(files.path(),
           "INSERT INTO event SELECT ordinal, 3, kind, clock, wall_ms, latest_ms, NULL, NULL,"
           " event, head FROM event WHERE seq = 2");
    CHECK(journal.append(stamp_at(noon_ms), Refused{}).error() == fj::Fault::damaged);
    CHECK(journal.append(stamp_at(noon_ms), Refused{}).error() == fj::Fault::damaged);
}

TEST_CASE(
    "looking up a ticket, ending a grant and tracing a command read by index, however long the "
    "journal is") {
    OnFiles files;
    files.open();
    files.close();
    SQLite::Database database{files.path()};
    const auto plan = [&](const std::string& sql) {
        SQLite::Statement explain{database, "EXPLAIN QUERY PLAN " + sql};
        std::string steps;
        while (explain.executeStep()) steps += explain.getColumn(3).getString() + "\n";
        return steps;
    };
    const std::string uses = plan(
        "SELECT epoch.epoch, admission.seq, admission.event, outcome.event"
        " FROM event AS admission JOIN epoch ON epoch.ordinal = admission.ordinal"
        " LEFT JOIN event AS outcome ON outcome.ordinal = admission.ordinal"
        " AND outcome.grant_seq = admission.seq"
        " WHERE admission.ticket = ?1 ORDER BY admission.ordinal, admission.seq");
    CAPTURE(uses);
    CHECK(uses.find("event_ticket") != std::string::npos);
    CHECK(uses.find("event_outcome") != std::string::npos);
    CHECK(uses.find("SCAN") == std::string::npos);
    const std::string commands = plan(
        "SELECT kind, clock, wall_ms, event FROM event"
        " WHERE kind IN (9, 11) ORDER BY ordinal DESC, seq DESC");
    CAPTURE(commands);
    CHECK(commands.find("event_command") != std::string::npos);
    CHECK(commands.find("TEMP B-TREE") == std::string::npos);
    // The numbers in the index are those of the kinds.
    CHECK(pf::journal::kind_of(pf::journal::CommandDone{}) == 9);
    CHECK(pf::journal::kind_of(pf::journal::Opened{}) == 11);
}
