#include "firmware/cache/sqlite_cache.hpp"

#include <algorithm>
#include <cassert>
#include <cstdlib>

namespace pf::firmware::cache {

using sqlite::Run;

Fault cache_fault(sqlite::Fault fault) noexcept {
    switch (fault) {
        case sqlite::Fault::disk_full:
            return Fault::disk_full;
        case sqlite::Fault::io_error:
            return Fault::io_error;
        case sqlite::Fault::damaged:
        case sqlite::Fault::not_ours:
            return Fault::damaged;
        case sqlite::Fault::locked:
            return Fault::locked;
    }
    std::abort();
}

namespace {

std::uint64_t be8(BytesView column) {
    assert(column.size() == sizeof(std::uint64_t));
    return from_be8(std::span<const Byte, 8>{column});
}

Digest digest_of(BytesView column) {
    const auto digest = array_from<std::tuple_size_v<Digest>>(column);
    assert(digest);
    return *digest;
}

wire::ListDigest sums_of(BytesView column) {
    std::array<Digest, wire::bucket_count> sums{};
    assert(column.size() == sums.size() * sums.front().size());
    for (std::size_t i = 0; i < sums.size(); ++i) {
        sums[i] = digest_of(column.subspan(i * sums[i].size(), sums[i].size()));
    }
    return wire::ListDigest::from_sums(sums);
}

}  // namespace

SqliteCache::Statements::Statements(SQLite::Database& database)
    : body_at{database, "SELECT body FROM row WHERE scope = ?1 AND slot = ?2 AND key = ?3"},
      rows_between{database,
                   "SELECT key, body FROM row WHERE scope = ?1 AND slot = ?2"
                   " AND key BETWEEN ?3 AND ?4 ORDER BY key"},
      insert_row{database, "INSERT INTO row (scope, slot, key, body) VALUES (?1, ?2, ?3, ?4)"},
      put_stage{database,
                "INSERT OR REPLACE INTO stage (scope, slot, what, generation, from_version,"
                " to_version, bucket, after, row_count, sums)"
                " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"},
      uses{database,
           "SELECT device, epoch, seq, product, day, last_day, persons, return_pending, at_ms,"
           " unseen, automatic_return FROM use WHERE ticket = ?1 ORDER BY at_ms, device, epoch, "
           "seq"},
      put_use{database,
              "INSERT OR REPLACE INTO use (device, epoch, seq, ticket, product, day, last_day,"
              " persons, return_pending, at_ms, unseen, automatic_return)"
              " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)"},
      command_seen{database, "SELECT 1 FROM command WHERE id = ?1"},
      number{database, "SELECT value FROM number WHERE name = ?1"} {}

SqliteCache::SqliteCache(sqlite::Writer writer, std::optional<Sealing> sealing, bool rebuilt)
    : writer_{std::move(writer)},
      database_{*writer_.database},
      statements_{database_},
      sealing_{std::move(sealing)},
      rebuilt_{rebuilt} {}

void SqliteCache::load() {
    load_lists();
    load_stages();
    load_positions();
    loaded_ = true;
}

void SqliteCache::load_lists() {
    std::map<wire::ListScope, List> lists;
    for (const wire::ListScope scope : wire::list_scopes) {
        lists[scope].meta.state.scope = scope;
    }
    SQLite::Statement select{database_,
                             "SELECT scope, slot, generation, version, root, fresh_until_ms,"
                             " row_count, sums FROM list"};
    Run each{select};
    while (each.row()) {
        const auto scope = static_cast<wire::ListScope>(each.integer(0));
        List& list = lists[scope];
        list.slot = each.integer(1);
        list.meta.state = {scope, Generation{be8(each.blob(2))}, each.counter(3),
                           digest_of(each.blob(4))};
        list.meta.fresh_until = wall_from_ms(each.integer(5));
        list.meta.rows = each.counter(6);
        list.digest = sums_of(each.blob(7));
    }
    lists_ = std::move(lists);
}

void SqliteCache::load_stages() {
    std::map<wire::ListScope, Staged> stages;
    SQLite::Statement select{database_,
                             "SELECT scope, slot, what, generation, from_version, to_version,"
                             " bucket, after, row_count, sums FROM stage"};
    Run each{select};
    while (each.row()) {
        Staged& staged = stages[static_cast<wire::ListScope>(each.integer(0))];
        staged.slot = each.integer(1);
        staged.stage = {static_cast<wire::Want::What>(each.integer(2)),
                        Generation{be8(each.blob(3))},
                        each.counter(4),
                        each.counter(5),
                        static_cast<std::uint8_t>(each.integer(6)),
                        each.bytes(7)};
        staged.rows = each.counter(8);
        staged.digest = sums_of(each.blob(9));
    }
    stages_ = std::move(stages);
}

void SqliteCache::load_positions() {
    SQLite::Statement select{
        database_, "SELECT uses_generation, uses_position, confirmed_generation FROM position"};
    Run position{select};
    if (position.row()) {
        uses_position_ = {Generation{be8(position.blob(0))}, position.counter(1)};
        confirmed_generation_ = Generation{be8(position.blob(2))};
    }
    std::vector<pf::journal::Cursor> confirmed;
    SQLite::Statement cursors{database_, "SELECT epoch, seq, head FROM confirmed ORDER BY ordinal"};
    Run each{cursors};
    while (each.row()) {
        confirmed.push_back({Epoch{be8(each.blob(0))}, each.counter(1), digest_of(each.blob(2))});
    }
    confirmed_ = std::move(confirmed);
}

Fault SqliteCache::failed(const SQLite::Exception& exception) {
    loaded_ = false;
    // Read again at once if that is possible, else by the next write.
    static_cast<void>(unreadable());
    return cache_fault(sqlite::fault_of(exception));
}

std::optional<Fault> SqliteCache::unreadable() {
    if (loaded_) return std::nullopt;
    try {
        load();
        return std::nullopt;
    } catch (const SQLite::Exception& exception) {
        return cache_fault(sqlite::fault_of(exception));
    }
}

}  // namespace pf::firmware::cache
