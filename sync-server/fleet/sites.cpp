#include <fmt/format.h>

#include "sync-server/fleet/call_entropy.hpp"
#include "sync-server/fleet/repository.hpp"

namespace pf::server::fleet {
namespace {

constexpr std::size_t carrier_keys_kept =
    2;  // two during rotation: lists of both travel until all have the new

std::string context_of(SiteId site, SiteKeyKind kind, std::uint16_t number) {
    return fmt::format("site-key/{}/{}/{}", site.value, static_cast<int>(kind), number);
}

void add_key(Repositories& r, const Call& call, const Keys& keys, SiteId site, SiteKeyKind kind,
             BytesView plain) {
    const auto existing = r.fleet.site_keys(site, kind);
    const auto number =
        static_cast<std::uint16_t>(existing.empty() ? 1 : existing.front().number + 1);
    const std::string context = context_of(site, kind, number);
    CallEntropy entropy{call, "seal/" + context};
    r.fleet.add_site_key(site, kind,
                         {number, crypto::seal(keys.master, plain, as_bytes(context), entropy)},
                         call.now);
}

Bytes open_key(const Keys& keys, SiteId site, SiteKeyKind kind, const SealedKey& key) {
    auto plain =
        crypto::unseal(keys.master, key.sealed, as_bytes(context_of(site, kind, key.number)));
    // The master key is not the one this database was written under: nothing can go on from here.
    if (!plain)
        throw std::runtime_error{"a site key can't be opened: wrong master key, or a damaged row"};
    return *plain;
}

std::vector<wire::SiteKey> site_keys(Repositories& r, const Keys& keys, SiteId id,
                                     SiteKeyKind kind) {
    std::vector<wire::SiteKey> out;
    for (const SealedKey& sealed : r.fleet.site_keys(id, kind)) {
        if (out.size() == carrier_keys_kept) break;
        const auto key = array_from<32>(open_key(keys, id, kind, sealed));
        if (!key) throw std::runtime_error{"a site key has another length than it was made with"};
        out.push_back({sealed.number, *key});
    }
    return out;
}

std::string ticket_key_context(std::uint32_t number) {
    return fmt::format("ticket-key/{}", number);
}

}  // namespace

SiteId create_site(Repositories& r, const Call& call, const Keys& keys, const SiteDraft& draft) {
    const auto existing = r.fleet.sites();
    const SiteId id{existing.empty() ? 1 : existing.back().id.value + 1};
    r.fleet.put_site({id, draft});

    // Before the first ticket is sold: no gate may meet a signature whose key is still on its way.
    if (r.fleet.ticket_keys().empty()) rotate_ticket_key(r, call, keys);
    CallEntropy entropy{call, fmt::format("site/{}", id.value)};
    const auto authority = crypto::PrivateKey::generate(entropy);
    add_key(r, call, keys, id, SiteKeyKind::authority, as_bytes(authority.to_pem()));
    add_key(r, call, keys, id, SiteKeyKind::carrier,
            derive(call, fmt::format("carrier/{}", id.value), 32));
    add_key(r, call, keys, id, SiteKeyKind::holder,
            derive(call, fmt::format("holder/{}", id.value), 32));
    return id;
}

std::optional<Site> site(Repositories& r, SiteId id) { return r.fleet.site(id); }
std::vector<Site> sites(Repositories& r) { return r.fleet.sites(); }

crypto::PrivateKey site_authority(Repositories& r, const Keys& keys, SiteId id) {
    const auto sealed = r.fleet.site_keys(id, SiteKeyKind::authority);
    if (sealed.empty()) throw std::runtime_error{"a site without authority key"};
    auto key = crypto::PrivateKey::from_pem(
        as_text(open_key(keys, id, SiteKeyKind::authority, sealed.front())));
    if (!key) throw std::runtime_error{"a site's authority key can't be read"};
    return *key;
}

wire::Secrets site_secrets(Repositories& r, const Keys& keys, SiteId id) {
    return {site_keys(r, keys, id, SiteKeyKind::carrier),
            site_keys(r, keys, id, SiteKeyKind::holder)};
}

void rotate_carrier_key(Repositories& r, const Call& call, const Keys& keys, SiteId id) {
    add_key(r, call, keys, id, SiteKeyKind::carrier,
            derive(call, fmt::format("carrier/{}", id.value), 32));
}

std::optional<wire::SiteKey> retired_carrier_key(Repositories& r, const Keys& keys, SiteId id) {
    const auto sealed = r.fleet.site_keys(id, SiteKeyKind::carrier);
    if (sealed.size() <= carrier_keys_kept) return std::nullopt;
    const auto& row = sealed[carrier_keys_kept];
    const auto key = array_from<32>(open_key(keys, id, SiteKeyKind::carrier, row));
    if (!key) throw std::runtime_error{"a site key has another length than it was made with"};
    return wire::SiteKey{row.number, *key};
}

std::optional<Refusal> rotate_ticket_key(Repositories& r, const Call& call, const Keys& keys) {
    const auto existing = r.fleet.ticket_keys();
    if (existing.size() >= wire::ticket_keys_max) return Refusal::keys_full;
    const std::uint32_t number = existing.empty() ? 1 : existing.front().number + 1;
    CallEntropy entropy{call, ticket_key_context(number)};
    const auto key = crypto::PrivateKey::generate(entropy);
    const auto point = key.public_key().point();
    const std::string context = ticket_key_context(number);
    r.fleet.add_ticket_key(
        {number, Bytes{point.begin(), point.end()},
         crypto::seal(keys.master, as_bytes(key.to_pem()), as_bytes(context), entropy)},
        call.now);
    return std::nullopt;
}

TicketKey ticket_key(Repositories& r, const Call& call, const Keys& keys) {
    if (r.fleet.ticket_keys().empty()) rotate_ticket_key(r, call, keys);
    const SealedTicketKey newest = r.fleet.ticket_keys().front();
    const auto pem =
        crypto::unseal(keys.master, newest.sealed, as_bytes(ticket_key_context(newest.number)));
    auto key = pem ? crypto::PrivateKey::from_pem(as_text(*pem)) : std::nullopt;
    if (!key)
        throw std::runtime_error{
            "the ticket key can't be opened: wrong master key, or a damaged row"};
    return {crypto::key_id(key->public_key()), *key};
}

std::vector<crypto::PublicKey> ticket_public_keys(Repositories& r) {
    std::vector<crypto::PublicKey> out;
    for (const SealedTicketKey& row : r.fleet.ticket_keys()) {
        const auto key = crypto::PublicKey::from_point(row.point);
        if (!key) throw std::runtime_error{"a ticket key's point is not on the curve"};
        out.push_back(*key);
    }
    return out;
}

}  // namespace pf::server::fleet
