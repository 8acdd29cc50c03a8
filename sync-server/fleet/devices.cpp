#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "common/crypto/x509.hpp"
#include "sync-server/fleet/repository.hpp"
#include "sync-server/store/store.hpp"

namespace pf::server::fleet {
namespace {

constexpr std::string_view code_alphabet =
    "23456789ABCDEFGHJKLMNPQRSTUVWXYZ";  // nothing that looks alike
constexpr std::size_t code_chars = 10;   // 50 bits, one-time, 24 hours

Bytes code_hash(std::string_view code) {
    const Digest digest = crypto::sha256(as_bytes(code));
    return {digest.begin(), digest.end()};
}

std::string new_code(const Call& call, const DeviceId& id) {
    std::string code;
    for (const Byte byte : derive(call, "pairing/" + id.text(), code_chars))
        code += code_alphabet[byte % code_alphabet.size()];
    return code;
}

/// What people type: the part before the dot, in capitals, without the spaces they put in.
std::string typed_code(std::string_view text) {
    std::string code;
    for (char c : text.substr(0, text.find('.'))) {
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
        if (c != ' ' && c != '-') code += c;
    }
    return code;
}

crypto::Serial new_serial(const Call& call, const DeviceId& id) {
    const Bytes bytes = derive(call, "serial/" + id.text(), 16);
    crypto::Serial serial{};
    std::copy(bytes.begin(), bytes.end(), serial.begin());
    serial[0] =
        static_cast<Byte>((serial[0] & 0x7f) | 0x40);  // positive, and never with a leading zero
    return serial;
}

/// Spread over the partitions by name; a device keeps its partition for life.
std::uint32_t partition_of(const DeviceId& id) {
    return crypto::sha256(as_bytes(id.text()))[0] % wire::partition_count;
}

Identity identity_of(Repositories& r, const Keys& keys, const Device& device,
                     std::string certificate) {
    return {.device = device.id,
            .site = device.site,
            .certificate_pem = std::move(certificate),
            .authority_pem = keys.authority_pem,
            .site_authority = site_authority(r, keys, device.site).public_key().point(),
            .topic_root = topic_root(device)};
}

/// Issues a certificate for the key of the request and makes it the device's key.
Identity certify(Repositories& r, const Call& call, const Keys& keys, Device device,
                 const crypto::PublicKey& key) {
    const crypto::Serial serial = new_serial(call, device.id);
    const WallTime until = call.now + std::chrono::days{certificate_days};
    // Valid from long ago: a device whose clock stands at 1970 must be able to use it.
    const crypto::Validity validity{wall_from_ms(0), until};
    std::string pem =
        crypto::issue(keys.authority, keys.authority_pem, key, {device.id.text(), {}, {}},
                      crypto::Usage::tls_client, serial, validity);
    r.fleet.add_certificate({Bytes{serial.begin(), serial.end()}, device.id, until, std::nullopt});
    r.fleet.add_device_key(device.id, key, call.now);
    device.key = key;
    device.certificate_until = until;
    device.state = DeviceState::active;
    r.fleet.put_device(device, r.fleet.connect_counter(device.id));
    return identity_of(r, keys, device, std::move(pem));
}

}  // namespace

std::string_view to_text(Refusal refusal) noexcept {
    switch (refusal) {
        case Refusal::site_unknown:
            return "site_unknown";
        case Refusal::device_exists:
            return "device_exists";
        case Refusal::device_unknown:
            return "device_unknown";
        case Refusal::code_unknown:
            return "code_unknown";
        case Refusal::code_expired:
            return "code_expired";
        case Refusal::request_bad:
            return "request_bad";
        case Refusal::certificate_bad:
            return "certificate_bad";
        case Refusal::certificate_too_old:
            return "certificate_too_old";
        case Refusal::device_revoked:
            return "device_revoked";
        case Refusal::keys_full:
            return "keys_full";
    }
    std::abort();
}

std::optional<Device> device(Repositories& r, const DeviceId& id) { return r.fleet.device(id); }
std::vector<Device> devices(Repositories& r) { return r.fleet.devices(std::nullopt); }
std::vector<Device> devices_of(Repositories& r, SiteId site) { return r.fleet.devices(site); }
std::vector<crypto::PublicKey> keys_of(Repositories& r, const DeviceId& id) {
    return r.fleet.device_keys(id);
}
std::optional<Report> report(Repositories& r, const DeviceId& id) { return r.fleet.report(id); }
std::string topic_root(const Device& device) {
    return wire::device_root(device.partition, device.id);
}

Result<PairingCode, Refusal> invite(Repositories& r, const Call& call, const Keys& keys,
                                    SiteId site_id, const DeviceId& id,
                                    const wire::Configuration& configuration) {
    if (!site(r, site_id)) return Refusal::site_unknown;
    auto existing = device(r, id);
    // Another site's gate can't be taken over by inviting its name; a revoked name stays revoked.
    if (existing && existing->site != site_id) return Refusal::device_exists;
    if (existing && existing->state == DeviceState::revoked) return Refusal::device_revoked;
    if (!existing) {
        const Device fresh{.id = id,
                           .site = site_id,
                           .partition = partition_of(id),
                           .configuration = {},
                           .key = {},
                           .certificate_until = {},
                           .last_heard = {},
                           .firmware = {}};
        r.fleet.put_device(fresh, 0);
    }
    const std::string code = new_code(call, id);
    const WallTime expires_at = call.now + pairing_span_ms;
    PairingRow row{id, expires_at, false};
    // A gate in service goes on as it is until somebody stands there with the new board: inviting
    // its name must not code it anew from afar.
    if (existing && existing->state == DeviceState::active) {
        row.planned = configuration;
        row.planned_by = call.actor;
    } else {
        r.fleet.add_configuration(id, r.fleet.configuration_version(id) + 1,
                                  wire::encode(configuration), call.actor, call.now);
    }
    r.fleet.put_pairing(code_hash(code), row);
    return PairingCode{code + "." + to_hex(certificate_fingerprint(keys.authority_pem)), id,
                       expires_at};
}

Result<Identity, Refusal> pair(Repositories& r, const Call& call, const Keys& keys,
                               std::string_view code, std::string_view request_pem) {
    const Bytes hash = code_hash(typed_code(code));
    const auto row = r.fleet.pairing(hash);
    if (!row || row->used) return Refusal::code_unknown;
    if (call.now >= row->expires_at) return Refusal::code_expired;
    auto found = device(r, row->device);
    if (!found) return Refusal::device_unknown;
    if (found->state == DeviceState::revoked) return Refusal::device_revoked;
    const auto request = crypto::read_request(request_pem);
    // The device learns its name from us, so the name in its request says nothing and is not used.
    if (!request) return Refusal::request_bad;

    r.fleet.use_pairing(hash, call.now);
    if (row->planned) {
        r.fleet.add_configuration(found->id, r.fleet.configuration_version(found->id) + 1,
                                  wire::encode(*row->planned), row->planned_by, call.now);
        found->configuration = *row->planned;
    }
    r.fleet.revoke_certificates(found->id, call.now);  // a replacement: the old board is out
    // A new board counts its connections from 1, and nothing is known of what it holds.
    found->connected = false;
    r.fleet.put_device(*found, 0);
    r.fleet.forget_report(found->id);
    return certify(r, call, keys, *found, request->key);
}

Result<Identity, Refusal> renew(Repositories& r, const Call& call, const Keys& keys,
                                std::string_view certificate_pem, std::string_view request_pem) {
    const auto certificate = crypto::read_certificate(certificate_pem);
    if (!certificate || crypto::check_chain(certificate_pem, keys.authority_pem, std::nullopt))
        return Refusal::certificate_bad;
    const auto row = r.fleet.certificate(certificate->serial);
    if (!row) return Refusal::certificate_bad;
    auto found = device(r, row->device);
    if (!found) return Refusal::device_unknown;
    if (row->revoked_at || found->state != DeviceState::active) return Refusal::device_revoked;
    if (call.now >= row->until + std::chrono::days{renewal_grace_days})
        return Refusal::certificate_too_old;
    const auto request = crypto::read_request(request_pem);
    if (!request) return Refusal::request_bad;
    return certify(r, call, keys, *found, request->key);
}

std::optional<Refusal> revoke(Repositories& r, const Call& call, const DeviceId& id) {
    auto found = device(r, id);
    if (!found) return Refusal::device_unknown;
    found->state = DeviceState::revoked;
    found->connected = false;
    r.fleet.put_device(*found, r.fleet.connect_counter(id));
    r.fleet.revoke_certificates(id, call.now);
    return std::nullopt;
}

Result<Effects, Refusal> configure(Repositories& r, const Call& call, const Keys&,
                                   const DeviceId& id, const wire::Configuration& configuration) {
    const auto found = device(r, id);
    if (!found) return Refusal::device_unknown;
    if (found->state == DeviceState::revoked) return Refusal::device_revoked;
    r.fleet.add_configuration(id, r.fleet.configuration_version(id) + 1,
                              wire::encode(configuration), call.actor, call.now);
    return Effects{.messages = {}, .moved = {found->site}};
}

// --- presence
// -------------------------------------------------------------------------------------------

void on_birth(Repositories& r, const Call& call, const Device& known, const wire::Birth& birth) {
    // Births and wills of one device may overtake each other; the counter says which connection is
    // the last.
    if (birth.connect_counter < r.fleet.connect_counter(known.id)) return;
    Device updated = known;
    updated.connected = true;
    updated.last_heard = call.now;
    updated.firmware = birth.firmware;
    updated.clock = birth.clock;
    r.fleet.put_device(updated, birth.connect_counter);
    r.fleet.put_report(known.id, {birth, call.now});
}

void on_will(Repositories& r, const Call&, const Device& known, const wire::Will& will) {
    const auto born = r.fleet.connect_counter(known.id);
    if (will.connect_counter < born) return;
    // The count stays where the births are: a will may be the last of a board that was replaced
    // since, and had counted further than the new one will for long.
    Device updated = known;
    updated.connected = false;
    r.fleet.put_device(updated, born);
}

void on_list_applied(Repositories& r, const Device& known, Epoch epoch,
                     const journal::ListApplied& applied) {
    auto said = r.fleet.report(known.id);
    // An old file's events, imported say, tell nothing of what the board at work holds.
    if (!said || said->birth.journal.epoch != epoch) return;
    for (const wire::ListScope scope : wire::list_scopes) {
        if (static_cast<std::uint8_t>(scope) != applied.scope) continue;
        const wire::ListState held{scope, applied.generation, applied.version, applied.root};
        auto& lists = said->birth.lists;
        const auto older = std::ranges::find(lists, scope, &wire::ListState::scope);
        if (older == lists.end()) {
            lists.push_back(held);
        } else {
            // Events that were on their way when it was born are older than what the birth says.
            if (std::pair{held.generation, held.version} <=
                std::pair{older->generation, older->version})
                return;
            *older = held;
        }
        r.fleet.put_report(known.id, *said);
    }
}

void heard(Repositories& r, const Call& call, const Device& known) {
    // One write a second and device is enough to say "last heard"; every message would be one more.
    if (known.last_heard && call.now - *known.last_heard < std::chrono::seconds{1}) return;
    r.fleet.heard(known.id, call.now);
}

Effects on_ping(const Call& call, const Device& known, const wire::Ping& ping) {
    return {.messages = {{wire::topic(topic_root(known), wire::Down::time),
                          wire::encode(wire::Time{ping.nonce, call.now})}},
            .moved = {}};
}

namespace {
constexpr std::string_view changes_name = "fleet_changes";
}

std::uint64_t changes(Repositories& r) {
    const auto text = r.meta.value(changes_name);
    std::uint64_t number = 0;
    if (text) std::from_chars(text->data(), text->data() + text->size(), number);
    return number;
}

void count_change(Repositories& r) { r.meta.put(changes_name, std::to_string(changes(r) + 1)); }

}  // namespace pf::server::fleet
