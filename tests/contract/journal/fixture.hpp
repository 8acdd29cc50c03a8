#pragma once
// A device with a journal, for the journal's suites.
#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <utility>

#include "firmware/journal/journal.hpp"
#include "tests/support/fixed_entropy.hpp"
#include "tests/support/temp_dir.hpp"

namespace pf::tests {

namespace fj = pf::firmware::journal;

inline const DeviceId gate = *DeviceId::parse("gate-1");
inline constexpr TicketId ticket_a{0xa1};
inline constexpr TicketId ticket_b{0xb2};
inline constexpr std::int64_t noon_ms = 1'793'000'000'000;  // a day in 2026
inline constexpr std::int64_t day_ms = 86'400'000;

/// doctest would print a Result, and can't.
template <class T>
bool ok(const fj::Result<T>& result) {
    return result.has_value();
}

inline fj::Stamp stamp_at(std::int64_t wall_ms) {
    return {wall_from_ms(wall_ms), SteadyTime{Millis{1'000}}, BootId{7},
            pf::journal::ClockQuality::confirmed};
}

inline pf::journal::Admitted an_admission(TicketId ticket, std::uint16_t persons = 1) {
    pf::journal::Admitted admitted;
    admitted.ticket = ticket;
    admitted.site = SiteId{3};
    admitted.product = ProductId{5};
    admitted.point = PointId{1};
    admitted.day = Day{20'750};
    admitted.last_day = Day{20'750};
    admitted.persons = persons;
    return admitted;
}

inline pf::journal::Outcome outcome(std::uint64_t grant_seq, std::uint16_t passed,
                                    std::uint16_t returned, pf::journal::Outcome::How how) {
    return {grant_seq, passed, returned, how};
}

inline std::vector<fj::OwnUse> uses_of(fj::Journal& journal, TicketId ticket) {
    std::vector<fj::OwnUse> found;
    const auto nothing = journal.transact(stamp_at(noon_ms), [&](const fj::View& view) {
        found = view.uses_of(ticket);
        return std::nullopt;
    });
    REQUIRE(ok(nothing));
    REQUIRE_FALSE(nothing->has_value());
    return found;
}

/// Follows the chain of one epoch through what after() gives.
inline bool chain_verifies(const fj::Journal& journal, Epoch epoch, std::uint64_t from = 0) {
    auto head = journal.head_at(epoch, from);
    if (!head) return false;
    for (const fj::Stored& stored : journal.after(epoch, from, SIZE_MAX >> 1U, SIZE_MAX)) {
        if (stored.seq != ++from) return false;
        head = pf::journal::next_head(*head, stored.event);
        if (journal.head_at(epoch, from) != head) return false;
    }
    for (const fj::EpochState& state : journal.epochs()) {
        if (state.epoch == epoch) return state.end.seq == from && state.end.head == *head;
    }
    return false;
}

/// A journal on the real file system.
class OnFiles {
public:
    std::string path() const { return (directory_.path() / "events.db").string(); }

    fj::Result<std::unique_ptr<fj::Journal>> try_open(const DeviceId& device = gate) {
        fj::Journal::Options options{path(), "", device};
        return fj::Journal::open(options, entropy_, stamp_at(noon_ms));
    }
    fj::Journal& open() {
        journal_.reset();
        auto opened = try_open();
        REQUIRE(ok(opened));
        journal_ = std::move(*opened);
        return *journal_;
    }
    void close() { journal_.reset(); }
    SeededEntropy& entropy() { return entropy_; }

private:
    TempDir directory_;
    SeededEntropy entropy_{1};
    std::unique_ptr<fj::Journal> journal_;
};

}  // namespace pf::tests
