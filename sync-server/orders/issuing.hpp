#pragma once
// Tickets issued in one transaction, one or a season of them. Inside the room.
#include <map>
#include <set>

#include "common/wire/documents.hpp"
#include "sync-server/lists/changes.hpp"
#include "sync-server/orders/repository.hpp"

namespace pf::server::orders {

/// The days at a site whose tickets are on its lists.
struct Listed {
    Day from;   // who ended before is taken off
    Day until;  // who begins later waits
};
Listed listed_days(Repositories& r, const Call& call, const Calendar& calendar);

/// What every ticket would read again (products, site keys, the heads and sums of lists) is read
/// once and stands here. Lists move with write(); see lists::Changes.
class Issuing {
public:
    Issuing(Repositories& r, const Call& call, const fleet::Keys& keys)
        : r_{r}, call_{call}, keys_{keys}, lists_{r, call} {}

    /// As orders::issue(). On a refusal the transaction must be undone.
    Result<TicketRow, Refusal> issue(const TicketDraft& draft, std::string_view label);
    /// Puts every carrier a ticket has on the lists of its sites, with the claims given; where its
    /// day is far away, notes that it waits.
    void list_carriers(const ticket::Claims& claims);
    /// The same at one site alone.
    void list_carriers(const ticket::Claims& claims, SiteId site);
    /// Takes them off the site's list under a key that is no longer looked under.
    void drop_carriers(const ticket::Claims& claims, SiteId site, const wire::SiteKey& retired);
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
    void list_carrier(const ticket::Claims& claims, SiteId site, admission::CarrierKind kind,
                      std::string_view normalised);
    enum class Stage : std::uint8_t { waits, listed, ended };
    Stage stage(const ticket::Claims& claims, SiteId site);
    const Listed& days(SiteId site);
    template <class Each>
    void each_carrier(TicketId ticket, Each&& each);

    Repositories& r_;
    const Call& call_;
    const fleet::Keys& keys_;
    lists::Changes lists_;
    std::map<SiteId, std::optional<admission::ProductTable>> products_;
    std::map<SiteId, wire::Secrets> secrets_;
    std::map<SiteId, Listed> days_;
};

std::set<SiteId> sites_of(const ticket::Claims& claims);

/// The keyed lookup of a carrier's normalised text.
Digest lookup_of(const fleet::Keys& keys, admission::CarrierKind kind, std::string_view normalised);

}  // namespace pf::server::orders
