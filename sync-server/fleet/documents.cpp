#include <algorithm>

#include "sync-server/catalog/catalog.hpp"
#include "sync-server/fleet/call_entropy.hpp"
#include "sync-server/fleet/repository.hpp"
#include "sync-server/store/store.hpp"

namespace pf::server::fleet {

using wire::DocumentType;

namespace {

/// A version that rises with every change of what the document says; of those that are the same for
/// every device of a site.
std::uint64_t site_version(Repositories& r, SiteId site, DocumentType type) {
    switch (type) {
        case DocumentType::key_ring: {
            const auto keys = r.fleet.ticket_keys();
            return keys.empty() ? 0 : keys.front().number;
        }
        case DocumentType::product_table:
            return catalog::version(r, site);
        case DocumentType::secrets: {
            // Keys are only ever added, so their numbers add up to something that rises.
            const auto carrier = r.fleet.site_keys(site, SiteKeyKind::carrier);
            const auto holder = r.fleet.site_keys(site, SiteKeyKind::holder);
            return (carrier.empty() ? 0U : carrier.front().number) +
                   (holder.empty() ? 0U : holder.front().number);
        }
        case DocumentType::configuration:
            return 0;  // each device has its own
        case DocumentType::list_manifest:
        case DocumentType::command:
            return 0;  // not kept: made where they are asked for
    }
    return 0;
}

std::uint64_t version_of(Repositories& r, const Device& device, DocumentType type) {
    if (type == DocumentType::configuration) return r.fleet.configuration_version(device.id);
    return site_version(r, device.site, type);
}

}  // namespace

DocumentVersions site_document_versions(Repositories& r, SiteId site) {
    DocumentVersions out;
    for (const DocumentType type : wire::kept_documents)
        if (const auto version = site_version(r, site, type); version > 0)
            out.emplace_back(static_cast<std::uint8_t>(type), version);
    return out;
}

DocumentVersions with_own_documents(Repositories& r, const Device& device, DocumentVersions out) {
    const auto version = r.fleet.configuration_version(device.id);
    const std::pair own{static_cast<std::uint8_t>(DocumentType::configuration), version};
    if (version > 0) out.insert(std::ranges::upper_bound(out, own), own);
    return out;
}

DocumentVersions document_versions(Repositories& r, const Device& device) {
    return with_own_documents(r, device, site_document_versions(r, device.site));
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

std::string text_context(const wire::Command& command) { return "command/" + to_hex(command.id); }

/// The record as it rests.
CommandRecord at_rest(const Call& call, const Keys& keys, CommandRecord record) {
    if (record.command.kind != wire::CommandKind::test_scan) return record;
    const std::string context = text_context(record.command);
    CallEntropy entropy{call, "seal/" + context};
    record.sealed_text =
        crypto::seal(keys.master, as_bytes(record.command.text), as_bytes(context), entropy);
    record.command.text.clear();
    return record;
}

wire::Command as_sent(const Keys& keys, const CommandRecord& record) {
    wire::Command command = record.command;
    if (record.sealed_text.empty()) return command;
    const auto text =
        crypto::unseal(keys.master, record.sealed_text, as_bytes(text_context(command)));
    if (!text)
        throw std::runtime_error{"a command can't be opened: wrong master key, or a damaged row"};
    command.text = as_text(*text);
    return command;
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
    r.fleet.put_command(at_rest(call, keys, record));
    Effects effects;
    effects.messages.push_back(signed_command(r, call, keys, *target, command));
    return std::pair{record, std::move(effects)};
}

namespace {

/// How far a command has come: answers of one device may overtake each other, or come again from
/// an older copy of its store.
int progress(const std::optional<wire::CommandState>& state) {
    if (!state) return 0;
    switch (*state) {
        case wire::CommandState::received:
            return 1;
        case wire::CommandState::accepted:
            return 2;
        case wire::CommandState::refused:
        case wire::CommandState::done:
        case wire::CommandState::failed:
            return 3;  // an end, and there is only one
    }
    std::abort();
}

}  // namespace

void on_command_reply(Repositories& r, const Call&, const Device& device,
                      const wire::CommandReply& reply) {
    auto record = r.fleet.command(reply.id);
    // A device may answer for its own commands only.
    if (!record || record->device != device.id) return;
    if (progress(reply.state) <= progress(record->state)) return;
    record->state = reply.state;
    record->detail = reply.detail;
    r.fleet.put_command(*record);
}

Effects pending_commands(Repositories& r, const Call& call, const Keys& keys,
                         const Device& device) {
    Effects effects;
    for (const CommandRecord& record : r.fleet.open_commands(device.id, call.now))
        effects.messages.push_back(signed_command(r, call, keys, device, as_sent(keys, record)));
    return effects;
}

std::optional<CommandRecord> command(Repositories& r, const std::array<Byte, 16>& id) {
    return r.fleet.command(id);
}

}  // namespace pf::server::fleet
