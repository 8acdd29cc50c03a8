#pragma once
// The schema of cache.v2.db. Another schema is another file name, never a migration.
#include <SQLiteCpp/Database.h>

#include <string_view>

#include "firmware/sqlite/database.hpp"

namespace pf::firmware::cache {

/// "PFC1".
inline constexpr sqlite::Identity file_identity{0x50464331, 2};

/// Those that do not grow with the number of tickets and uses.
inline constexpr std::string_view small_tables[] = {"list",    "stage",  "document", "confirmed",
                                                    "command", "number", "position"};

void create_schema(SQLite::Database& database);

}  // namespace pf::firmware::cache
