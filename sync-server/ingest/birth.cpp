// What a device says of itself when it connects, held against what is here.
#include <fmt/format.h>

#include <algorithm>

#include "sync-server/checkins/checkins.hpp"
#include "sync-server/findings/findings.hpp"
#include "sync-server/ingest/acknowledge.hpp"
#include "sync-server/ingest/histories.hpp"
#include "sync-server/lists/lists.hpp"
#include "sync-server/store/store.hpp"

namespace pf::server::ingest {
namespace {

using pf::journal::Cursor;

/// What proves that this database forgot something it had told the device; nothing: no proof.
std::optional<std::string> proof_of_loss(Repositories& r, const Call& call,
                                         const fleet::Device& device, const wire::Birth& birth) {
    const Generation ours = r.meta.generation();
    Generation newest = std::max(birth.confirmed_generation, birth.uses_generation);
    for (const wire::ListState& list : birth.lists) {
        newest = std::max(newest, list.generation);
        if (list.generation == ours && list.version > lists::version(r, device.site, list.scope))
            return fmt::format("it holds version {} of a list", list.version);
    }
    // Generations are named by the time they began. One from the future can't be topped by
    // beginning another now, so it changes nothing.
    if (newest > ours && newest.value < static_cast<std::uint64_t>(to_ms(call.now)))
        return fmt::format("it knows generation {}", newest.value);
    if (birth.uses_generation == ours && birth.uses_position > checkins::position(r, device.site))
        return fmt::format("it knows {} uses", birth.uses_position);
    if (birth.confirmed_generation == ours && birth.confirmed && birth.confirmed->seq > 0) {
        const Cursor& known = *birth.confirmed;
        // The head may be a branch's: those were confirmed too.
        const Histories histories{r, device.id, known.epoch, known.seq, known.seq};
        if (!histories.with(known.seq, known.head))
            return fmt::format("event {} was confirmed to it", known.seq);
    }
    return std::nullopt;
}

}  // namespace

Effects acknowledge(Repositories& r, const fleet::Device& to, wire::Ack ack) {
    ack.generation = r.meta.generation();
    Effects effects;
    effects.messages.push_back(
        {wire::topic(fleet::topic_root(to), wire::Down::ack), wire::encode(ack)});
    return effects;
}

void on_loss(Repositories& r, const Call& call, const fleet::Device& device, std::string_view why,
             Effects& effects) {
    const auto tell = [&](findings::Kind kind, std::string detail) {
        // Numbered by the generation, so that every one that begins is told.
        findings::raise(r, call,
                        {.kind = kind,
                         .at = {},
                         .site = device.site,
                         .device = device.id,
                         .ticket = std::nullopt,
                         .epoch = std::nullopt,
                         .seq = r.meta.generation().value,
                         .detail = std::move(detail)});
    };
    // A database that is restored again has forgotten this too, and believes as at the first time.
    const std::string last_claim = "loss-claim/" + device.id.text();
    const auto last = r.meta.value(last_claim);
    if (last && to_ms(call.now) - std::stoll(*last) < loss_claim_every_ms.count()) {
        tell(findings::Kind::loss_claimed,
             fmt::format("again, and no new generation began: {}", why));
        return;
    }
    r.meta.put(last_claim, std::to_string(to_ms(call.now)));
    r.meta.begin_generation(call.now, why);
    tell(findings::Kind::state_lost,
         fmt::format("the server forgot what it told a device: {}", why));
    for (const fleet::Site& site : fleet::sites(r)) effects.moved.insert(site.id);
}

Effects on_birth(Repositories& r, const Call& call, const fleet::Device& device,
                 const wire::Birth& birth) {
    Effects effects;
    if (const auto why = proof_of_loss(r, call, device, birth))
        on_loss(r, call, device, *why, effects);
    const Epoch epoch = birth.journal.epoch;
    const Cursor upto = cursor(r, device.id, epoch)
                            .value_or(Cursor{epoch, 0, pf::journal::genesis(device.id, epoch)});
    effects.add(acknowledge(r, device, {.generation = {}, .upto = upto, .verdicts = {}}));
    return effects;
}

Effects on_begins(Repositories& r, const Call& call, const fleet::Device& device,
                  const wire::Begins& said) {
    const Cursor& begin = said.begin;
    // A branch has its name from us; the epoch the device knows is the first history's.
    if (names_branch(r, device.id, begin.epoch))
        return on_malformed(r, call, device, wire::encode(said),
                            "begins: names a branch as if it were an epoch");
    const std::uint64_t looked_at = std::max<std::uint64_t>(begin.seq, 1);
    Histories histories{r, device.id, begin.epoch, looked_at, looked_at};
    if (histories.with(begin.seq, begin.head))
        return acknowledge(r, device, {.generation = {}, .upto = begin, .verdicts = {}});
    const Cursor end = histories.main_end();
    if (begin.seq <= end.seq)
        return acknowledge(r, device, {.generation = {}, .upto = end, .verdicts = {}});
    const std::string detail =
        fmt::format("events {} to {} are gone: forgotten here, and too old for the device to keep",
                    end.seq + 1, begin.seq);
    findings::raise(r, call,
                    {.kind = findings::Kind::state_lost,
                     .at = {},
                     .site = device.site,
                     .device = device.id,
                     .ticket = std::nullopt,
                     .epoch = begin.epoch,
                     .seq = begin.seq,
                     .detail = detail});
    // The device never wrote these bytes; the verdict says so, and the log shows where the hole is.
    const auto verdict = wire::Ack::EventVerdict::quarantined;
    histories.skip_to(begin, {begin.seq, begin.head, verdict});
    r.ingest.add(
        {.device = device.id,
         .epoch = histories.chain(0).end.epoch,
         .seq = begin.seq,
         .event = pf::journal::encode({.seq = begin.seq,
                                       .wall = call.now,
                                       .steady = {},
                                       .boot = {},
                                       .clock = pf::journal::ClockQuality::confirmed,
                                       .body = pf::journal::finding("events_lost", detail)}),
         .received_at = call.now,
         .verdict = verdict},
        begin.head);
    r.ingest.put_chain(histories.chain(0));
    return acknowledge(r, device, {.generation = {}, .upto = begin, .verdicts = {}});
}

bool names_branch(Repositories& r, const DeviceId& device, Epoch epoch) {
    const auto chain = r.ingest.chain(device, epoch);
    return chain && chain->origin != epoch;
}

std::optional<Cursor> cursor(Repositories& r, const DeviceId& device, Epoch epoch) {
    const auto chain = r.ingest.chain(device, epoch);
    if (!chain) return std::nullopt;
    return chain->end;
}

}  // namespace pf::server::ingest
