#include "sync-server/orders/issuing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "common/ticket/token.hpp"
#include "common/wire/lists.hpp"
#include "sync-server/catalog/catalog.hpp"
#include "sync-server/checkins/checkins.hpp"
#include "sync-server/store/store.hpp"

namespace pf::server::orders {
namespace {

using admission::CarrierKind;

constexpr std::size_t masked_tail_chars = 4;
constexpr std::string_view horizon_name = "lists.horizon_days";

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

Day first_day_at(const ticket::Claims& claims, SiteId site) {
    Day first{INT32_MAX};
    for (const auto& e : claims.entitlements)
        if (e.site == site) first = std::min(first, e.first_day);
    return first;
}

}  // namespace

std::set<SiteId> sites_of(const ticket::Claims& claims) {
    std::set<SiteId> sites;
    for (const auto& entitlement : claims.entitlements) sites.insert(entitlement.site);
    return sites;
}

Listed listed_days(Repositories& r, const Call& call, const Calendar& calendar) {
    const auto kept = r.meta.value(horizon_name);
    int days = horizon_days_default;
    if (kept) std::from_chars(kept->data(), kept->data() + kept->size(), days);
    const Day today = calendar.day_of(call.now);
    return {today + -ended_grace_days, today + days};
}

void set_horizon(Repositories& r, int days) { r.meta.put(horizon_name, std::to_string(days)); }

Digest lookup_of(const fleet::Keys& keys, CarrierKind kind, std::string_view normalised) {
    Bytes message{static_cast<Byte>(kind)};
    message.insert(message.end(), normalised.begin(), normalised.end());
    return crypto::hmac_sha256(keys.master, message);
}

const admission::ProductTable* Issuing::products(SiteId site) {
    auto found = products_.find(site);
    if (found == products_.end()) {
        found = products_.emplace(site, std::nullopt).first;
        if (fleet::site(r_, site)) found->second = catalog::table(r_, site);
    }
    return found->second ? &*found->second : nullptr;
}

const wire::Secrets& Issuing::secrets(SiteId site) {
    auto found = secrets_.find(site);
    if (found == secrets_.end())
        found = secrets_.emplace(site, fleet::site_secrets(r_, keys_, site)).first;
    return found->second;
}

std::optional<Refusal> Issuing::check(const TicketDraft& draft) {
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
        const auto* table = products(entitlement.site);
        if (table == nullptr) return Refusal::site_unknown;
        if (table->find(entitlement.product) == nullptr) return Refusal::product_unknown;
        if (entitlement.window.value != 0 && table->find(entitlement.window) == nullptr)
            return Refusal::claims_bad;
    }
    return std::nullopt;
}

Result<TicketRow, Refusal> Issuing::issue(const TicketDraft& draft, std::string_view label) {
    if (const auto refusal = check(draft)) return *refusal;
    TicketRow row{.claims = {},
                  .state = TicketState::issued,
                  .signed_qr = draft.signed_qr,
                  .reference = draft.reference,
                  .revoked_why = {},
                  .issued_at = call_.now};
    row.claims.person_type = draft.person_type;
    row.claims.persons = draft.persons;
    row.claims.entitlements = draft.entitlements;
    if (ticket::check(row.claims)) return Refusal::claims_bad;
    if (draft.holder_document) {
        const wire::SiteKey& key = secrets(draft.entitlements.front().site).holder_keys.front();
        row.claims.holder = ticket::Holder{
            key.id, wire::holder_hash(
                        key.key, wire::normalise(CarrierKind::document, *draft.holder_document))};
    }
    int attempt = 0;
    do {
        row.claims.id = TicketId{derive_u64(call_, fmt::format("ticket/{}/{}", label, attempt++))};
    } while (!r_.orders.add_ticket(row));
    for (const CarrierDraft& carrier : draft.carriers)
        if (const auto refusal = add_carrier(row.claims, carrier)) return *refusal;
    checkins::know_ticket(r_, call_, row.claims);
    return row;
}

std::optional<Refusal> Issuing::add_carrier(const ticket::Claims& claims,
                                            const CarrierDraft& carrier) {
    const std::string normalised = wire::normalise(carrier.kind, carrier.text);
    const Digest lookup = lookup_of(keys_, carrier.kind, normalised);
    const auto others = r_.orders.carriers_by(lookup);
    // Said twice, it is one carrier all the same.
    if (std::ranges::find(others, claims.id, &CarrierRow::ticket) != others.end())
        return std::nullopt;
    if (carrier.kind == CarrierKind::code && !others.empty()) return Refusal::carrier_taken;
    SealEntropy entropy{call_, fmt::format("seal/{}/{}", to_text(claims.id), to_hex(lookup))};
    r_.orders.add_carrier({lookup, claims.id, carrier.kind,
                           crypto::seal(keys_.master, as_bytes(normalised),
                                        as_bytes(carrier_context(claims.id)), entropy),
                           masked(carrier.kind, normalised)});
    list_carrier(claims, carrier.kind, normalised);
    return std::nullopt;
}

const Listed& Issuing::days(SiteId site) {
    auto found = days_.find(site);
    if (found == days_.end()) {
        const auto known = fleet::site(r_, site);
        const Calendar calendar = known ? known->details.calendar : Calendar{};
        found = days_.emplace(site, listed_days(r_, call_, calendar)).first;
    }
    return found->second;
}

Issuing::Stage Issuing::stage(const ticket::Claims& claims, SiteId site) {
    const Listed& listed = days(site);
    if (last_day_at(claims, site) < listed.from) return Stage::ended;
    return first_day_at(claims, site) > listed.until ? Stage::waits : Stage::listed;
}

void Issuing::list_carrier(const ticket::Claims& claims, CarrierKind kind,
                           std::string_view normalised) {
    for (const SiteId site : sites_of(claims)) list_carrier(claims, site, kind, normalised);
}

void Issuing::list_carrier(const ticket::Claims& claims, SiteId site, CarrierKind kind,
                           std::string_view normalised) {
    // What ended is put on as well: tick() takes it off, and until then the list says all there is.
    if (stage(claims, site) == Stage::waits)
        return r_.orders.add_waiting(site, {first_day_at(claims, site), claims.id});
    const ticket::Claims here = at_site(claims, site);
    // Both keys during rotation: devices that have only one of them must find the ticket too.
    for (const wire::SiteKey& key : secrets(site).carrier_keys) {
        const wire::Carried carried{kind, wire::carrier_hash(key.key, kind, normalised), here};
        lists_.put(site, wire::ListScope::tickets, wire::row_of(carried));
    }
}

template <class Each>
void Issuing::each_carrier(TicketId ticket, Each&& each) {
    for (const CarrierRow& row : r_.orders.carriers_of(ticket)) {
        const auto plain =
            crypto::unseal(keys_.master, row.sealed, as_bytes(carrier_context(ticket)));
        if (!plain)
            throw std::runtime_error{
                "a carrier can't be opened: wrong master key, or a damaged row"};
        each(row.kind, as_text(*plain));
    }
}

void Issuing::list_carriers(const ticket::Claims& claims) {
    each_carrier(claims.id, [&](CarrierKind kind, std::string_view normalised) {
        list_carrier(claims, kind, normalised);
    });
}

void Issuing::list_carriers(const ticket::Claims& claims, SiteId site) {
    if (stage(claims, site) == Stage::ended) return;  // taken off already, it stays off
    each_carrier(claims.id, [&](CarrierKind kind, std::string_view normalised) {
        list_carrier(claims, site, kind, normalised);
    });
}

void Issuing::drop_carriers(const ticket::Claims& claims, SiteId site,
                            const wire::SiteKey& retired) {
    each_carrier(claims.id, [&](CarrierKind kind, std::string_view normalised) {
        const wire::Carried gone{kind, wire::carrier_hash(retired.key, kind, normalised),
                                 at_site(claims, site)};
        lists_.erase(site, wire::ListScope::tickets, wire::row_of(gone).key);
    });
}

void Issuing::list_revoked(const ticket::Claims& claims, std::uint32_t below) {
    for (const SiteId site : sites_of(claims))
        lists_.put(site, wire::ListScope::revoked,
                   wire::row_of(wire::Revoked{claims.id, below, last_day_at(claims, site)}));
    checkins::know_revoked(r_, call_, claims.id, below);
}

}  // namespace pf::server::orders
