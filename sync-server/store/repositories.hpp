#pragma once
// Inside the room: how each domain's repository is made. One file soci_<domain>.cpp each.
#include <memory>

#include "sync-server/access/repository.hpp"
#include "sync-server/catalog/repository.hpp"
#include "sync-server/checkins/repository.hpp"
#include "sync-server/findings/repository.hpp"
#include "sync-server/fleet/repository.hpp"
#include "sync-server/ingest/repository.hpp"
#include "sync-server/leases/repository.hpp"
#include "sync-server/lists/repository.hpp"
#include "sync-server/orders/repository.hpp"
#include "sync-server/store/sql.hpp"
#include "sync-server/store/store.hpp"

namespace pf::server::store {

/// The platform of a single-platform database.
inline constexpr std::int64_t tenant_default = 1;

std::unique_ptr<Meta> make_meta(Sql& sql, std::int64_t tenant);
std::unique_ptr<fleet::Repository> make_fleet(Sql& sql, std::int64_t tenant);
std::unique_ptr<lists::Repository> make_lists(Sql& sql, std::int64_t tenant);
std::unique_ptr<ingest::Repository> make_ingest(Sql& sql, std::int64_t tenant);
std::unique_ptr<checkins::Repository> make_checkins(Sql& sql, std::int64_t tenant);
std::unique_ptr<findings::Repository> make_findings(Sql& sql, std::int64_t tenant);
std::unique_ptr<catalog::Repository> make_catalog(Sql& sql, std::int64_t tenant);
std::unique_ptr<orders::Repository> make_orders(Sql& sql, std::int64_t tenant);
std::unique_ptr<access::Repository> make_access(Sql& sql, std::int64_t tenant);
std::unique_ptr<leases::Repository> make_leases(Sql& sql, std::int64_t tenant);

/// Every repository over one session.
class Bundle {
public:
    Bundle(soci::session& session, std::int64_t tenant, Sql::Manner manner);
    Repositories& repositories() noexcept { return repositories_; }
    Sql& sql() noexcept { return sql_; }

private:
    Sql sql_;
    std::unique_ptr<Meta> meta_;
    std::unique_ptr<fleet::Repository> fleet_;
    std::unique_ptr<lists::Repository> lists_;
    std::unique_ptr<ingest::Repository> ingest_;
    std::unique_ptr<checkins::Repository> checkins_;
    std::unique_ptr<findings::Repository> findings_;
    std::unique_ptr<catalog::Repository> catalog_;
    std::unique_ptr<orders::Repository> orders_;
    std::unique_ptr<access::Repository> access_;
    std::unique_ptr<leases::Repository> leases_;
    Repositories repositories_;
};

}  // namespace pf::server::store
