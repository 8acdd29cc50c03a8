#pragma once
// The admission rule. One pure function answers on every device and on the server (invariant 5).
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/admission/reason.hpp"
#include "common/base/ids.hpp"
#include "common/base/time.hpp"
#include "common/ticket/claims.hpp"

namespace pf::admission {

/// What to do when a list is past its `fresh_until`, per product.
enum class StaleRule : std::uint8_t { admit = 1, ask = 2, refuse = 3 };

/// A span of the day, minutes after the site's day begins, half open.
struct Window {
    WindowId id;
    std::uint16_t from_min = 0;
    std::uint16_t until_min = 1440;
    friend bool operator==(const Window&, const Window&) = default;
};

/// What can change after a ticket is printed. From the signed product table.
struct Product {
    ProductId id;
    std::string name_zh;
    std::string name_en;
    std::vector<PointId> points;  // empty: every point of the site
    StaleRule stale = StaleRule::admit;
    std::vector<ticket::PersonType> certificate;  // person types whose proof staff must see
    friend bool operator==(const Product&, const Product&) = default;
};

struct ProductTable {
    SiteId site;
    std::uint64_t version = 0;
    Calendar calendar;
    std::vector<Window> windows;
    std::vector<Product> products;
    const Product* find(ProductId id) const noexcept;
    const Window* find(WindowId id) const noexcept;
    friend bool operator==(const ProductTable&, const ProductTable&) = default;
};

/// One grant as far as this device knows: `persons` still counted, i.e. granted less returned.
struct Use {
    ProductId product;
    Day day;
    std::uint16_t persons = 0;
    bool return_pending = false;   // granted elsewhere, and what became of it is not yet here
    bool outcome_unknown = false;  // nobody saw whether they passed, and nobody will say
    WallTime at;
    std::string where;  // device id
};

/// A list against its `fresh_until`, over every instant that "now" may be.
enum class Freshness : std::uint8_t { fresh = 1, unsure = 2, stale = 3 };

/// What this device knows of the ticket beyond its claims.
struct Known {
    std::optional<std::uint32_t> refused_below;  // from list `revoked`: generations below are
                                                 // refused; generation_all revokes every one
    std::vector<Use> uses;                       // at this site, in order of time
    Freshness revoked_list = Freshness::fresh;
    Freshness tickets_list = Freshness::fresh;
};
inline constexpr std::uint32_t generation_all = UINT32_MAX;

/// A clock known to this much is good: admissions lean towards the visitor by as much on both edges
/// of a day or a window, and a range no wider is not called unsure.
inline constexpr std::int64_t clock_lenience_ms = 120'000;

/// The instants that "now" may be, earliest not after latest. Width zero: the clock is trusted.
struct TimeRange {
    WallTime earliest;
    WallTime latest;
};
Freshness freshness(WallTime fresh_until, const TimeRange& now) noexcept;

enum class CarrierKind : std::uint8_t { signed_qr = 1, code = 2, document = 3, card = 4 };

/// Where and when the question is asked.
struct Here {
    SiteId site;
    PointId point;
    TimeRange now;
    CarrierKind carrier = CarrierKind::signed_qr;
    std::optional<std::uint16_t> persons_asked;  // from 1; empty: all that are left, at most
                                                 // the ticket's persons at once
    bool staff_confirmed = false;  // a certificate, a stale list or an unknown outcome was
                                   // looked into
    bool online = false;           // the server was heard within the freshness limit
};

/// Flags on an admission: how much the device could see (invariant 5). Bits are on the wire.
enum Flag : std::uint32_t {
    flag_offline = 1U << 0,
    flag_revoked_list_stale = 1U << 1,  // or may be, the clock being unsure
    flag_tickets_list_stale = 1U << 2,
    flag_clock_unsure = 1U << 3,  // admitted because every possible instant allows it
    flag_staff = 1U << 4,         // would have been asked, and staff confirmed
    flag_weak = 1U << 5,          // agreed with only some of the site
};

struct Verdict {
    enum class Kind : std::uint8_t { admit = 1, ask = 2, refuse = 3 };
    Kind kind = Kind::refuse;
    Reason reason = Reason::unknown_code;
    std::uint16_t persons = 0;                       // to admit now (admit, ask)
    std::uint16_t persons_left = 0;                  // on the ticket in this scope after that
    std::optional<ticket::Entitlement> entitlement;  // the one that answered
    std::optional<Day> day;                          // operating day it counts on (admit, ask)
    std::uint32_t flags = 0;
    std::optional<Use> used;  // for already_used, return_pending, outcome_unknown: the latest such
                              // use, where and when
};

/// Checks run from "never" to "not now", so a visitor hears the most final reason. `table` is the
/// product table of here.site or null when the device has none yet. Claims must pass
/// ticket::check(). Pure: no clock, no storage, no logging.
Verdict decide(const ticket::Claims& claims, const Known& known, const ProductTable* table,
               const Here& here);

/// What "earliest end first" compares: the last day, then the end of its window as far as the table
/// knows it.
std::pair<Day, std::uint16_t> end_of(const ticket::Entitlement& entitlement,
                                     const ProductTable* table) noexcept;

/// Persons already counted for an entitlement, in its scope, on `day`.
std::uint32_t persons_used(const ticket::Claims& claims, const ticket::Entitlement& entitlement,
                           Day day, const std::vector<Use>& uses) noexcept;

}  // namespace pf::admission
