#include "sync-server/exchange/exchange.hpp"

#include <fmt/format.h>

#include "sync-server/checkins/checkins.hpp"
#include "sync-server/findings/findings.hpp"
#include "sync-server/ingest/ingest.hpp"
#include "sync-server/lists/lists.hpp"
#include "sync-server/store/store.hpp"

namespace pf::server::exchange {
namespace {

using findings::Kind;
using fleet::Device;
using fleet::DeviceState;
using wire::Want;

Effects foreign(Repositories& r, const Call& call, std::string_view topic, BytesView payload) {
    // Of one nameless sender, so that all of them together have one share of the quarantine.
    const auto number = ingest::quarantine(r, call, "", payload, "foreign topic");
    findings::raise(r, call,
                    {.kind = Kind::foreign_topic,
                     .at = {},
                     .site = std::nullopt,
                     .device = std::nullopt,
                     .ticket = std::nullopt,
                     .epoch = std::nullopt,
                     .seq = number.value_or(0),
                     .detail = fmt::format("a message to {}", topic.substr(0, 128))});
    return {};
}

Effects revoked(Repositories& r, const Call& call, const fleet::Keys& keys, const Device& device,
                wire::Up kind, BytesView payload) {
    std::string kept;
    if (kind == wire::Up::events) {
        const auto batch = wire::decode_batch(payload);
        if (batch.has_value()) return ingest::on_batch(r, call, keys, device, *batch);
        // Kept like its sound ones, for whoever looks into it (sync-v1.md 9.6).
        const auto number = ingest::quarantine(r, call, device.id.text(), payload,
                                               "a revoked device sent what is no batch");
        kept = number ? fmt::format(", kept as {}", *number) : ", not kept: the quarantine is full";
    }
    findings::raise(
        r, call,
        {.kind = Kind::revoked_device,
         .at = {},
         .site = device.site,
         .device = device.id,
         .ticket = std::nullopt,
         .epoch = std::nullopt,
         .seq = 0,
         .detail = fmt::format("a revoked device spoke: {}{}", wire::leaf(kind), kept)});
    return {};
}

/// What the device can hear about its site, common to all devices of it: also the versions of the
/// site's documents, read once however many devices there are.
wire::News site_news(Repositories& r, SiteId site) {
    wire::News news{.generation = r.meta.generation(),
                    .lists = {},
                    .uses_position = checkins::position(r, site),
                    .documents = fleet::site_document_versions(r, site)};
    for (const wire::ListScope scope : wire::list_scopes)
        news.lists.push_back(lists::state(r, site, scope));
    return news;
}

Outgoing told(Repositories& r, const Device& device, wire::News news) {
    news.documents = fleet::with_own_documents(r, device, std::move(news.documents));
    return {wire::topic(fleet::topic_root(device), wire::Down::news), wire::encode(news)};
}

Effects on_birth(Repositories& r, const Call& call, const fleet::Keys& keys, const Device& device,
                 const wire::Birth& birth) {
    fleet::on_birth(r, call, device, birth);
    // Also a birth that says nothing of presence any more: a device restored from an older image
    // counts from an older number and must hear that its journal is an old copy.
    Effects effects = ingest::on_birth(r, call, device, birth);
    // News even when nothing moved: it carries what the device may have missed.
    effects.messages.push_back(told(r, device, site_news(r, device.site)));
    effects.add(fleet::pending_commands(r, call, keys, device));
    return effects;
}

/// What the question shows the device to have been told, beyond what is here.
std::optional<std::string> proof_of_loss(Repositories& r, const Call& call, const Device& device,
                                         const Want& want) {
    const Generation ours = r.meta.generation();
    if (want.generation != ours) {
        // As at a birth (ingest): a generation from the future can't be topped by one that begins
        // now. Without this a server restored behind a broker that stayed would hear no birth, and
        // devices would ask it the same again and again.
        if (want.generation > ours &&
            want.generation.value < static_cast<std::uint64_t>(to_ms(call.now)))
            return fmt::format("it knows generation {}", want.generation.value);
        return std::nullopt;
    }
    switch (want.what) {
        case Want::What::difference:
        case Want::What::snapshot:
        case Want::What::buckets:
        case Want::What::bucket: {
            const std::uint64_t newest = lists::version(r, device.site, want.scope);
            const std::uint64_t asked = std::max(want.from_version, want.to_version);
            if (asked > newest) return fmt::format("it knows version {} of a list", asked);
            return std::nullopt;
        }
        case Want::What::uses:
            if (want.uses_after > checkins::position(r, device.site))
                return fmt::format("it knows {} uses", want.uses_after);
            return std::nullopt;
        case Want::What::document:
            return std::nullopt;
    }
    return std::nullopt;
}

Effects answer(Repositories& r, const Call& call, const fleet::Keys& keys, const Device& device,
               const Want& want) {
    switch (want.what) {
        case Want::What::difference:
        case Want::What::snapshot:
        case Want::What::buckets:
        case Want::What::bucket:
            return lists::answer(r, call, keys, device, want);
        case Want::What::uses:
            return checkins::answer_uses(r, call, device, want);
        case Want::What::document: {
            Effects effects;
            auto document = fleet::document(r, call, keys, device,
                                            static_cast<wire::DocumentType>(want.document_type));
            if (document)
                effects.messages.push_back(
                    {wire::topic(fleet::topic_root(device), wire::Down::document),
                     std::move(*document)});
            return effects;
        }
    }
    return {};
}

Effects on_want(Repositories& r, const Call& call, const fleet::Keys& keys, const Device& device,
                const Want& want) {
    Effects effects;
    const bool same_life = want.generation == r.meta.generation();
    const auto lost = proof_of_loss(r, call, device, want);
    if (lost) ingest::on_loss(r, call, device, *lost, effects);
    // A device that asks in another generation learns the present one first; else it would ask the
    // same again as soon as it has the answer.
    if (!same_life || lost) effects.messages.push_back(told(r, device, site_news(r, device.site)));
    effects.add(answer(r, call, keys, device, want));
    return effects;
}

/// Decodes and hands on; what does not decode is kept aside.
template <class Decoded, class Use>
Effects handle(Repositories& r, const Call& call, const Device& device, wire::Up kind,
               BytesView payload, const Decoded& decoded, Use use) {
    if (decoded.has_error())
        return ingest::on_malformed(
            r, call, device, payload,
            fmt::format("{}: {}", wire::leaf(kind), cbor::to_text(decoded.error())));
    return use(*decoded);
}

Effects dispatch(Repositories& r, const Call& call, const fleet::Keys& keys, const Device& device,
                 wire::Up kind, BytesView payload) {
    const auto with = [&](const auto& decoded, auto use) {
        return handle(r, call, device, kind, payload, decoded, use);
    };
    switch (kind) {
        case wire::Up::birth:
            return with(wire::decode_birth(payload), [&](const wire::Birth& birth) {
                return on_birth(r, call, keys, device, birth);
            });
        case wire::Up::will:
            return with(wire::decode_will(payload), [&](const wire::Will& will) {
                fleet::on_will(r, call, device, will);
                return Effects{};
            });
        case wire::Up::events:
            return with(wire::decode_batch(payload), [&](const wire::Batch& batch) {
                return ingest::on_batch(r, call, keys, device, batch);
            });
        case wire::Up::want:
            return with(wire::decode_want(payload),
                        [&](const Want& want) { return on_want(r, call, keys, device, want); });
        case wire::Up::ping:
            return with(wire::decode_ping(payload),
                        [&](const wire::Ping& ping) { return fleet::on_ping(call, device, ping); });
        case wire::Up::command_reply:
            return with(wire::decode_command_reply(payload), [&](const wire::CommandReply& reply) {
                if (reply.detail.find('\0') != std::string::npos)
                    return ingest::on_malformed(r, call, device, payload,
                                                "reply: a zero character in its text");
                fleet::on_command_reply(r, call, device, reply);
                return Effects{};
            });
        case wire::Up::begins:
            return with(wire::decode_begins(payload), [&](const wire::Begins& said) {
                return ingest::on_begins(r, call, device, said);
            });
    }
    return {};
}

}  // namespace

Effects on_message(Repositories& r, const Call& call, const fleet::Keys& keys,
                   std::string_view topic, BytesView payload) {
    const auto parsed = wire::up_of(topic);
    if (!parsed) return foreign(r, call, topic, payload);
    auto device = fleet::device(r, parsed->device);
    const bool ours =
        device && device->partition == parsed->partition && device->state != DeviceState::invited;
    if (!ours) return foreign(r, call, topic, payload);
    if (device->state == DeviceState::revoked)
        return revoked(r, call, keys, *device, parsed->kind, payload);
    // A will is the broker's word, not the device's.
    if (parsed->kind != wire::Up::will) {
        fleet::heard(r, call, *device);
        device->last_heard = call.now;
    }
    return dispatch(r, call, keys, *device, parsed->kind, payload);
}

std::vector<Outgoing> news(Repositories& r, SiteId site) {
    std::vector<Outgoing> out;
    const wire::News common = site_news(r, site);
    for (const Device& device : fleet::devices_of(r, site))
        if (device.state == DeviceState::active) out.push_back(told(r, device, common));
    return out;
}

std::vector<Outgoing> reminders(Repositories& r, WallTime now,
                                const std::function<bool(std::uint32_t partition)>& ours) {
    std::vector<Outgoing> out;
    for (const fleet::Site& site : fleet::sites(r)) {
        std::optional<wire::News> common;
        for (const Device& device : fleet::devices_of(r, site.id)) {
            const bool here = device.state == DeviceState::active && device.last_heard &&
                              now - *device.last_heard <= presence_ms && ours(device.partition);
            if (!here) continue;
            if (!common) common = site_news(r, site.id);
            out.push_back(told(r, device, *common));
        }
    }
    return out;
}

}  // namespace pf::server::exchange
