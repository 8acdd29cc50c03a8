#include "firmware/cache/cache.hpp"

#include <SQLiteCpp/Transaction.h>

#include <algorithm>
#include <cstdlib>

#include "firmware/cache/schema.hpp"
#include "firmware/cache/sqlite_cache.hpp"
#include "firmware/sqlite/set_aside.hpp"

namespace pf::firmware::cache {

std::string_view to_text(Fault fault) noexcept {
    switch (fault) {
        case Fault::disk_full:
            return "disk_full";
        case Fault::io_error:
            return "io_error";
        case Fault::damaged:
            return "damaged";
        case Fault::digest_mismatch:
            return "digest_mismatch";
        case Fault::wrong_base:
            return "wrong_base";
        case Fault::locked:
            return "locked";
    }
    std::abort();
}

namespace {

/// `what`: a table, or how many faults of the whole file are told at most.
bool passes_check(SQLite::Database& database, std::string_view what) {
    const std::string check = "PRAGMA quick_check(" + std::string{what} + ")";
    return database.execAndGet(check).getString() == "ok";
}

bool sound(SQLite::Database& database, bool check_all) {
    if (check_all) return passes_check(database, "1");
    return std::ranges::all_of(
        checked_tables, [&](std::string_view table) { return passes_check(database, table); });
}

Result<std::unique_ptr<Cache>> open_once(const Cache::Options& options, bool rebuilt) {
    auto writer = sqlite::open_writer({options.path, options.vfs}, file_identity);
    if (!writer) return cache_fault(writer.error());
    try {
        SQLite::Database& database = *writer->database;
        if (writer->fresh) {
            SQLite::Transaction transaction{database, SQLite::TransactionBehavior::IMMEDIATE};
            create_schema(database);
            transaction.commit();
        } else if (!sound(database, options.check_all)) {
            return Fault::damaged;
        }
        auto cache = std::make_unique<SqliteCache>(std::move(*writer), options.sealing, rebuilt);
        cache->load();
        // A page that lost rows answers "not there": for this list that would be an admission.
        if (!cache->holds_what_it_says(wire::ListScope::revoked)) return Fault::damaged;
        return std::unique_ptr<Cache>{std::move(cache)};
    } catch (const SQLite::Exception& exception) {
        return cache_fault(sqlite::fault_of(exception));
    }
}

}  // namespace

Result<std::unique_ptr<Cache>> Cache::open(const Options& options) {
    auto opened = open_once(options, false);
    if (opened || opened.error() != Fault::damaged) return opened;
    const auto moved = sqlite::set_aside({options.path, options.vfs});
    if (!moved) return cache_fault(moved.error());
    return open_once(options, true);
}

}  // namespace pf::firmware::cache
