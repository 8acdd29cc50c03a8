// A year of a busy gate, 2,000,000 events, beside the journal of a new one: opening it, and one
// decision with its commit.
#include <fmt/format.h>

#include "firmware/journal/journal.hpp"
#include "tests/bench/row.hpp"
#include "tests/bench/system_calls.hpp"
#include "tests/support/fixed_entropy.hpp"
#include "tests/support/temp_dir.hpp"

using namespace pf;
using bench::require;
using firmware::journal::Journal;
using firmware::journal::Stamp;
using firmware::journal::View;

namespace {

constexpr int events_of_a_year = 2'000'000;
constexpr int events_of_a_new_one = 200;
/// No figure is promised for it beyond "as fast as a new one".
constexpr bench::Target as_fast{1.25};

/// A journal and what happens at its gate: somebody is let in, somebody has passed, and so on.
class Book {
public:
    explicit Book(const std::string& name) : path_{folder_ / name} { open(); }

    void open() {
        auto opened = Journal::open(
            {.path = path_, .vfs = {}, .device = *DeviceId::parse("gate-1")}, entropy_, stamp());
        require(opened.has_value(), "the journal opens");
        journal_ = std::move(*opened);
    }
    void close() { journal_.reset(); }

    /// Half of them admissions, half what came of them.
    void live(int events) {
        const bench::NothingSynced unsynced;
        while (journal_->end().seq < static_cast<std::uint64_t>(events)) visit();
    }
    void visit() {
        const std::uint64_t grant = admit();
        pass(grant);
    }
    /// As the verifier does it: the ticket's own uses are read in the transaction that appends.
    std::uint64_t admit() {
        const TicketId ticket{entropy_.next_u64()};
        const auto appended =
            journal_->transact(stamp(), [&](const View& view) -> std::optional<journal::Body> {
                require(view.uses_of(ticket).empty(), "the ticket is new");
                journal::Admitted admitted;
                admitted.ticket = ticket;
                admitted.site = SiteId{341};
                admitted.product = ProductId{12007};
                admitted.day = admitted.last_day = Day{20'750};
                admitted.persons = 1;
                return admitted;
            });
        require(appended.has_value() && appended->has_value(), "the admission is written");
        return (*appended)->cursor.seq;
    }
    void pass(std::uint64_t grant) {
        const auto appended =
            journal_->append(stamp(), journal::Outcome{.grant_seq = grant,
                                                       .passed = 1,
                                                       .returned = 0,
                                                       .how = journal::Outcome::How::complete});
        require(appended.has_value(), "the outcome is written");
    }

private:
    Stamp stamp() {
        wall_ += std::chrono::seconds{15};
        return {wall_, SteadyTime{Millis{to_ms(wall_) / 2}}, BootId{11},
                journal::ClockQuality::confirmed};
    }

    tests::TempDir folder_;
    tests::SeededEntropy entropy_{3};
    WallTime wall_ = wall_from_ms(1'777'593'600'000);
    std::string path_;
    std::unique_ptr<Journal> journal_;
};

std::uint64_t pages(const std::function<void()>& work) {
    const bench::PagesRead reads;
    work();
    return reads.count();
}

std::vector<bench::Row> year(const bench::Asked& asked) {
    const int events = asked.size(events_of_a_year, 2'000);
    Book fresh{"events.db"}, old{"events.db"};
    fresh.live(events_of_a_new_one);
    old.live(events);

    const auto reopening = [](Book& book) {
        return [&book] {
            book.close();
            return bench::median_us(1, [&book] { book.open(); });
        };
    };
    const auto opening = bench::alternate(asked.rounds(10), reopening(old), reopening(fresh));
    fresh.close();
    old.close();
    const auto old_open = pages([&] { old.open(); });
    const auto fresh_open = pages([&] { fresh.open(); });

    const auto admitting = [](Book& book) {
        return [&book] {
            std::uint64_t grant = 0;
            const double us = bench::median_us(1, [&] { grant = book.admit(); });
            book.pass(grant);
            return us;
        };
    };
    const auto appending = bench::alternate(asked.rounds(100), admitting(old), admitting(fresh));
    constexpr int scans = 100;
    const auto read_by = [&](Book& book) {
        return pages([&] {
            for (int i = 0; i < scans; ++i) book.visit();
        });
    };
    const auto old_visits = read_by(old), fresh_visits = read_by(fresh);
    return {bench::row_of("journal_year.open", "us", opening, as_fast,
                          fmt::format("{} events; pages read {}, of a new journal {}", events,
                                      old_open, fresh_open)),
            bench::row_of("journal_year.append", "us", appending, as_fast,
                          fmt::format("pages read in {} visits {}, of a new journal {}", scans,
                                      old_visits, fresh_visits))};
}

}  // namespace

int main(int argc, char** argv) { return bench::run(argc, argv, {{"journal_year", year}}); }
