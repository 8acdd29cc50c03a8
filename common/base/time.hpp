#pragma once
// Two clocks that answer different questions, and the days people mean by "valid until the 5th".
#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pf {

using Millis = std::chrono::duration<std::int64_t, std::milli>;

/// Wall time: UTC, milliseconds since 1970. Comes from outside and may jump. int64 also where
/// time_t is 32 bits.
using WallTime = std::chrono::time_point<std::chrono::system_clock, Millis>;

/// Steady time: milliseconds since this boot of the device. Never jumps, means nothing elsewhere.
struct SteadyEpoch {};
using SteadyTime = std::chrono::time_point<SteadyEpoch, Millis>;

inline WallTime wall_from_ms(std::int64_t ms) { return WallTime{Millis{ms}}; }
inline std::int64_t to_ms(WallTime t) { return t.time_since_epoch().count(); }
inline std::int64_t to_ms(SteadyTime t) { return t.time_since_epoch().count(); }

/// A calendar day at a site, in days since 1970-01-01 of the site's own calendar.
struct Day {
    std::int32_t number{};
    friend constexpr auto operator<=>(Day, Day) = default;
    constexpr Day operator+(int days) const { return {number + days}; }
};

/// How a site maps instants to days: its offset from UTC, and when its day begins (an evening show
/// that ends at 01:00 belongs to the day before). China has one zone without daylight saving.
struct Calendar {
    std::int32_t utc_offset_min = 480;
    std::int32_t day_begins_min = 0;  // minutes after local midnight, 0 to 720

    Day day_of(WallTime at) const noexcept;
    /// Minutes since the day's beginning, 0 to 1439.
    std::int32_t minute_of(WallTime at) const noexcept;
    WallTime begin_of(Day day) const noexcept;
    friend bool operator==(const Calendar&, const Calendar&) = default;
};

/// "2026-05-01". Only that form, and only days that exist.
std::optional<Day> day_from(std::string_view iso);
std::string to_text(Day day);

/// RFC 3339 in UTC with milliseconds: "2026-05-01T08:00:00.000Z".
std::string to_rfc3339(WallTime at);
std::optional<WallTime> wall_from_rfc3339(std::string_view text);

}  // namespace pf
