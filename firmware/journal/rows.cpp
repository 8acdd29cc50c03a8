#include "firmware/journal/rows.hpp"

#include <algorithm>
#include <cassert>
#include <cstdlib>

namespace pf::firmware::journal {

std::vector<EpochRow> read_epochs(SQLite::Database& database) {
    SQLite::Statement epochs{
        database, "SELECT ordinal, epoch, pruned_seq, pruned_head FROM epoch ORDER BY ordinal"};
    SQLite::Statement last{database,
                           "SELECT seq, head, latest_ms FROM event WHERE ordinal = ?1"
                           " ORDER BY seq DESC LIMIT 1"};
    std::vector<EpochRow> found;
    sqlite::Run each{epochs};
    while (each.row()) {
        EpochRow row;
        row.ordinal = each.integer(0);
        row.epoch = epoch_of(each.blob(1));
        row.pruned_seq = each.counter(2);
        row.pruned_head = digest_of(each.blob(3));
        row.end_seq = row.pruned_seq;
        row.end_head = row.pruned_head;
        sqlite::Run end{last, row.ordinal};
        if (end.row()) {
            row.end_seq = end.counter(0);
            row.end_head = digest_of(end.blob(1));
            row.latest_ms = end.integer(2);
        }
        found.push_back(row);
    }
    return found;
}

EventRow row_after(const EpochRow& end, const Stamp& stamp, pf::journal::Body body) {
    const pf::journal::Event event{end.end_seq + 1, stamp.wall,  stamp.steady,
                                   stamp.boot,      stamp.clock, std::move(body)};
    EventRow row;
    row.ordinal = end.ordinal;
    row.seq = event.seq;
    row.kind = pf::journal::kind_of(event.body);
    row.clock = stamp.clock;
    row.wall_ms = to_ms(stamp.wall);
    row.latest_ms = std::max(end.latest_ms, row.wall_ms);
    row.ticket = ticket_column(event.body);
    row.grant_seq = grant_column(event.body);
    row.event = pf::journal::encode(event);
    assert(row.event.size() <= pf::journal::event_bytes_max);
    row.head = pf::journal::next_head(end.end_head, row.event);
    return row;
}

std::optional<TicketId> ticket_column(const pf::journal::Body& body) {
    const auto* const admitted = std::get_if<pf::journal::Admitted>(&body);
    if (admitted == nullptr) return std::nullopt;
    return admitted->ticket;
}

std::optional<std::uint64_t> grant_column(const pf::journal::Body& body) {
    const auto* const outcome = std::get_if<pf::journal::Outcome>(&body);
    if (outcome == nullptr) return std::nullopt;
    return outcome->grant_seq;
}

Digest digest_of(BytesView column) {
    const auto digest = array_from<std::tuple_size_v<Digest>>(column);
    assert(digest);
    return *digest;
}

Epoch epoch_of(BytesView column) {
    assert(column.size() == sizeof(std::uint64_t));
    return Epoch{from_be8(std::span<const Byte, 8>{column})};
}

bool follows(const Digest& before, std::uint64_t seq, BytesView event, BytesView head) {
    const auto found = pf::journal::seq_of(event);
    if (!found || *found != seq) return false;
    const Digest expected = pf::journal::next_head(before, event);
    return std::equal(expected.begin(), expected.end(), head.begin(), head.end());
}

Fault journal_fault(sqlite::Fault fault) noexcept {
    switch (fault) {
        case sqlite::Fault::disk_full:
            return Fault::disk_full;
        case sqlite::Fault::io_error:
            return Fault::io_error;
        case sqlite::Fault::damaged:
            return Fault::damaged;
        case sqlite::Fault::not_ours:
            return Fault::not_ours;
        case sqlite::Fault::locked:
            return Fault::locked;
    }
    std::abort();
}

}  // namespace pf::firmware::journal
