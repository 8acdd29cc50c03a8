#pragma once
// The schema of events.db. Frozen: an older firmware must be able to go on with the file of a newer
// one, so new knowledge goes into new event kinds, never into new columns. An index may be missing:
// it only makes the answer faster.
#include <SQLiteCpp/Database.h>

#include "firmware/sqlite/database.hpp"

namespace pf::firmware::journal {

/// "PFJ1".
inline constexpr sqlite::Identity file_identity{0x50464a31, 1};

void create_schema(SQLite::Database& database);

}  // namespace pf::firmware::journal
