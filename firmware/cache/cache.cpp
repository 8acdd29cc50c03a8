#include "firmware/cache/cache.hpp"

#include <SQLiteCpp/Transaction.h>

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

bool sound(SQLite::Database& database) {
    return database.execAndGet("PRAGMA quick_check(1)").getString() == "ok";
}

Result<std::unique_ptr<Cache>> open_once(const sqlite::Place& place,
                                         const std::optional<Cache::Sealing>& sealing,
                                         bool rebuilt) {
    auto writer = sqlite::open_writer(place, file_identity);
    if (!writer) return cache_fault(writer.error());
    try {
        SQLite::Database& database = *writer->database;
        if (writer->fresh) {
            SQLite::Transaction transaction{database, SQLite::TransactionBehavior::IMMEDIATE};
            create_schema(database);
            transaction.commit();
        } else if (!sound(database)) {
            return Fault::damaged;
        }
        auto cache = std::make_unique<SqliteCache>(std::move(*writer), sealing, rebuilt);
        cache->load();
        return std::unique_ptr<Cache>{std::move(cache)};
    } catch (const SQLite::Exception& exception) {
        return cache_fault(sqlite::fault_of(exception));
    }
}

}  // namespace

Result<std::unique_ptr<Cache>> Cache::open(const Options& options) {
    const sqlite::Place place{options.path, options.vfs};
    auto opened = open_once(place, options.sealing, false);
    if (opened || opened.error() != Fault::damaged) return opened;
    const auto moved = sqlite::set_aside(place);
    if (!moved) return cache_fault(moved.error());
    return open_once(place, options.sealing, true);
}

}  // namespace pf::firmware::cache
