#pragma once
// The opened data directory: keys and database, before anything listens. The offline subcommands
// need no more than this.
#include <memory>
#include <string>
#include <variant>

#include "sync-server/access/access.hpp"
#include "sync-server/app/config.hpp"
#include "sync-server/app/data_dir.hpp"
#include "sync-server/app/log.hpp"
#include "sync-server/app/program.hpp"
#include "sync-server/store/store.hpp"

namespace pf::server::app {

struct Vault {
    std::unique_ptr<DirLock> lock;
    fleet::Keys keys;
    std::unique_ptr<store::Store> store;
};
/// Of the configured database, or of the file in the data directory.
store::Store::Options store_options(const DataDir& directory, const Config::Database& database,
                                    WallTime now, Log& log);
/// Makes what is missing at the first start. One process at a time in one directory; several on one
/// database need the same keys.
std::variant<Vault, StartFailure> open_vault(const DataDir& directory,
                                             const Config::Database& database, Entropy& entropy,
                                             WallTime now, Log& log);

/// A key, made in a transaction of its own; "admin" at the first start, others by hand.
std::variant<access::NewKey, std::string> make_key(store::Store& store, Entropy& entropy,
                                                   WallTime now, const std::string& name,
                                                   access::Permissions permissions);
/// Nothing: there are keys already. Else the new admin key, kept in `admin.key` as well.
std::variant<std::optional<std::string>, std::string> first_key(const DataDir& directory,
                                                                store::Store& store,
                                                                Entropy& entropy, WallTime now);
/// To a person at a terminal only: what is not one is a log, which is kept and read by others. They
/// hear where the key is.
void tell_first_key(const DataDir& directory, const std::string& text);

}  // namespace pf::server::app
