#include "firmware/sqlite/database.hpp"

#include <SQLiteCpp/Statement.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <system_error>

namespace pf::firmware::sqlite {

namespace {

std::int64_t number(SQLite::Database& database, const char* sql) {
    return database.execAndGet(sql).getInt64();
}

/// A VFS without memory mapping gives no row.
bool maps_memory(SQLite::Database& database) {
    SQLite::Statement pragma{database, "PRAGMA mmap_size"};
    return pragma.executeStep() && pragma.getColumn(0).getInt64() != 0;
}

/// What the file is, looked at before anything is written to it.
enum class Kind { fresh, ours, foreign };

Kind kind_of(SQLite::Database& database, const Identity& identity) {
    const std::int64_t application = number(database, "PRAGMA application_id");
    const std::int64_t schema = number(database, "PRAGMA user_version");
    if (application == identity.application && schema == identity.schema) return Kind::ours;
    const bool nothing_in_it = number(database, "SELECT count(*) FROM sqlite_schema") == 0;
    return application == 0 && schema == 0 && nothing_in_it ? Kind::fresh : Kind::foreign;
}

/// Durability is not hoped for: what the connection says it does is compared with what we asked.
bool made_durable(SQLite::Database& database) {
    database.exec(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"
        "PRAGMA mmap_size = 0; PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF; PRAGMA "
        "cell_size_check = ON");
    constexpr std::int64_t full = 2;
    return database.execAndGet("PRAGMA journal_mode").getString() == "wal" &&
           number(database, "PRAGMA synchronous") == full &&
           number(database, "PRAGMA foreign_keys") == 1 && !maps_memory(database);
}

/// A path as a URI, for the one parameter that can't be given otherwise.
std::string immutable_uri(const std::string& path) {
    std::string uri = "file:";
    for (const char c : path) {
        if (c == '%' || c == '?' || c == '#') {
            char escaped[4];
            std::snprintf(escaped, sizeof escaped, "%%%02X", static_cast<unsigned char>(c));
            uri += escaped;
        } else {
            uri += c;
        }
    }
    return uri + "?immutable=1";
}

bool has_wal(const std::string& path) {
    std::error_code failed;
    const auto size = std::filesystem::file_size(path + "-wal", failed);
    return !failed && size > 0;
}

std::unique_ptr<SQLite::Database> connect_reader(const Place& place) {
    auto database = std::make_unique<SQLite::Database>(place.path, SQLite::OPEN_READONLY,
                                                       busy_wait_ms, place.vfs);
    // The last connection to leave would otherwise write the WAL back (WAL-reset fault).
    sqlite3_db_config(database->getHandle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    return database;
}

Result<std::unique_ptr<SQLite::Database>> checked(std::unique_ptr<SQLite::Database> database,
                                                  const Identity& identity) {
    if (kind_of(*database, identity) != Kind::ours) return Fault::not_ours;
    return database;
}

/// Nobody else on the board reads a device's files (invariant 7). SQLite gives the WAL and the
/// shared memory the mode of the database. Never opens a file that is there: closing it would drop
/// the locks of this process.
void make_owners(const std::string& path) {
    constexpr mode_t owner_only = 0600;
    const int made = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, owner_only);
    if (made >= 0) ::close(made);
    for (const char* suffix : {"", "-wal", "-shm"})
        (void)::chmod((path + suffix).c_str(), owner_only);
}

}  // namespace

Result<Writer> open_writer(const Place& place, const Identity& identity) {
    Writer writer;
    if (place.vfs.empty()) {
        auto lock = WriteLock::take(place.path);
        if (!lock) return lock.error();
        writer.lock = std::move(*lock);
        make_owners(place.path);
    }
    try {
        writer.database = std::make_unique<SQLite::Database>(
            place.path, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE, busy_wait_ms, place.vfs);
        switch (kind_of(*writer.database, identity)) {
            case Kind::ours:
                break;
            case Kind::fresh:
                writer.fresh = true;
                break;
            case Kind::foreign:
                return Fault::not_ours;
        }
        if (!made_durable(*writer.database)) return Fault::io_error;
    } catch (const SQLite::Exception& exception) {
        return fault_of(exception);
    }
    return writer;
}

void write_identity(SQLite::Database& database, const Identity& identity) {
    database.exec("PRAGMA application_id = " + std::to_string(identity.application));
    database.exec("PRAGMA user_version = " + std::to_string(identity.schema));
}

Result<std::unique_ptr<SQLite::Database>> open_reader(const Place& place,
                                                      const Identity& identity) {
    try {
        return checked(connect_reader(place), identity);
    } catch (const SQLite::Exception& exception) {
        // Read-only media: no place for the shared-memory file. Without a WAL none is needed.
        const Fault fault = fault_of(exception);
        if (fault != Fault::io_error || !place.vfs.empty() || has_wal(place.path)) return fault;
    }
    try {
        return checked(std::make_unique<SQLite::Database>(immutable_uri(place.path),
                                                          SQLite::OPEN_READONLY | SQLite::OPEN_URI),
                       identity);
    } catch (const SQLite::Exception& exception) {
        return fault_of(exception);
    }
}

}  // namespace pf::firmware::sqlite
