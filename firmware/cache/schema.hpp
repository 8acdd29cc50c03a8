#pragma once
// The schema of cache.v2.db. Another schema is another file name, never a migration.
#include <SQLiteCpp/Database.h>

#include <string_view>

#include "firmware/sqlite/database.hpp"

namespace pf::firmware::cache {

/// "PFC1".
inline constexpr sqlite::Identity file_identity{0x50464331, 2};

/// All but `row`, which holds a million tickets. `use` too: it holds some days, and a page of it
/// that lost rows would admit a used ticket.
inline constexpr std::string_view checked_tables[] = {"list",    "stage",  "document", "confirmed",
                                                      "command", "number", "position", "use"};

void create_schema(SQLite::Database& database);

}  // namespace pf::firmware::cache
