#pragma once
// Opening a file of this device. Throws SQLite::Exception nowhere: faults are values here.
#include <SQLiteCpp/Database.h>

#include <cstdint>
#include <memory>
#include <string>

#include "firmware/sqlite/fault.hpp"
#include "firmware/sqlite/write_lock.hpp"

namespace pf::firmware::sqlite {

struct Place {
    std::string path;
    std::string vfs;  // empty: the system's
};

/// What the file's header says it is.
struct Identity {
    std::int32_t application = 0;
    std::int32_t schema = 0;
};

/// Readers of a live file recover its WAL for a moment; nobody else ever holds us up.
inline constexpr int busy_wait_ms = 2'000;

struct Writer {
    WriteLock lock;  // outlives the connection
    std::unique_ptr<SQLite::Database> database;
    bool fresh = false;  // no table yet and no identity: the caller makes both in one transaction
};

/// The one writing connection: WAL, synchronous FULL, foreign keys, no mmap, all read back.
/// Fault::not_ours for another identity, damaged when it is not a database.
Result<Writer> open_writer(const Place& place, const Identity& identity);

/// Part of the transaction that makes a fresh file.
void write_identity(SQLite::Database& database, const Identity& identity);

/// A connection that can't write and won't checkpoint, beside a live writer or after its death.
Result<std::unique_ptr<SQLite::Database>> open_reader(const Place& place, const Identity& identity);

}  // namespace pf::firmware::sqlite
