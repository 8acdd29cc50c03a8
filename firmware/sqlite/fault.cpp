#include "firmware/sqlite/fault.hpp"

#include <sqlite3.h>

namespace pf::firmware::sqlite {

Fault fault_of(const SQLite::Exception& exception) noexcept {
    // The shared-memory file can't grow: the same full disk by another name.
    if (exception.getExtendedErrorCode() == SQLITE_IOERR_SHMSIZE) return Fault::disk_full;
    constexpr int primary = 0xff;
    switch (exception.getErrorCode() & primary) {
        case SQLITE_FULL:
            return Fault::disk_full;
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            return Fault::locked;
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
        case SQLITE_CONSTRAINT:
        case SQLITE_MISMATCH:
        case SQLITE_SCHEMA:
        case SQLITE_ERROR:  // a table or column is missing
            return Fault::damaged;
        default:  // SQLite's enum: IOERR, CANTOPEN, READONLY, PERM, NOMEM and what it may add
            return Fault::io_error;
    }
}

bool is_constraint(const SQLite::Exception& exception) noexcept {
    constexpr int primary = 0xff;
    return (exception.getErrorCode() & primary) == SQLITE_CONSTRAINT;
}

}  // namespace pf::firmware::sqlite
