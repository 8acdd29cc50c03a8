#pragma once
// Rows of events.db and how they are read and written. Inside the room only.
#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "common/journal/event.hpp"
#include "firmware/journal/journal.hpp"
#include "firmware/sqlite/fault.hpp"
#include "firmware/sqlite/statement.hpp"

namespace pf::firmware::journal {

/// Where an epoch of the file stands.
struct EpochRow {
    std::int64_t ordinal = 0;
    Epoch epoch;
    std::uint64_t pruned_seq = 0;
    Digest pruned_head{};
    std::uint64_t end_seq = 0;
    Digest end_head{};
    std::int64_t latest_ms = INT64_MIN;  // of all events up to its end

    pf::journal::Cursor end() const { return {epoch, end_seq, end_head}; }
};
std::vector<EpochRow> read_epochs(SQLite::Database& database);

/// One row of `event`, ready to be written.
struct EventRow {
    std::int64_t ordinal = 0;
    std::uint64_t seq = 0;
    std::uint8_t kind = 0;
    pf::journal::ClockQuality clock = pf::journal::ClockQuality::unset;
    std::int64_t wall_ms = 0;
    std::int64_t latest_ms = 0;
    std::optional<TicketId> ticket;
    std::optional<std::uint64_t> grant_seq;
    Bytes event;
    Digest head{};
};
/// The row that follows `end` and says `body`.
EventRow row_after(const EpochRow& end, const Stamp& stamp, pf::journal::Body body);

/// What the columns beside the event must say; also how the reader finds columns that lie.
std::optional<TicketId> ticket_column(const pf::journal::Body& body);
std::optional<std::uint64_t> grant_column(const pf::journal::Body& body);

/// A digest column; the schema guarantees its length.
Digest digest_of(BytesView column);
Epoch epoch_of(BytesView column);

/// True when `event` holds number `seq` and `head` follows from `before`.
bool follows(const Digest& before, std::uint64_t seq, BytesView event, BytesView head);

Fault journal_fault(sqlite::Fault fault) noexcept;

}  // namespace pf::firmware::journal
