#pragma once
// The schema of cache.v2.db. Another schema is another file name, never a migration.
#include <SQLiteCpp/Database.h>

#include "firmware/sqlite/database.hpp"

namespace pf::firmware::cache {

/// "PFC1".
inline constexpr sqlite::Identity file_identity{0x50464331, 2};

void create_schema(SQLite::Database& database);

}  // namespace pf::firmware::cache
