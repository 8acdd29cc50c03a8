#pragma once
// Tickets issued in one transaction, one or a season of them. Inside the room.
#include <map>

#include "common/wire/documents.hpp"
#include "sync-server/lists/changes.hpp"
#include "sync-server/orders/repository.hpp"

namespace pf::server::orders {

/// What every ticket would read again (products, site keys, the heads and sums of lists) is read
/// once and stands here. Lists move with write(); see lists::Changes.
class Issuing {
public:
    Issuing(Repositories& r, const Call& call, const fleet::Keys& keys)
        : r_{r}, call_{call}, keys_{keys}, lists_{r, call} {}

    /// As orders::issue(). On a refusal the transaction must be undone.
    Result<TicketRow, Refusal> issue(const TicketDraft& draft, std::string_view label);
    /// Puts every carrier a ticket has on the lists of its sites, with the claims given.
    void list_carriers(const ticket::Claims& claims);
    void list_revoked(const ticket::Claims& claims, std::uint32_t below);
    void write() { lists_.write(); }

private:
    /// Null: there is no such site.
    const admission::ProductTable* products(SiteId site);
    const wire::Secrets& secrets(SiteId site);
    std::optional<Refusal> check(const TicketDraft& draft);
    std::optional<Refusal> add_carrier(const ticket::Claims& claims, const CarrierDraft& carrier);
    void list_carrier(const ticket::Claims& claims, admission::CarrierKind kind,
                      std::string_view normalised);

    Repositories& r_;
    const Call& call_;
    const fleet::Keys& keys_;
    lists::Changes lists_;
    std::map<SiteId, std::optional<admission::ProductTable>> products_;
    std::map<SiteId, wire::Secrets> secrets_;
};

/// The keyed lookup of a carrier's normalised text.
Digest lookup_of(const fleet::Keys& keys, admission::CarrierKind kind, std::string_view normalised);

}  // namespace pf::server::orders
