#include "sync-server/store/repositories.hpp"

namespace pf::server::store {

Bundle::Bundle(soci::session& session, std::int64_t tenant, Sql::Manner manner)
    : sql_{session, manner},
      meta_{make_meta(sql_, tenant)},
      fleet_{make_fleet(sql_, tenant)},
      lists_{make_lists(sql_, tenant)},
      ingest_{make_ingest(sql_, tenant)},
      checkins_{make_checkins(sql_, tenant)},
      findings_{make_findings(sql_, tenant)},
      catalog_{make_catalog(sql_, tenant)},
      orders_{make_orders(sql_, tenant)},
      access_{make_access(sql_, tenant)},
      leases_{make_leases(sql_, tenant)},
      repositories_{*meta_,     *fleet_,   *lists_,  *ingest_, *checkins_,
                    *findings_, *catalog_, *orders_, *access_, *leases_} {}

}  // namespace pf::server::store
