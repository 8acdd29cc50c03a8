// What may go, and when. Slices, because the lane waits for the same thread.
#include <SQLiteCpp/Transaction.h>

#include <algorithm>

#include "firmware/journal/sqlite_journal.hpp"

namespace pf::firmware::journal {

using pf::journal::Admitted;
using pf::journal::ClockQuality;
using sqlite::Run;

namespace {

/// Events looked at in one transaction: a few milliseconds on the slowest board.
constexpr std::uint64_t slice_events = 500;

struct Fate {
    enum class What { goes, stays, stays_until_last_day, not_understood };
    What what = What::goes;
    Day last_day;
};

Fate fate_of(BytesView bytes, Day today, const std::function<bool(std::uint64_t)>& grant_is_kept) {
    const auto event = pf::journal::decode(bytes);
    // Written by newer firmware that was rolled back: what we can't read we don't judge.
    if (!event) return {Fate::What::not_understood, {}};
    if (const auto* admitted = std::get_if<Admitted>(&event->body)) {
        if (admitted->last_day < today) return {};
        return {Fate::What::stays_until_last_day, admitted->last_day};
    }
    if (const auto* outcome = std::get_if<pf::journal::Outcome>(&event->body)) {
        if (!grant_is_kept(outcome->grant_seq)) return {};
        return {Fate::What::stays, {}};
    }
    // One row per epoch; it tells where the epoch came from.
    if (std::holds_alternative<pf::journal::EpochOpened>(event->body)) {
        return {Fate::What::stays, {}};
    }
    return {};
}

}  // namespace

Result<std::uint64_t> SqliteJournal::prune(WallTime before, Day today,
                                           const std::vector<pf::journal::Cursor>& confirmed) {
    if (given_up_) return *given_up_;
    // Invariant 2 holds whatever the caller's clock says: thirty days by what this file has seen.
    constexpr std::chrono::hours day{24};
    before = std::min(before, latest_wall() - keep_days_min * day);
    try {
        if (!end_known_) load();
        std::uint64_t gone = drop_expired_kept(today);
        for (EpochRow& row : epochs_) {
            const auto cursor =
                std::find_if(confirmed.begin(), confirmed.end(),
                             [&](const auto& each) { return each.epoch == row.epoch; });
            // A server that confirmed another chain than ours has not got our events.
            if (cursor == confirmed.end() || head_at(row.epoch, cursor->seq) != cursor->head) {
                continue;
            }
            // The last event of an epoch stays: it is where the epoch stands.
            const std::uint64_t limit = std::min(cursor->seq, row.end_seq - 1);
            std::uint64_t mark = 0;
            do {
                mark = row.pruned_seq;
                if (gone >= slice_events) return gone;
                gone += prune_epoch(row, limit, before, today);
            } while (row.pruned_seq > mark);
        }
        return gone;
    } catch (const SQLite::Exception& exception) {
        return failed(exception);
    } catch (const ReadFailed& exception) {
        return exception.fault();
    }
}

std::uint64_t SqliteJournal::drop_expired_kept(Day today) {
    struct Place {
        std::int64_t last_day;
        std::int64_t ordinal;
        std::uint64_t seq;
    };
    std::vector<Place> expired;
    {
        SQLite::Statement select{
            database_, "SELECT last_day, ordinal, seq FROM kept WHERE last_day < ?1 LIMIT ?2"};
        Run each{select, today.number, slice_events};
        while (each.row()) expired.push_back({each.integer(0), each.integer(1), each.counter(2)});
    }
    if (expired.empty()) return 0;
    SQLite::Transaction transaction{database_, SQLite::TransactionBehavior::IMMEDIATE};
    SQLite::Statement event{database_, "DELETE FROM event WHERE ordinal = ?1 AND seq = ?2"};
    SQLite::Statement outcome{database_,
                              "DELETE FROM event WHERE ordinal = ?1 AND grant_seq = ?2 AND seq <="
                              " (SELECT pruned_seq FROM epoch WHERE epoch.ordinal = ?1)"};
    SQLite::Statement kept{database_,
                           "DELETE FROM kept WHERE last_day = ?1 AND ordinal = ?2 AND seq = ?3"};
    std::uint64_t gone = 0;
    for (const Place& place : expired) {
        gone += static_cast<std::uint64_t>(Run{event, place.ordinal, place.seq}.execute());
        gone += static_cast<std::uint64_t>(Run{outcome, place.ordinal, place.seq}.execute());
        Run{kept, place.last_day, place.ordinal, place.seq}.execute();
    }
    transaction.commit();
    return gone;
}

std::uint64_t SqliteJournal::old_enough_upto(const EpochRow& row, std::uint64_t limit,
                                             WallTime before) {
    // An event is as old as the next confirmed clock proves: one written under a dead battery says
    // 1970, one under a clock nobody confirmed may look right and be weeks behind, and both may be
    // from yesterday.
    const std::uint64_t window_end = std::min(limit, row.pruned_seq + slice_events);
    std::uint64_t upto = row.pruned_seq;
    SQLite::Statement proven{database_,
                             "SELECT seq, wall_ms FROM event"
                             " WHERE ordinal = ?1 AND seq > ?2 AND seq <= ?3 AND clock >= ?4"
                             " ORDER BY seq"};
    Run each{proven, row.ordinal, row.pruned_seq, limit, ClockQuality::confirmed};
    while (each.row()) {
        if (each.integer(1) >= to_ms(before)) return upto;
        upto = std::min(each.counter(0), window_end);
        if (upto == window_end) break;
    }
    return upto;
}

std::uint64_t SqliteJournal::prune_epoch(EpochRow& row, std::uint64_t limit, WallTime before,
                                         Day today) {
    const std::uint64_t upto = old_enough_upto(row, limit, before);
    if (upto == row.pruned_seq) return 0;
    SQLite::Transaction transaction{database_, SQLite::TransactionBehavior::IMMEDIATE};
    SQLite::Statement select{database_,
                             "SELECT seq, event, head FROM event"
                             " WHERE ordinal = ?1 AND seq > ?2 AND seq <= ?3 ORDER BY seq"};
    SQLite::Statement remove{database_, "DELETE FROM event WHERE ordinal = ?1 AND seq = ?2"};
    SQLite::Statement keep{database_,
                           "INSERT INTO kept (last_day, ordinal, seq) VALUES (?1, ?2, ?3)"};
    SQLite::Statement mark{database_,
                           "UPDATE epoch SET pruned_seq = ?2, pruned_head = ?3 WHERE ordinal = ?1"};
    const auto grant_is_kept = [&](std::uint64_t grant_seq) {
        return Run{statements_.event_at, row.ordinal, grant_seq}.row();
    };

    std::vector<std::uint64_t> going;
    EpochRow marked = row;
    {
        Run each{select, row.ordinal, row.pruned_seq, upto};
        while (each.row()) {
            const std::uint64_t seq = each.counter(0);
            const auto gone_already = [&](std::uint64_t grant) {
                return std::binary_search(going.begin(), going.end(), grant);
            };
            const Fate fate = fate_of(each.blob(1), today, [&](std::uint64_t grant) {
                return !gone_already(grant) && grant_is_kept(grant);
            });
            if (fate.what == Fate::What::not_understood) break;
            if (fate.what == Fate::What::goes) going.push_back(seq);
            if (fate.what == Fate::What::stays_until_last_day) {
                Run{keep, fate.last_day.number, row.ordinal, seq}.execute();
            }
            marked.pruned_seq = seq;
            marked.pruned_head = digest_of(each.blob(2));
        }
    }
    for (const std::uint64_t seq : going) Run{remove, row.ordinal, seq}.execute();
    Run{mark, row.ordinal, marked.pruned_seq, marked.pruned_head}.execute();
    transaction.commit();
    row = marked;
    return going.size();
}

}  // namespace pf::firmware::journal
