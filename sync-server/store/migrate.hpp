#pragma once
#include "sync-server/store/sql.hpp"
#include "sync-server/store/store.hpp"

namespace pf::server::store {

/// Brings the database to this release's schema, each step in a transaction of its own. Nothing on
/// success. Servers that start together on one PostgreSQL wait for each other; a SQLite file has
/// one server.
std::optional<Fault> migrate(soci::session& session, WallTime now, Dialect dialect);

}  // namespace pf::server::store
