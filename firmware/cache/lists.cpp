// Lists: staged row by row with their digest, put in force at once (invariant 4).
#include <algorithm>
#include <cassert>
#include <limits>

#include "firmware/cache/sqlite_cache.hpp"

namespace pf::firmware::cache {

using sqlite::Run;
using wire::ListScope;
using What = wire::Want::What;

namespace {

/// Rows removed in one transaction, in idle moments.
constexpr std::int64_t tidy_rows = 4'000;

constexpr std::size_t revoked_key_bytes = 8;
constexpr std::size_t tickets_key_bytes = 1 + 16 + 8;
constexpr int kinds = 256;  // first byte of a key of `tickets`

std::size_t key_bytes(ListScope scope) {
    return scope == ListScope::revoked ? revoked_key_bytes : tickets_key_bytes;
}

/// First and last key that can begin with `prefix`.
struct KeyRange {
    Bytes first;
    Bytes last;
};
KeyRange range_of(Bytes prefix, std::size_t size) {
    KeyRange range{prefix, std::move(prefix)};
    range.first.resize(size, 0x00);
    range.last.resize(size, 0xff);
    return range;
}

/// Where the keys of one bucket are: together in `revoked`, once per carrier kind in `tickets`.
std::vector<KeyRange> bucket_ranges(ListScope scope, std::uint8_t bucket) {
    std::vector<KeyRange> ranges;
    if (scope == ListScope::revoked) {
        ranges.push_back(range_of({bucket}, revoked_key_bytes));
    } else {
        for (int kind = 0; kind < kinds; ++kind) {
            ranges.push_back(range_of({static_cast<Byte>(kind), bucket}, tickets_key_bytes));
        }
    }
    return ranges;
}

Bytes joined(const wire::ListDigest& digest) {
    Bytes out;
    for (const Digest& sum : digest.sums()) out.insert(out.end(), sum.begin(), sum.end());
    return out;
}

/// Pages of a stage can be asked for again, so a snapshot of hundreds of pages need not wait for
/// the disk hundreds of times. The next durable transaction syncs them with it.
class Relaxed {
public:
    explicit Relaxed(SQLite::Database& database) : database_{database} {
        database_.exec("PRAGMA synchronous = NORMAL");
    }
    Relaxed(const Relaxed&) = delete;
    Relaxed& operator=(const Relaxed&) = delete;
    ~Relaxed() {
        [[maybe_unused]] const int code = database_.tryExec("PRAGMA synchronous = FULL");
        assert(code == 0);
    }

private:
    SQLite::Database& database_;
};

}  // namespace

// --- asked -------------------------------------------------------------------------------------

std::optional<Bytes> SqliteCache::body_at(ListScope scope, std::int64_t slot, BytesView key) const {
    Run found{statements_.body_at, scope, slot, key};
    if (!found.row() || found.is_null(0)) return std::nullopt;
    return found.bytes(0);
}

std::optional<wire::Revoked> SqliteCache::revoked(TicketId ticket) const {
    return reading([&]() -> std::optional<wire::Revoked> {
        const auto id = to_be8(ticket.value);
        const auto body = body_at(ListScope::revoked, lists_.at(ListScope::revoked).slot, id);
        if (!body) return std::nullopt;
        const auto row = wire::revoked_of({Bytes(id.begin(), id.end()), *body});
        if (row) return *row;
        // The server signed that this ticket is revoked, in words of a newer version: revoked.
        return wire::Revoked{ticket, admission::generation_all,
                             Day{std::numeric_limits<std::int32_t>::max()}};
    });
}

std::vector<wire::Carried> SqliteCache::carried(admission::CarrierKind kind,
                                                const wire::CarrierHash& hash) const {
    return reading([&] {
        std::vector<wire::Carried> found;
        const KeyRange range = range_of(wire::carrier_prefix(kind, hash), tickets_key_bytes);
        Run each{statements_.rows_between, ListScope::tickets, lists_.at(ListScope::tickets).slot,
                 range.first, range.last};
        while (each.row()) {
            auto row = wire::carried_of({each.bytes(0), each.bytes(1)});
            // A ticket in words of a newer version is one this firmware does not know.
            if (row) found.push_back(std::move(*row));
        }
        return found;
    });
}

bool SqliteCache::holds_what_it_says(ListScope scope) const {
    const List& list = lists_.at(scope);
    if (list.meta.state.version == 0) return true;
    wire::ListDigest digest;
    std::uint64_t rows = 0;
    SQLite::Statement all{database_, "SELECT key, body FROM row WHERE scope = ?1 AND slot = ?2"};
    Run each{all, scope, list.slot};
    while (each.row()) {
        digest.add(each.bytes(0), each.bytes(1));
        ++rows;
    }
    return rows == list.meta.rows && digest.root() == list.meta.state.root;
}

std::optional<Stage> SqliteCache::stage(ListScope scope) const {
    const auto staged = stages_.find(scope);
    if (staged == stages_.end()) return std::nullopt;
    return staged->second.stage;
}

// --- staged ------------------------------------------------------------------------------------

Result<void> SqliteCache::begin_stage(ListScope scope, const Stage& stage) {
    if (const auto fault = unreadable()) return *fault;
    const wire::ListState& ours = lists_.at(scope).meta.state;
    const bool same_life = ours.version != 0 && ours.generation == stage.generation;
    if (same_life && stage.to_version < ours.version) return Fault::wrong_base;
    if (stage.what != What::snapshot && !same_life) return Fault::wrong_base;
    if (stage.what == What::difference && stage.from_version != ours.version) {
        return Fault::wrong_base;
    }
    Staged staged;
    const auto begun = write([&] {
        staged = staged_for(scope, stage);
        put_stage(scope, staged);
    });
    if (begun) stages_[scope] = std::move(staged);
    return begun;
}

SqliteCache::Staged SqliteCache::staged_for(ListScope scope, const Stage& stage) {
    const List& list = lists_.at(scope);
    Staged staged{free_slot(scope), stage, 0, {}};
    staged.stage.after.clear();
    switch (stage.what) {
        case What::snapshot:
            break;
        case What::difference:
            staged.rows = list.meta.rows;
            staged.digest = list.digest;
            break;
        case What::bucket: {
            staged.rows = list.meta.rows - count_bucket(scope, list.slot, stage.bucket);
            auto sums = list.digest.sums();
            sums[stage.bucket] = {};
            staged.digest = wire::ListDigest::from_sums(sums);
            break;
        }
        case What::buckets:
        case What::uses:
        case What::document:
            assert(false && "not an update of a list");
            break;
    }
    return staged;
}

Result<void> SqliteCache::stage_rows(ListScope scope, const std::vector<wire::ListRow>& rows) {
    if (const auto fault = unreadable()) return *fault;
    if (stages_.find(scope) == stages_.end()) return Fault::wrong_base;
    Staged next = stages_.at(scope);
    bool possible = true;
    try {
        const Relaxed relaxed{database_};
        SQLite::Transaction transaction{database_, SQLite::TransactionBehavior::IMMEDIATE};
        for (const wire::ListRow& row : rows) {
            possible = possible && add_row(scope, next, row);
        }
        if (possible) {
            put_stage(scope, next);
            tidy_slice();
            transaction.commit();
        }
    } catch (const SQLite::Exception& exception) {
        return failed(exception);
    }
    if (!possible) {
        const auto dropped = drop_stage(scope);
        return dropped ? Fault::digest_mismatch : dropped.error();
    }
    stages_[scope] = std::move(next);
    return {};
}

/// False when no list of this scope and stage can hold the row.
bool SqliteCache::add_row(ListScope scope, Staged& staged, const wire::ListRow& row) {
    if (row.key.size() != key_bytes(scope)) return false;
    if (row.key <= staged.stage.after) return true;
    const bool difference = staged.stage.what == What::difference;
    if (!row.body && !difference) return false;
    if (staged.stage.what == What::bucket &&
        wire::bucket_of(scope, row.key) != staged.stage.bucket) {
        return false;
    }
    if (difference) {
        if (const auto old = body_at(scope, lists_.at(scope).slot, row.key)) {
            staged.digest.remove(row.key, *old);
            --staged.rows;
        }
    }
    if (row.body) {
        staged.digest.add(row.key, *row.body);
        ++staged.rows;
    }
    Run{statements_.insert_row, scope, staged.slot, row.key, row.body}.execute();
    staged.stage.after = row.key;
    return true;
}

Result<void> SqliteCache::drop_stage(ListScope scope) {
    const auto dropped = write([&] { delete_stage(scope); });
    if (dropped) stages_.erase(scope);
    return dropped;
}

// --- applied -----------------------------------------------------------------------------------

Result<ListMeta> SqliteCache::apply_stage(ListScope scope, const wire::ListManifest& manifest,
                                          Generation generation, std::uint64_t version) {
    if (const auto fault = unreadable()) return *fault;
    const auto found = stages_.find(scope);
    if (found == stages_.end() || manifest.scope != scope ||
        found->second.stage.generation != generation || found->second.stage.to_version != version) {
        return Fault::wrong_base;
    }
    const Staged& staged = found->second;
    if (staged.digest.root() != manifest.root || staged.rows != manifest.rows) {
        const auto dropped = drop_stage(scope);
        return dropped ? Fault::digest_mismatch : dropped.error();
    }
    List next;
    next.slot = lists_.at(scope).slot;
    next.meta = {{scope, generation, version, manifest.root}, manifest.fresh_until, staged.rows};
    next.digest = staged.digest;
    const auto applied = write([&] {
        switch (staged.stage.what) {
            case What::bucket:
                delete_bucket(scope, next.slot, staged.stage.bucket);
                merge(scope, staged, next.slot);
                break;
            case What::difference:
                merge(scope, staged, next.slot);
                break;
            case What::snapshot:
            case What::buckets:
            case What::uses:
            case What::document:
                next.slot = staged.slot;
                break;
        }
        put_list(scope, next);
        delete_stage(scope);
    });
    if (!applied) return applied.error();
    stages_.erase(scope);
    lists_[scope] = std::move(next);
    return lists_.at(scope).meta;
}

void SqliteCache::merge(ListScope scope, const Staged& staged, std::int64_t into) {
    SQLite::Statement removed{
        database_,
        "DELETE FROM row WHERE scope = ?1 AND slot = ?3 AND key IN"
        " (SELECT key FROM row WHERE scope = ?1 AND slot = ?2 AND body IS NULL)"};
    Run{removed, scope, staged.slot, into}.execute();
    SQLite::Statement added{database_,
                            "INSERT OR REPLACE INTO row (scope, slot, key, body)"
                            " SELECT scope, ?3, key, body FROM row"
                            " WHERE scope = ?1 AND slot = ?2 AND body IS NOT NULL"};
    Run{added, scope, staged.slot, into}.execute();
}

Result<void> SqliteCache::refresh(ListScope scope, const wire::ListManifest& manifest,
                                  Generation generation, std::uint64_t version) {
    if (const auto fault = unreadable()) return *fault;
    List next = lists_.at(scope);
    if (version == 0 || manifest.scope != scope || next.meta.state.generation != generation ||
        next.meta.state.version != version) {
        return Fault::wrong_base;
    }
    if (next.meta.state.root != manifest.root) return Fault::digest_mismatch;
    next.meta.fresh_until = manifest.fresh_until;
    const auto refreshed = write([&] { put_list(scope, next); });
    if (refreshed) lists_[scope] = std::move(next);
    return refreshed;
}

// --- tidied ------------------------------------------------------------------------------------

Result<bool> SqliteCache::tidy() {
    bool more = false;
    const auto tidied = write([&] { more = tidy_slice(); });
    if (!tidied) return tidied.error();
    return more;
}

bool SqliteCache::tidy_slice() {
    SQLite::Statement next_slot{database_,
                                "SELECT min(slot) FROM row WHERE scope = ?1 AND slot > ?2"};
    SQLite::Statement border{database_,
                             "SELECT key FROM row WHERE scope = ?1 AND slot = ?2"
                             " ORDER BY key LIMIT 1 OFFSET ?3"};
    for (const ListScope scope : wire::list_scopes) {
        const auto named = [&](std::int64_t slot) {
            const auto staged = stages_.find(scope);
            return slot == lists_.at(scope).slot ||
                   (staged != stages_.end() && slot == staged->second.slot);
        };
        std::int64_t slot = 0;
        while (true) {
            Run found{next_slot, scope, slot};
            if (!found.row() || found.is_null(0)) break;
            slot = found.integer(0);
            if (named(slot)) continue;
            Run last{border, scope, slot, tidy_rows};
            const bool whole = !last.row();
            SQLite::Statement remove{
                database_, whole ? "DELETE FROM row WHERE scope = ?1 AND slot = ?2"
                                 : "DELETE FROM row WHERE scope = ?1 AND slot = ?2 AND key < ?3"};
            if (whole) {
                Run{remove, scope, slot}.execute();
            } else {
                Run{remove, scope, slot, last.bytes(0)}.execute();
            }
            return true;
        }
    }
    return false;
}

// --- rows of the room's own tables -------------------------------------------------------------

std::int64_t SqliteCache::free_slot(ListScope scope) {
    // Above every slot in use or not yet tidied, so that leftovers never mix into a new stage.
    SQLite::Statement last{database_, "SELECT coalesce(max(slot), 0) FROM row WHERE scope = ?1"};
    Run found{last, scope};
    std::int64_t slot = found.row() ? found.integer(0) : 0;
    slot = std::max(slot, lists_.at(scope).slot);
    const auto staged = stages_.find(scope);
    if (staged != stages_.end()) slot = std::max(slot, staged->second.slot);
    return slot + 1;
}

std::uint64_t SqliteCache::count_bucket(ListScope scope, std::int64_t slot, std::uint8_t bucket) {
    SQLite::Statement count{database_,
                            "SELECT count(*) FROM row WHERE scope = ?1 AND slot = ?2"
                            " AND key BETWEEN ?3 AND ?4"};
    std::uint64_t rows = 0;
    for (const KeyRange& range : bucket_ranges(scope, bucket)) {
        Run found{count, scope, slot, range.first, range.last};
        if (found.row()) rows += found.counter(0);
    }
    return rows;
}

void SqliteCache::delete_bucket(ListScope scope, std::int64_t slot, std::uint8_t bucket) {
    SQLite::Statement remove{database_,
                             "DELETE FROM row WHERE scope = ?1 AND slot = ?2"
                             " AND key BETWEEN ?3 AND ?4"};
    for (const KeyRange& range : bucket_ranges(scope, bucket)) {
        Run{remove, scope, slot, range.first, range.last}.execute();
    }
}

void SqliteCache::delete_stage(ListScope scope) {
    SQLite::Statement remove{database_, "DELETE FROM stage WHERE scope = ?1"};
    Run{remove, scope}.execute();
}

void SqliteCache::put_stage(ListScope scope, const Staged& staged) {
    const Stage& stage = staged.stage;
    Run{statements_.put_stage,
        scope,
        staged.slot,
        stage.what,
        to_be8(stage.generation.value),
        stage.from_version,
        stage.to_version,
        stage.bucket,
        stage.after,
        staged.rows,
        joined(staged.digest)}
        .execute();
}

void SqliteCache::put_list(ListScope scope, const List& list) {
    SQLite::Statement put{database_,
                          "INSERT OR REPLACE INTO list (scope, slot, generation, version, root,"
                          " fresh_until_ms, row_count, sums)"
                          " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"};
    Run{put,
        scope,
        list.slot,
        to_be8(list.meta.state.generation.value),
        list.meta.state.version,
        list.meta.state.root,
        to_ms(list.meta.fresh_until),
        list.meta.rows,
        joined(list.digest)}
        .execute();
}

}  // namespace pf::firmware::cache
