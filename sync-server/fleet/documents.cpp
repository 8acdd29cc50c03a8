#include "sync-server/catalog/catalog.hpp"
#include "sync-server/fleet/repository.hpp"
#include "sync-server/store/store.hpp"

namespace pf::server::fleet {

using wire::DocumentType;

namespace {

/// A version that rises with every change of what the document says.
std::uint64_t version_of(Repositories& r, const Device& device, DocumentType type) {
    switch (type) {
        case DocumentType::key_ring: {
            const auto keys = r.fleet.ticket_keys();
            return keys.empty() ? 0 : keys.front().number;
        }
        case DocumentType::product_table:
            return catalog::table(r, device.site).version;
        case DocumentType::configuration:
            return r.fleet.configuration_version(device.id);
        case DocumentType::secrets: {
            // Keys are only ever added, so their numbers add up to something that rises.
            const auto carrier = r.fleet.site_keys(device.site, SiteKeyKind::carrier);
            const auto holder = r.fleet.site_keys(device.site, SiteKeyKind::holder);
            return (carrier.empty() ? 0U : carrier.front().number) +
                   (holder.empty() ? 0U : holder.front().number);
        }
        case DocumentType::list_manifest:
        case DocumentType::command:
            return 0;  // not kept: made where they are asked for
    }
    return 0;
}

}  // namespace

std::vector<std::pair<std::uint8_t, std::uint64_t>> document_versions(Repositories& r,
                                                                      const Device& device) {
    std::vector<std::pair<std::uint8_t, std::uint64_t>> out;
    for (const DocumentType type : wire::kept_documents) {
        const std::uint64_t version = version_of(r, device, type);
        if (version > 0) out.emplace_back(static_cast<std::uint8_t>(type), version);
    }
    return out;
}

std::optional<Bytes> document(Repositories& r, const Call& call, const Keys& keys,
                              const Device& device, DocumentType type) {
    wire::Document document{.type = type,
                            .site = device.site,
                            .device = std::nullopt,
                            .generation = r.meta.generation(),
                            .version = version_of(r, device, type),
                            .issued_at = call.now,
                            .body = {}};
    if (document.version == 0) return std::nullopt;
    switch (type) {
        case DocumentType::key_ring:
            document.body = wire::encode(wire::KeyRing{ticket_public_keys(r)});
            break;
        case DocumentType::product_table:
            document.body = wire::encode(catalog::table(r, device.site));
            break;
        case DocumentType::configuration:
            document.device = device.id;
            document.body = wire::encode(device.configuration);
            break;
        case DocumentType::secrets:
            document.device = device.id;
            document.body = wire::encode(site_secrets(r, keys, device.site));
            break;
        case DocumentType::list_manifest:
        case DocumentType::command:
            return std::nullopt;
    }
    return wire::sign(document, site_authority(r, keys, device.site));
}

// --- commands
// -------------------------------------------------------------------------------------------

namespace {

Outgoing signed_command(Repositories& r, const Call& call, const Keys& keys, const Device& device,
                        const wire::Command& command) {
    const wire::Document document{.type = DocumentType::command,
                                  .site = device.site,
                                  .device = device.id,
                                  .generation = r.meta.generation(),
                                  .version = 1,
                                  .issued_at = call.now,
                                  .body = wire::encode(command)};
    return {wire::topic(topic_root(device), wire::Down::document),
            wire::sign(document, site_authority(r, keys, device.site))};
}

}  // namespace

Result<std::pair<CommandRecord, Effects>, Refusal> send_command(Repositories& r, const Call& call,
                                                                const Keys& keys,
                                                                const DeviceId& id,
                                                                wire::Command command) {
    const auto target = device(r, id);
    if (!target) return Refusal::device_unknown;
    if (target->state != DeviceState::active) return Refusal::device_revoked;
    const Bytes name = derive(call, "command/" + id.text(), command.id.size());
    std::copy(name.begin(), name.end(), command.id.begin());
    command.issuer = call.actor;
    const CommandRecord record{.command = command,
                               .device = id,
                               .state = std::nullopt,
                               .detail = {},
                               .issued_at = call.now};
    r.fleet.put_command(record);
    Effects effects;
    effects.messages.push_back(signed_command(r, call, keys, *target, command));
    return std::pair{record, std::move(effects)};
}

void on_command_reply(Repositories& r, const Call&, const Device& device,
                      const wire::CommandReply& reply) {
    auto record = r.fleet.command(reply.id);
    // A device may answer for its own commands only.
    if (!record || record->device != device.id) return;
    record->state = reply.state;
    record->detail = reply.detail;
    r.fleet.put_command(*record);
}

Effects pending_commands(Repositories& r, const Call& call, const Keys& keys,
                         const Device& device) {
    Effects effects;
    for (const CommandRecord& record : r.fleet.open_commands(device.id, call.now))
        effects.messages.push_back(signed_command(r, call, keys, device, record.command));
    return effects;
}

std::optional<CommandRecord> command(Repositories& r, const std::array<Byte, 16>& id) {
    return r.fleet.command(id);
}

}  // namespace pf::server::fleet
