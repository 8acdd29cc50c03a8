// What time does to lists, in slices.
#include <fmt/format.h>

#include "sync-server/lists/lists.hpp"
#include "sync-server/orders/issuing.hpp"
#include "sync-server/store/store.hpp"

namespace pf::server::orders {
namespace {

/// How far the rebuilding of a site has come: the ticket done last, or empty when there is none.
std::string rebuild_name(SiteId site) { return fmt::format("carrier-rebuild/{}", site.value); }

/// A ticket as far as lists care: nothing when it has no business on one.
std::optional<ticket::Claims> standing(Repositories& r, TicketId id) {
    const auto row = r.orders.ticket(id);
    if (!row || row->state != TicketState::issued) return std::nullopt;
    return row->claims;
}

bool list_waiting(Repositories& r, const Call& call, const fleet::Keys& keys, SiteId site,
                  const Listed& days, Effects& effects) {
    // One more than a slice says whether another follows.
    auto rows = r.orders.waiting(site, days.until, tick_tickets_max + 1);
    if (rows.empty()) return false;
    const bool more = rows.size() > tick_tickets_max;
    if (more) rows.pop_back();
    Issuing issuing{r, call, keys};
    for (const Waiting& row : rows) {
        r.orders.drop_waiting(site, row);
        // Reissued meanwhile: the present generation goes on the list.
        if (const auto claims = standing(r, row.ticket)) issuing.list_carriers(*claims, site);
    }
    issuing.write();
    if (!more) effects.moved.insert(site);
    return more;
}

bool rebuild(Repositories& r, const Call& call, const fleet::Keys& keys, SiteId site,
             Effects& effects) {
    const std::string name = rebuild_name(site);
    const auto kept = r.meta.value(name);
    if (!kept || kept->empty()) return false;
    const auto after = array_from_hex<8>(*kept);
    if (!after) throw std::runtime_error{"the state of a rebuilding can't be read"};
    const auto tickets = r.orders.carried_after(TicketId{from_be8(*after)}, tick_tickets_max);
    const auto retired = fleet::retired_carrier_key(r, keys, site);
    Issuing issuing{r, call, keys};
    for (const TicketId id : tickets) {
        const auto row = r.orders.ticket(id);
        if (!row || !sites_of(row->claims).contains(site)) continue;
        // A revoked ticket keeps its rows until its end, but under no key that nobody looks under.
        if (retired) issuing.drop_carriers(row->claims, site, *retired);
        if (row->state == TicketState::issued) issuing.list_carriers(row->claims, site);
    }
    issuing.write();
    const bool more = tickets.size() == tick_tickets_max;
    r.meta.put(name, more ? to_text(tickets.back()) : std::string{});
    if (!more) effects.moved.insert(site);
    return more;
}

}  // namespace

bool rebuilding(Repositories& r, SiteId site) {
    const auto kept = r.meta.value(rebuild_name(site));
    return kept && !kept->empty();
}

Result<Effects, Refusal> rotate_carrier_key(Repositories& r, const Call& call,
                                            const fleet::Keys& keys, SiteId site) {
    if (!fleet::site(r, site)) return Refusal::site_unknown;
    if (rebuilding(r, site)) return Refusal::rotation_under_way;
    fleet::rotate_carrier_key(r, call, keys, site);
    r.meta.put(rebuild_name(site), to_text(TicketId{}));
    return Effects{.messages = {}, .moved = {site}};
}

Tick tick(Repositories& r, const Call& call, const fleet::Keys& keys) {
    Tick out;
    for (const fleet::Site& site : fleet::sites(r)) {
        const Listed days = listed_days(r, call, site.details.calendar);
        const auto ended = lists::drop_ended(r, call, site.id, days.from);
        if (ended.done) out.effects.moved.insert(site.id);
        out.more = ended.more || list_waiting(r, call, keys, site.id, days, out.effects) ||
                   rebuild(r, call, keys, site.id, out.effects);
        if (out.more) return out;
    }
    return out;
}

}  // namespace pf::server::orders
