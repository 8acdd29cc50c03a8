// Telling devices what others admitted: pushed after a commit, paged when asked for.
#include "sync-server/checkins/repository.hpp"
#include "sync-server/store/store.hpp"

namespace pf::server::checkins {
namespace {

using wire::UseItem;
using wire::Uses;

UseItem item_of(const Row& row) {
    const auto persons = static_cast<std::uint16_t>(row.admitted.persons - row.returned);
    return {.grant = row.grant,
            .ticket = row.admitted.ticket,
            .product = row.admitted.product,
            .day = row.admitted.day,
            .last_day = row.admitted.last_day,
            .persons = persons,
            // Until the outcome is here nobody knows whether part of the grant comes back.
            .return_pending = row.admitted.awaits_passage && !row.how,
            .at = row.at,
            .unseen = row.unseen(),
            .automatic_return = row.how == pf::journal::Outcome::How::timeout && row.returned > 0};
}

/// Uses that ended before this day say nothing any more. A day is left over for gates whose clock
/// or calendar lags.
Day oldest_day(Repositories& r, const Call& call, SiteId site) {
    const auto known = fleet::site(r, site);
    const Calendar calendar = known ? known->details.calendar : Calendar{};
    return calendar.day_of(call.now) + -1;
}

/// The part of the log after `after` that one message takes. Positions of skipped uses are passed
/// over, never left as a hole.
Uses part(Repositories& r, SiteId site, std::uint64_t after, Day from_day) {
    const std::uint64_t end = r.checkins.position(site);
    const auto rows = r.checkins.log(site, after, from_day, wire::uses_per_message_max);
    Uses uses{.request = 0,
              .generation = r.meta.generation(),
              .after = after,
              .upto = after,
              .more = rows.size() == wire::uses_per_message_max && rows.back().position < end,
              .items = {}};
    uses.upto = uses.more ? rows.back().position : std::max(after, end);
    for (const Row& row : rows) uses.items.push_back(item_of(row));
    return uses;
}

}  // namespace

std::uint64_t position(Repositories& r, SiteId site) { return r.checkins.position(site); }

Effects spread(Repositories& r, const Call& call, SiteId site, std::uint64_t position_before,
               const std::optional<DeviceId>& deliverer) {
    std::vector<Uses> parts;
    const Day from_day = oldest_day(r, call, site);
    std::uint64_t after = position_before;
    while (after < r.checkins.position(site)) {
        parts.push_back(part(r, site, after, from_day));
        after = parts.back().upto;
    }
    Effects effects;
    if (parts.empty()) return effects;
    effects.moved.insert(site);
    for (const fleet::Device& device : fleet::devices_of(r, site)) {
        if (device.state != fleet::DeviceState::active) continue;
        const std::string topic = wire::topic(fleet::topic_root(device), wire::Down::uses);
        for (Uses told : parts) {
            if (deliverer == device.id)
                std::erase_if(told.items,
                              [&](const UseItem& item) { return item.grant.device == device.id; });
            told.more = false;  // pushed parts follow on their own
            effects.messages.push_back({topic, wire::encode(told)});
        }
    }
    return effects;
}

Effects answer_uses(Repositories& r, const Call& call, const fleet::Device& device,
                    const wire::Want& want) {
    // A position of another generation means nothing here: the log is told from its beginning.
    const bool same_life = want.generation == r.meta.generation();
    Uses uses =
        part(r, device.site, same_life ? want.uses_after : 0, oldest_day(r, call, device.site));
    uses.request = want.request;
    Effects effects;
    effects.messages.push_back(
        {wire::topic(fleet::topic_root(device), wire::Down::uses), wire::encode(uses)});
    return effects;
}

}  // namespace pf::server::checkins
