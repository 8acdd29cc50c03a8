#include "common/ticket/token.hpp"
#include "common/wire/lists.hpp"
#include "sync-server/checkins/checkins.hpp"
#include "sync-server/orders/issuing.hpp"

namespace pf::server::orders {
namespace {

using admission::CarrierKind;

Ticket shown(Repositories& r, const TicketRow& row) {
    Ticket ticket{.claims = row.claims,
                  .state = row.state,
                  .reference = row.reference,
                  .revoked_why = row.revoked_why,
                  .issued_at = row.issued_at,
                  .carriers_masked = {},
                  .text = std::nullopt};
    for (const CarrierRow& carrier : r.orders.carriers_of(row.claims.id))
        ticket.carriers_masked.push_back(carrier.masked);
    return ticket;
}

Issued issued(Repositories& r, const Call& call, const fleet::Keys& keys, const TicketRow& row) {
    Issued out{.ticket = shown(r, row), .effects = {.messages = {}, .moved = sites_of(row.claims)}};
    if (row.signed_qr && row.state == TicketState::issued) {
        const fleet::TicketKey key = fleet::ticket_key(r, call, keys);
        out.ticket.text = ticket::seal(row.claims, key.key, key.id);
    }
    return out;
}

}  // namespace

std::string_view to_text(Refusal refusal) noexcept {
    switch (refusal) {
        case Refusal::ticket_unknown:
            return "ticket_unknown";
        case Refusal::ticket_revoked:
            return "ticket_revoked";
        case Refusal::claims_bad:
            return "claims_bad";
        case Refusal::site_unknown:
            return "site_unknown";
        case Refusal::product_unknown:
            return "product_unknown";
        case Refusal::carrier_bad:
            return "carrier_bad";
        case Refusal::carrier_taken:
            return "carrier_taken";
        case Refusal::rotation_under_way:
            return "rotation_under_way";
    }
    std::abort();
}

Result<Issued, Refusal> issue(Repositories& r, const Call& call, const fleet::Keys& keys,
                              const TicketDraft& draft, std::string_view label) {
    Issuing issuing{r, call, keys};
    const auto row = issuing.issue(draft, label);
    if (row.has_error()) return row.error();
    issuing.write();
    return issued(r, call, keys, *row);
}

Result<Issued, Refusal> reissue(Repositories& r, const Call& call, const fleet::Keys& keys,
                                TicketId id) {
    auto row = r.orders.ticket(id);
    if (!row) return Refusal::ticket_unknown;
    if (row->state == TicketState::revoked) return Refusal::ticket_revoked;
    ++row->claims.generation;
    r.orders.put_ticket(*row);
    checkins::know_ticket(r, call, row->claims);
    Issuing issuing{r, call, keys};
    issuing.list_revoked(row->claims, row->claims.generation);
    issuing.list_carriers(row->claims);
    issuing.write();
    return issued(r, call, keys, *row);
}

Result<Issued, Refusal> revoke(Repositories& r, const Call& call, const fleet::Keys& keys,
                               TicketId id, std::string_view why) {
    auto row = r.orders.ticket(id);
    if (!row) return Refusal::ticket_unknown;
    // Revoking twice is the same wish twice.
    if (row->state == TicketState::revoked) return issued(r, call, keys, *row);
    row->state = TicketState::revoked;
    row->revoked_why = why;
    r.orders.put_ticket(*row);
    Issuing issuing{r, call, keys};
    issuing.list_revoked(row->claims, admission::generation_all);
    issuing.write();
    return issued(r, call, keys, *row);
}

std::optional<Ticket> show(Repositories& r, TicketId id) {
    const auto row = r.orders.ticket(id);
    if (!row) return std::nullopt;
    return shown(r, *row);
}

std::vector<Ticket> newest(Repositories& r, const std::optional<Shown>& after, std::size_t limit) {
    std::vector<Ticket> out;
    for (const TicketRow& row : r.orders.newest(after, limit)) out.push_back(shown(r, row));
    return out;
}

std::optional<std::string> text_of(Repositories& r, const Call& call, const fleet::Keys& keys,
                                   TicketId id) {
    const auto row = r.orders.ticket(id);
    if (!row) return std::nullopt;
    return issued(r, call, keys, *row).ticket.text;
}

std::vector<TicketId> on_carrier(Repositories& r, const fleet::Keys& keys, CarrierKind kind,
                                 std::string_view text) {
    std::vector<TicketId> out;
    for (const CarrierRow& row :
         r.orders.carriers_by(lookup_of(keys, kind, wire::normalise(kind, text))))
        out.push_back(row.ticket);
    return out;
}

void rebuild_carriers(Repositories& r, const Call& call, const fleet::Keys& keys, TicketId id) {
    const auto row = r.orders.ticket(id);
    if (!row) return;
    Issuing issuing{r, call, keys};
    issuing.list_carriers(row->claims);
    issuing.write();
}

}  // namespace pf::server::orders
