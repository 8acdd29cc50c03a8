// The rule. Checks run from "never" to "not now": docs/protocol/ticket-v1.md, clauses 7.2 to 7.9.
#include "common/admission/decide.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <tuple>

namespace pf::admission {
namespace {

using ticket::Claims;
using ticket::Entitlement;
using Kind = Verdict::Kind;

// 7.3: how far an answer got. Of several refusals or questions the one furthest down is told.
constexpr std::array way{
    Reason::product_not_here_yet, Reason::wrong_point,    Reason::expired,
    Reason::not_yet_valid,        Reason::outside_window, Reason::clock_unsure,
    Reason::already_used,         Reason::return_pending, Reason::outcome_unknown,
    Reason::too_many_persons,     Reason::list_stale,     Reason::show_certificate,
};

bool is_better(const Verdict& a, const Verdict& b) {
    // A question beats a refusal: nobody is sent away over one entitlement while staff could say
    // yes to another.
    if (a.kind != b.kind) return a.kind < b.kind;
    return std::ranges::find(way, a.reason) > std::ranges::find(way, b.reason);
}

Verdict refusal(Reason reason) {
    Verdict verdict;
    verdict.reason = reason;
    return verdict;
}

std::uint16_t to_u16(std::uint32_t value) {
    return static_cast<std::uint16_t>(std::min<std::uint32_t>(value, UINT16_MAX));
}

// --- time ----------------------------------------------------------------------------------------

/// Instants a ticket can speak of; a clock that says more is held to it, or days would overflow.
constexpr std::int64_t day_ms = 86'400'000;
constexpr std::int64_t instant_min_ms = -2 * day_ms;
constexpr std::int64_t instant_max_ms =
    (std::int64_t{ticket::first_day_max} + ticket::validity_days_max + 3) * day_ms;

TimeRange held(const TimeRange& now) {
    assert(now.earliest <= now.latest);
    const auto hold = [](WallTime at) {
        return wall_from_ms(std::clamp(to_ms(at), instant_min_ms, instant_max_ms));
    };
    return {hold(now.earliest), hold(now.latest)};
}

bool is_wide(const TimeRange& now) {
    return to_ms(now.latest) - to_ms(now.earliest) > clock_lenience_ms;
}

/// What the instants of a range say about an entitlement: at least one says so.
struct Sayings {
    bool allowed = false;
    bool early = false;
    bool late = false;
    bool outside = false;

    int different() const { return int{allowed} + int{early} + int{late} + int{outside}; }
    Reason refusal() const {
        if (early) return Reason::not_yet_valid;
        return late ? Reason::expired : Reason::outside_window;
    }
};

/// One operating day's part of a range.
void hear_day(Sayings& out, const Calendar& calendar, Day day, const Window& window,
              const TimeRange& range) {
    const WallTime begin = calendar.begin_of(day);
    const WallTime from = begin + std::chrono::minutes{window.from_min};
    const WallTime until = begin + std::chrono::minutes{window.until_min};
    const WallTime first = std::max(range.earliest, begin);
    const WallTime last = std::min(range.latest, begin + Millis{day_ms - 1});
    out.allowed = out.allowed || (first < until && last >= from && from < until);
    out.outside = out.outside || first < from || last >= until || from >= until;
}

Sayings hear(const TimeRange& range, const Entitlement& e, const Window& window,
             const Calendar& calendar) {
    Sayings out;
    const WallTime begin = calendar.begin_of(e.first_day);
    const WallTime end = calendar.begin_of(e.last_day + 1);
    out.early = range.earliest < begin;
    out.late = range.latest >= end;
    const TimeRange inside{std::max(range.earliest, begin),
                           std::min(range.latest, end - Millis{1})};
    if (inside.earliest > inside.latest) return out;
    // A day between the first and the last is there from end to end, and one such day says all
    // that more of them could.
    const Day first = calendar.day_of(inside.earliest), last = calendar.day_of(inside.latest);
    hear_day(out, calendar, first, window, inside);
    hear_day(out, calendar, std::min(first + 1, last), window, inside);
    hear_day(out, calendar, last, window, inside);
    return out;
}

/// 7.6: why the time is wrong, or nothing.
std::optional<Reason> wrong_time(const TimeRange& now, const Entitlement& e, const Window& window,
                                 const Calendar& calendar) {
    if (is_wide(now)) {
        const Sayings heard = hear(now, e, window, calendar);
        if (heard.different() > 1) return Reason::clock_unsure;
        return heard.allowed ? std::nullopt : std::optional{heard.refusal()};
    }
    const Millis lenience{clock_lenience_ms};
    const TimeRange lenient{now.earliest - lenience, now.latest + lenience};
    if (hear(lenient, e, window, calendar).allowed) return std::nullopt;
    return hear({now.earliest, now.earliest}, e, window, calendar).refusal();
}

/// Operating days that "now" may be, held to the days of the entitlement: an entry a minute before
/// the first day begins counts on the first day.
std::pair<Day, Day> days_of(const TimeRange& now, const Entitlement& e, const Calendar& calendar) {
    return {std::clamp(calendar.day_of(now.earliest), e.first_day, e.last_day),
            std::clamp(calendar.day_of(now.latest), e.first_day, e.last_day)};
}

// --- counting ------------------------------------------------------------------------------------

bool counts(const Use& use, const Entitlement& e, Day day) {
    return use.product == e.product && (e.scope == ticket::Scope::validity || use.day == day);
}

/// Persons counted, and how many of them hang on what nobody knows yet.
struct Count {
    std::uint32_t quota = 0;
    std::uint32_t used = 0;
    std::uint32_t unknown = 0;  // of used: outcome_unknown
    std::uint32_t pending = 0;  // of used: return_pending

    std::uint32_t left(std::uint32_t forgiven = 0) const {
        const std::uint32_t counted = used - forgiven;
        return quota > counted ? quota - counted : 0;
    }
};

Count count(const Claims& claims, const Entitlement& e, Day day, const std::vector<Use>& uses) {
    Count out{.quota = std::uint32_t{claims.persons} * e.entries};
    for (const Use& use : uses) {
        if (!counts(use, e, day)) continue;
        out.used += use.persons;
        if (use.outcome_unknown) {
            out.unknown += use.persons;
        } else if (use.return_pending) {
            out.pending += use.persons;
        }
    }
    return out;
}

/// What counting says on one day.
struct Room {
    Kind kind = Kind::refuse;
    Reason reason = Reason::already_used;
    std::uint16_t persons = 0;
    std::uint16_t left = 0;  // after those persons
    bool by_staff = false;

    bool says_as(const Room& other) const { return kind == other.kind && reason == other.reason; }
};

Room room_for(std::uint32_t persons, std::uint32_t left) {
    return {.kind = Kind::admit,
            .reason = Reason::ok,
            .persons = to_u16(persons),
            .left = to_u16(left - persons)};
}

/// 7.7 and 7.8.
Room room_on(const Claims& claims, const Entitlement& e, Day day, const Known& known,
             const Here& here) {
    const Count counted = count(claims, e, day, known.uses);
    const std::uint32_t together = claims.persons;  // at most so many in one entry
    // Zero persons is the caller's mistake; one is asked for rather than a grant for nobody.
    const std::uint32_t asked = std::max<std::uint32_t>(here.persons_asked.value_or(1), 1);
    const auto room_in = [&](std::uint32_t left) {
        const std::uint32_t persons = here.persons_asked ? asked : std::min(left, together);
        return room_for(persons, left);
    };
    const std::uint32_t left = counted.left();
    Room out{.left = to_u16(left)};
    if (asked > together) {
        out.reason = left == 0 ? Reason::already_used : Reason::too_many_persons;
        return out;
    }
    if (asked <= left) return room_in(left);

    const std::uint32_t left_by_staff = counted.left(counted.unknown);
    if (asked <= left_by_staff) {
        out = room_in(left_by_staff);
        out.by_staff = here.staff_confirmed;
        if (!here.staff_confirmed) {
            out.kind = Kind::ask;
            out.reason = Reason::outcome_unknown;
        }
        return out;
    }
    if (left > 0) {
        out.reason = Reason::too_many_persons;
    } else if (asked <= counted.left(counted.unknown + counted.pending)) {
        out.reason = Reason::return_pending;
    }
    return out;
}

/// Counting over every day that "now" may be.
Room room(const Claims& claims, const Entitlement& e, std::pair<Day, Day> days, const Known& known,
          const Here& here) {
    Room out = room_on(claims, e, days.first, known, here);
    if (e.scope == ticket::Scope::validity) return out;
    for (Day day = days.first + 1; day <= days.second; day = day + 1) {
        const Room other = room_on(claims, e, day, known, here);
        if (!other.says_as(out)) {
            return {.kind = Kind::ask, .reason = Reason::clock_unsure, .left = 0};
        }
        out.persons = std::min(out.persons, other.persons);
        out.left = std::min(out.left, other.left);
        out.by_staff = out.by_staff || other.by_staff;
    }
    return out;
}

/// The latest use that a refusal for uses is about. Which it is must not depend on their order.
std::optional<Use> latest_use(const Entitlement& e, Day day, Reason reason,
                              const std::vector<Use>& uses) {
    const auto order = [](const Use& use) {
        return std::tie(use.at, use.where, use.day, use.persons, use.outcome_unknown,
                        use.return_pending);
    };
    std::optional<Use> latest;
    for (const Use& use : uses) {
        if (!counts(use, e, day)) continue;
        if (reason == Reason::outcome_unknown && !use.outcome_unknown) continue;
        if (reason == Reason::return_pending && !use.return_pending) continue;
        if (!latest || order(*latest) < order(use)) latest = use;
    }
    return latest;
}

// --- one entitlement -----------------------------------------------------------------------------

struct Question {
    const Claims& claims;
    const Known& known;
    const ProductTable* table;
    const Here& here;
    TimeRange now;
};

/// 7.9: asks for what staff must look at, on the way to an admission. `verdict` is an admission so
/// far.
void look_at_papers(Verdict& verdict, const Question& q, const Product& product) {
    const Freshness list =
        q.here.carrier == CarrierKind::signed_qr ? q.known.revoked_list : q.known.tickets_list;
    const auto ask = [&](Reason reason) {
        if (q.here.staff_confirmed) {
            verdict.flags |= flag_staff;
        } else {
            verdict.kind = Kind::ask;
            verdict.reason = reason;
        }
    };
    if (list != Freshness::fresh && product.stale == StaleRule::refuse) {
        // Some instants admit and others refuse: the clock is what is wrong, and nobody here can
        // confirm a time.
        const bool differs = list == Freshness::unsure;
        verdict.kind = differs ? Kind::ask : Kind::refuse;
        verdict.reason = differs ? Reason::clock_unsure : Reason::list_stale;
        return;
    }
    // Staff who look at the order answer for every instant.
    if (list != Freshness::fresh && product.stale == StaleRule::ask) ask(Reason::list_stale);
    if (verdict.kind != Kind::admit) return;
    if (std::ranges::count(product.certificate, q.claims.person_type) > 0) {
        ask(Reason::show_certificate);
    }
}

std::uint32_t sight(const Question& q) {
    std::uint32_t flags = 0;
    if (!q.here.online) flags |= flag_offline;
    if (q.known.revoked_list != Freshness::fresh) flags |= flag_revoked_list_stale;
    if (q.known.tickets_list != Freshness::fresh && q.here.carrier != CarrierKind::signed_qr) {
        flags |= flag_tickets_list_stale;
    }
    if (is_wide(q.now)) flags |= flag_clock_unsure;
    return flags;
}

/// Counting and what follows it; the time is right.
void settle(Verdict& verdict, const Question& q, const Product& product, std::pair<Day, Day> days) {
    const Entitlement& e = *verdict.entitlement;
    const Room found = room(q.claims, e, days, q.known, q.here);
    verdict.kind = found.kind;
    verdict.reason = found.reason;
    verdict.persons = found.persons;
    verdict.persons_left = found.left;
    verdict.day = days.first;
    if (found.kind == Kind::admit) {
        if (found.by_staff) verdict.flags |= flag_staff;
        look_at_papers(verdict, q, product);
    } else if (found.reason != Reason::too_many_persons && found.reason != Reason::clock_unsure) {
        verdict.used = latest_use(e, days.first, found.reason, q.known.uses);
    }
    if (verdict.kind == Kind::admit) {
        if (verdict.persons_left > 0) verdict.reason = Reason::ok_group_part;
        verdict.flags |= sight(q);
    } else {
        verdict.flags = 0;
    }
    if (verdict.kind == Kind::refuse) {
        verdict.persons_left = to_u16(std::uint32_t{verdict.persons} + verdict.persons_left);
        verdict.persons = 0;
        verdict.day.reset();
    }
}

/// 7.4 to 7.9 for one entitlement of this site.
Verdict answer(const Entitlement& e, const Question& q) {
    static constexpr Window whole_day{};
    Verdict verdict = refusal(Reason::product_not_here_yet);
    verdict.kind = Kind::ask;
    verdict.entitlement = e;
    if (q.table == nullptr || q.table->site != q.here.site) return verdict;
    const Product* product = q.table->find(e.product);
    const Window* window = e.window.value == 0 ? &whole_day : q.table->find(e.window);
    if (product == nullptr || window == nullptr) return verdict;

    const Calendar& calendar = q.table->calendar;
    const auto days = days_of(q.now, e, calendar);
    verdict.persons_left = to_u16(count(q.claims, e, days.first, q.known.uses).left());
    verdict.kind = Kind::refuse;
    if (!product->points.empty() && std::ranges::count(product->points, q.here.point) == 0) {
        verdict.reason = Reason::wrong_point;
        return verdict;
    }
    if (const auto reason = wrong_time(q.now, e, *window, calendar)) {
        verdict.reason = *reason;
        if (*reason == Reason::clock_unsure) verdict.kind = Kind::ask;
        return verdict;
    }
    settle(verdict, q, *product, days);
    return verdict;
}

/// 7.3: the entitlements of this site, earliest end first; equal ends as they stand on the ticket.
std::vector<const Entitlement*> entitlements_here(const Question& q) {
    std::vector<const Entitlement*> out;
    for (const Entitlement& e : q.claims.entitlements) {
        if (e.site == q.here.site) out.push_back(&e);
    }
    std::ranges::stable_sort(out, {}, [&q](const Entitlement* e) { return end_of(*e, q.table); });
    return out;
}

}  // namespace

const Product* ProductTable::find(ProductId id) const noexcept {
    const auto found = std::ranges::find(products, id, &Product::id);
    return found == products.end() ? nullptr : &*found;
}

const Window* ProductTable::find(WindowId id) const noexcept {
    const auto found = std::ranges::find(windows, id, &Window::id);
    return found == windows.end() ? nullptr : &*found;
}

Freshness freshness(WallTime fresh_until, const TimeRange& now) noexcept {
    if (now.latest < fresh_until) return Freshness::fresh;
    return now.earliest < fresh_until ? Freshness::unsure : Freshness::stale;
}

std::pair<Day, std::uint16_t> end_of(const Entitlement& entitlement,
                                     const ProductTable* table) noexcept {
    const Window* window = table == nullptr ? nullptr : table->find(entitlement.window);
    return {entitlement.last_day, window == nullptr ? Window{}.until_min : window->until_min};
}

std::uint32_t persons_used(const Claims& claims, const Entitlement& entitlement, Day day,
                           const std::vector<Use>& uses) noexcept {
    return count(claims, entitlement, day, uses).used;
}

Verdict decide(const Claims& claims, const Known& known, const ProductTable* table,
               const Here& here) {
    if (known.refused_below == generation_all) return refusal(Reason::revoked);
    if (known.refused_below && claims.generation < *known.refused_below) {
        return refusal(Reason::superseded);
    }
    const Question question{claims, known, table, here, held(here.now)};
    std::optional<Verdict> best;
    for (const Entitlement* e : entitlements_here(question)) {
        Verdict verdict = answer(*e, question);
        if (verdict.kind == Kind::admit) return verdict;
        if (!best || is_better(verdict, *best)) best = std::move(verdict);
    }
    return best ? *best : refusal(Reason::wrong_site);
}

}  // namespace pf::admission
