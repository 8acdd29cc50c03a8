// Invariant 5 from the other side: who holds a plainly valid ticket goes in, days, windows and
// points are kept, and an admission says how much the device could see.
#include <fmt/format.h>

#include <algorithm>

#include "common/ticket/token.hpp"
#include "tests/simulation/checks.hpp"

namespace pf::simulation {
namespace {

constexpr std::string_view i5 = "invariant 5: the verdict depends on what the device can see";
constexpr Millis lenience{admission::clock_lenience_ms};
constexpr Millis online_within{60'000};            // as the town configures its devices
constexpr Millis lists_fresh{6LL * 3'600 * 1000};  // as the server signs them

}  // namespace

bool Checks::clock_is_sound(const Machine& machine) const {
    return !machine.clock_was_ever_wrong() && !hub_->clock_moved_at();
}

void Checks::check_place_and_time(Machine& machine, const pf::journal::Admitted& admitted,
                                  const ticket::Entitlement& e) {
    const auto wrong = [&](const std::string& what) {
        throw Violation(std::string{i5}, fmt::format("{} {}", machine.name(), what),
                        {machine.name(), to_text(admitted.ticket)});
    };
    if (admitted.site != machine.spec().site || admitted.point != machine.spec().point)
        wrong("admits at a place where it does not stand");
    if (e.product == town_.other_point && machine.spec().point != town_.back)
        wrong("admits to what is entered elsewhere");
    if (!clock_is_sound(machine)) return;
    const Calendar calendar;
    const WallTime now = scene_.wall();
    if (now + lenience < calendar.begin_of(e.first_day) ||
        now - lenience >= calendar.begin_of(e.last_day + 1))
        wrong("admits on a day the ticket is not for");
    if (admitted.day < e.first_day || admitted.day > e.last_day ||
        (admitted.day != calendar.day_of(now + lenience) &&
         admitted.day != calendar.day_of(now - lenience)))
        wrong("counts an admission on another day");
    if (e.window == town_.morning) {
        const WallTime begin = calendar.begin_of(calendar.day_of(now));
        if (now + lenience < begin + std::chrono::minutes{morning_from_min} ||
            now - lenience >= begin + std::chrono::minutes{morning_until_min})
            wrong("admits outside the hours of the ticket");
    }
    if ((admitted.flags & admission::flag_clock_unsure) != 0)
        wrong("doubts a clock that was never wrong");
}

void Checks::check_flags(Machine& machine, const pf::journal::Admitted& admitted) {
    const auto wrong = [&](const std::string& what) {
        throw Violation(std::string{i5},
                        fmt::format("{} {}, flags {:x}", machine.name(), what, admitted.flags),
                        {machine.name(), to_text(admitted.ticket)});
    };
    const SteadyTime now = scene_.agenda.now();
    const auto heard = machine.heard_at();
    const bool online = machine.linked() && heard && now - *heard <= online_within;
    if (online == ((admitted.flags & admission::flag_offline) != 0))
        wrong(online ? "heard the server and says it did not"
                     : "has not heard the server and does not say so");
    if (!clock_is_sound(machine)) return;
    const auto ever = machine.ever_heard_at();
    // A signed code needs no tickets list.
    const bool by_list = admitted.carrier != admission::CarrierKind::signed_qr;
    const std::uint32_t stale =
        admission::flag_revoked_list_stale | (by_list ? admission::flag_tickets_list_stale : 0U);
    if ((!ever || now - *ever > lists_fresh) && (admitted.flags & stale) != stale)
        wrong("heard nothing for hours and does not call its lists stale");
}

bool Checks::must_admit(Machine& machine, const TicketModel& ticket, const std::string& text) {
    if (!machine.running() || !machine.has_barrier() || !clock_is_sound(machine)) return false;
    firmware::app::Device& device = machine.device();
    const auto& standing = device.standing();
    const auto here = [&](const ticket::Entitlement& e) { return e.site == machine.spec().site; };
    if (std::ranges::count_if(ticket.claims.entitlements, here) != 1) return false;
    const auto e = *std::ranges::find_if(ticket.claims.entitlements, here);
    const Day today = Calendar{}.day_of(scene_.wall());
    const bool good = e.product == town_.plain && e.first_day <= today && today <= e.last_day &&
                      !ticket.revoked && !ticket.ever_refused && !ticket.forgotten &&
                      !granted_.contains(ticket.claims.id);
    if (!good || !firmware::lane::ready(device.lane_state())) return false;
    if (!standing.configuration || !standing.products || !standing.products->find(e.product))
        return false;
    return ticket::open(text,
                        [&](const crypto::KeyId& id) -> const crypto::PublicKey* {
                            for (const auto& [name, key] : standing.ticket_keys)
                                if (name == id) return &key;
                            return nullptr;
                        })
        .has_value();
}

void Checks::demand_admitted(Machine& machine, const TicketModel& ticket) {
    if (granted_.contains(ticket.claims.id)) {
        scene_.coverage.count("verdict", "plainly valid and admitted");
        return;
    }
    // The power went, or a write failed: refused as invariant 1 wants it.
    if (!machine.running() || machine.shown() == admission::Reason::storage_failed) return;
    throw Violation(std::string{i5},
                    fmt::format("{} refuses {}, which is plainly valid: {}", machine.name(),
                                ticket.label, admission::words(machine.shown()).key),
                    {machine.name(), to_text(ticket.claims.id)});
}

}  // namespace pf::simulation
