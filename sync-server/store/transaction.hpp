#pragma once
// What a transaction is on the server: a synchronous, restartable function of the repositories and
// its arguments. No I/O, clock, entropy or suspension inside; whatever it needs of those is in its
// Call.
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/base/ids.hpp"
#include "common/base/time.hpp"

namespace pf::server {

namespace store {
class Meta;
}
namespace fleet {
class Repository;
}
namespace lists {
class Repository;
}
namespace ingest {
class Repository;
}
namespace checkins {
class Repository;
}
namespace findings {
class Repository;
}
namespace catalog {
class Repository;
}
namespace orders {
class Repository;
}
namespace access {
class Repository;
}
namespace leases {
class Repository;
}

/// Every repository of one open transaction. Valid only inside it. Tenant is bound at opening.
struct Repositories {
    store::Meta& meta;
    fleet::Repository& fleet;
    lists::Repository& lists;
    ingest::Repository& ingest;
    checkins::Repository& checkins;
    findings::Repository& findings;
    catalog::Repository& catalog;
    orders::Repository& orders;
    access::Repository& access;
    leases::Repository& leases;
};

/// The circumstances of one call. A restart of the transaction gets the same ones.
struct Call {
    WallTime now;
    std::array<Byte, 32> seed{};  // fresh for every call; see derive()
    std::string actor;            // staff number, API key, device id, or "system"
};
/// `count` unpredictable bytes that depend on the call's seed and `label` only. Different labels
/// are independent; the same label gives the same bytes, so a restarted transaction makes the same
/// ids.
Bytes derive(const Call& call, std::string_view label, std::size_t count);
std::uint64_t derive_u64(const Call& call, std::string_view label);

/// A message to publish after COMMIT. Losing it is allowed: devices ask again.
struct Outgoing {
    std::string topic;
    Bytes payload;
    friend bool operator==(const Outgoing&, const Outgoing&) = default;
};

/// What a transaction wants done once it is committed.
struct Effects {
    std::vector<Outgoing> messages;
    /// Sites whose lists, documents or uses moved: their devices get News (sync-server/exchange
    /// composes it after COMMIT, once for many transactions).
    std::set<SiteId> moved;

    void add(Effects other) {
        messages.insert(messages.end(), std::make_move_iterator(other.messages.begin()),
                        std::make_move_iterator(other.messages.end()));
        moved.merge(other.moved);
    }
};

}  // namespace pf::server
