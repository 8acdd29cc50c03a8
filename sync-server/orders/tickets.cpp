#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "common/ticket/token.hpp"
#include "common/wire/lists.hpp"
#include "sync-server/catalog/catalog.hpp"
#include "sync-server/checkins/checkins.hpp"
#include "sync-server/lists/lists.hpp"
#include "sync-server/orders/repository.hpp"

namespace pf::server::orders {
namespace {

using admission::CarrierKind;

constexpr std::size_t masked_tail_chars = 4;

Digest lookup_of(const fleet::Keys& keys, CarrierKind kind, std::string_view normalised) {
    Bytes message{static_cast<Byte>(kind)};
    message.insert(message.end(), normalised.begin(), normalised.end());
    return crypto::hmac_sha256(keys.master, message);
}

std::string masked(CarrierKind kind, std::string_view text) {
    static constexpr std::string_view names[] = {"", "signed", "code", "document", "card"};
    const auto tail =
        text.size() > 2 * masked_tail_chars ? text.substr(text.size() - masked_tail_chars) : "";
    return fmt::format("{} ****{}", names[static_cast<std::size_t>(kind)], tail);
}

std::string carrier_context(TicketId ticket) { return "carrier/" + to_text(ticket); }

/// Fresh nonces for sealing, bound to the call like everything random in a transaction.
class SealEntropy final : public Entropy {
public:
    SealEntropy(const Call& call, std::string label) : call_{call}, label_{std::move(label)} {}
    void fill(std::span<Byte> out) override {
        const Bytes bytes = derive(call_, fmt::format("{}/{}", label_, used_++), out.size());
        std::ranges::copy(bytes, out.begin());
    }

private:
    const Call& call_;
    std::string label_;
    int used_ = 0;
};

std::set<SiteId> sites_of(const ticket::Claims& claims) {
    std::set<SiteId> sites;
    for (const auto& entitlement : claims.entitlements) sites.insert(entitlement.site);
    return sites;
}

ticket::Claims at_site(const ticket::Claims& claims, SiteId site) {
    ticket::Claims out = claims;
    out.holder.reset();
    std::erase_if(out.entitlements, [&](const ticket::Entitlement& e) { return e.site != site; });
    return out;
}

Day last_day_at(const ticket::Claims& claims, SiteId site) {
    Day last{INT32_MIN};
    for (const auto& e : claims.entitlements)
        if (e.site == site) last = std::max(last, e.last_day);
    return last;
}

/// Puts every carrier of a ticket on the lists of its sites, with the claims of its present
/// generation.
void list_carriers(Repositories& r, const Call& call, const fleet::Keys& keys,
                   const ticket::Claims& claims) {
    for (const CarrierRow& row : r.orders.carriers_of(claims.id)) {
        const auto plain =
            crypto::unseal(keys.master, row.sealed, as_bytes(carrier_context(claims.id)));
        if (!plain)
            throw std::runtime_error{
                "a carrier can't be opened: wrong master key, or a damaged row"};
        for (const SiteId site : sites_of(claims)) {
            // Both keys during rotation: devices that have only one of them must find the ticket
            // too.
            for (const wire::SiteKey& key : fleet::site_secrets(r, keys, site).carrier_keys) {
                const wire::Carried carried{row.kind,
                                            wire::carrier_hash(key.key, row.kind, as_text(*plain)),
                                            at_site(claims, site)};
                lists::put(r, call, site, wire::ListScope::tickets, wire::row_of(carried));
            }
        }
    }
}

void list_revoked(Repositories& r, const Call& call, const ticket::Claims& claims,
                  std::uint32_t below) {
    for (const SiteId site : sites_of(claims)) {
        lists::put(r, call, site, wire::ListScope::revoked,
                   wire::row_of(wire::Revoked{claims.id, below, last_day_at(claims, site)}));
    }
    checkins::know_revoked(r, call, claims.id, below);
}

std::optional<Refusal> check(Repositories& r, const TicketDraft& draft) {
    if (draft.carriers.size() > carriers_max) return Refusal::carrier_bad;
    for (const CarrierDraft& carrier : draft.carriers) {
        const bool kind_ok = carrier.kind != CarrierKind::signed_qr;
        if (!kind_ok || carrier.text.size() > carrier_chars_max ||
            wire::normalise(carrier.kind, carrier.text).empty())
            return Refusal::carrier_bad;
        // Such a code would be read as one of ours and refused at every gate.
        if (carrier.text.starts_with(ticket::prefix)) return Refusal::carrier_bad;
    }
    if (!draft.signed_qr && draft.carriers.empty()) return Refusal::carrier_bad;
    for (const ticket::Entitlement& entitlement : draft.entitlements) {
        if (!fleet::site(r, entitlement.site)) return Refusal::site_unknown;
        const auto table = catalog::table(r, entitlement.site);
        if (table.find(entitlement.product) == nullptr) return Refusal::product_unknown;
        if (entitlement.window.value != 0 && table.find(entitlement.window) == nullptr)
            return Refusal::claims_bad;
    }
    return std::nullopt;
}

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

TicketId new_ticket_id(Repositories& r, const Call& call, std::string_view label) {
    for (int attempt = 0;; ++attempt) {
        const TicketId id{derive_u64(call, fmt::format("ticket/{}/{}", label, attempt))};
        if (!r.orders.ticket(id)) return id;
    }
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
    }
    std::abort();
}

Result<Issued, Refusal> issue(Repositories& r, const Call& call, const fleet::Keys& keys,
                              const TicketDraft& draft, std::string_view label) {
    if (const auto refusal = check(r, draft)) return *refusal;
    TicketRow row{.claims = {},
                  .state = TicketState::issued,
                  .signed_qr = draft.signed_qr,
                  .reference = draft.reference,
                  .revoked_why = {},
                  .issued_at = call.now};
    row.claims.id = new_ticket_id(r, call, label);
    row.claims.person_type = draft.person_type;
    row.claims.persons = draft.persons;
    row.claims.entitlements = draft.entitlements;
    if (ticket::check(row.claims)) return Refusal::claims_bad;
    if (draft.holder_document) {
        const auto secrets = fleet::site_secrets(r, keys, draft.entitlements.front().site);
        const wire::SiteKey& key = secrets.holder_keys.front();
        row.claims.holder = ticket::Holder{
            key.id, wire::holder_hash(
                        key.key, wire::normalise(CarrierKind::document, *draft.holder_document))};
    }
    r.orders.put_ticket(row);
    for (const CarrierDraft& carrier : draft.carriers) {
        const std::string normalised = wire::normalise(carrier.kind, carrier.text);
        const Digest lookup = lookup_of(keys, carrier.kind, normalised);
        const auto others = r.orders.carriers_by(lookup);
        if (carrier.kind == CarrierKind::code && !others.empty()) return Refusal::carrier_taken;
        SealEntropy entropy{call,
                            fmt::format("seal/{}/{}", to_text(row.claims.id), to_hex(lookup))};
        r.orders.add_carrier({lookup, row.claims.id, carrier.kind,
                              crypto::seal(keys.master, as_bytes(normalised),
                                           as_bytes(carrier_context(row.claims.id)), entropy),
                              masked(carrier.kind, normalised)});
    }
    checkins::know_ticket(r, call, row.claims);
    list_carriers(r, call, keys, row.claims);
    return issued(r, call, keys, row);
}

Result<Issued, Refusal> reissue(Repositories& r, const Call& call, const fleet::Keys& keys,
                                TicketId id) {
    auto row = r.orders.ticket(id);
    if (!row) return Refusal::ticket_unknown;
    if (row->state == TicketState::revoked) return Refusal::ticket_revoked;
    ++row->claims.generation;
    r.orders.put_ticket(*row);
    checkins::know_ticket(r, call, row->claims);
    list_revoked(r, call, row->claims, row->claims.generation);
    list_carriers(r, call, keys, row->claims);
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
    list_revoked(r, call, row->claims, admission::generation_all);
    return issued(r, call, keys, *row);
}

std::optional<Ticket> show(Repositories& r, TicketId id) {
    const auto row = r.orders.ticket(id);
    if (!row) return std::nullopt;
    return shown(r, *row);
}

std::vector<Ticket> newest(Repositories& r, WallTime before, std::size_t limit) {
    std::vector<Ticket> out;
    for (const TicketRow& row : r.orders.newest(before, limit)) out.push_back(shown(r, row));
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
    if (const auto row = r.orders.ticket(id)) list_carriers(r, call, keys, row->claims);
}

}  // namespace pf::server::orders
