#pragma once
// The journal on SQLite. Inside the room only; others see journal.hpp.
#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>

#include <memory>
#include <optional>
#include <vector>

#include "firmware/journal/journal.hpp"
#include "firmware/journal/rows.hpp"
#include "firmware/sqlite/database.hpp"

namespace pf::firmware::journal {

class SqliteJournal final : public Journal, private View {
public:
    /// The file has its schema already. Call load() next.
    SqliteJournal(sqlite::Writer writer, DeviceId device);

    /// Reads where the file stands. Throws SQLite::Exception.
    void load();
    /// False when the last events do not chain, or there is no epoch. Throws SQLite::Exception.
    bool tail_verifies();

    Result<std::optional<Appended>> transact(const Stamp& stamp, const Decide& decide) override;
    Result<Appended> open_epoch(pf::journal::EpochOpened::Why why, const Stamp& stamp,
                                Entropy& entropy) override;
    pf::journal::Cursor end() const override { return epochs_.back().end(); }
    std::vector<EpochState> epochs() const override;
    std::optional<Digest> head_at(Epoch epoch, std::uint64_t seq) const override;
    std::vector<Stored> after(Epoch epoch, std::uint64_t seq, std::size_t events_max,
                              std::size_t bytes_max) const override;
    std::vector<OpenGrant> open_grants() const override;
    std::optional<pf::journal::Admitted> admitted(std::uint64_t grant_seq) const override;
    std::optional<CommandTrace> trace_of(const std::array<Byte, 16>& command,
                                         WallTime since) const override;
    WallTime latest_wall() const override;
    ClockEvidence clock_evidence() const override;
    Result<std::uint64_t> prune(WallTime before, Day today,
                                const std::vector<pf::journal::Cursor>& confirmed) override;

private:
    /// Prepared once: the visitor waits while they run.
    struct Statements {
        explicit Statements(SQLite::Database& database);
        SQLite::Statement insert_event;
        SQLite::Statement insert_waiting;
        SQLite::Statement delete_waiting;
        SQLite::Statement uses;
        SQLite::Statement has_outcome;
        SQLite::Statement event_at;
        SQLite::Statement head_at;
        SQLite::Statement after;
        SQLite::Statement waiting;
    };

    std::vector<OwnUse> uses_of(TicketId ticket) const override;  // View

    /// Writes `row` inside the transaction under way.
    void insert(const EventRow& row, const pf::journal::Body& body);
    /// A lane that ends a grant twice, or one that never was, has lost its way. Throws
    /// std::logic_error.
    void require_sound(const pf::journal::Outcome& outcome) const;
    /// After COMMIT only.
    void advance(const EventRow& row);
    /// What an exception of a write means; afterwards the disk says where we stand.
    Fault failed(const SQLite::Exception& exception);
    std::optional<pf::journal::Admitted> admitted_at(std::int64_t ordinal, std::uint64_t seq) const;
    const EpochRow* find(Epoch epoch) const;

    // prune.cpp
    std::uint64_t drop_expired_kept(Day today);
    std::uint64_t prune_epoch(EpochRow& row, std::uint64_t limit, WallTime before, Day today);
    std::uint64_t old_enough_upto(const EpochRow& row, std::uint64_t limit, WallTime before);

    sqlite::Writer writer_;
    SQLite::Database& database_;
    DeviceId device_;
    mutable Statements statements_;  // a read steps its statement
    std::vector<EpochRow> epochs_;   // oldest first
    bool end_known_ = false;         // false after a failed write, until read again
    std::optional<Fault> given_up_;  // the file holds what we did not write: nothing is added to it
};

}  // namespace pf::firmware::journal
