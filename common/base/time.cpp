#include "common/base/time.hpp"

#include <fmt/format.h>

#include <charconv>

namespace pf {
namespace {
using namespace std::chrono;

constexpr Millis day_length = hours{24};

/// Local time shifted so that the site's day begins at zero.
Millis shifted(const Calendar& calendar, WallTime at) noexcept {
    return at.time_since_epoch() + minutes{calendar.utc_offset_min} -
           minutes{calendar.day_begins_min};
}

/// Exactly `digits` decimal digits at `at`, or nothing.
std::optional<int> number(std::string_view text, std::size_t at, std::size_t digits) {
    if (text.size() < at + digits) return std::nullopt;
    int value = 0;
    for (const char c : text.substr(at, digits)) {
        if (c < '0' || c > '9') return std::nullopt;
        value = value * 10 + (c - '0');
    }
    return value;
}
}  // namespace

Day Calendar::day_of(WallTime at) const noexcept {
    return Day{static_cast<std::int32_t>(floor<days>(shifted(*this, at)).count())};
}

std::int32_t Calendar::minute_of(WallTime at) const noexcept {
    const Millis since = shifted(*this, at);
    return static_cast<std::int32_t>(duration_cast<minutes>(since - floor<days>(since)).count());
}

WallTime Calendar::begin_of(Day day) const noexcept {
    return WallTime{day.number * day_length - minutes{utc_offset_min} + minutes{day_begins_min}};
}

std::optional<Day> day_from(std::string_view iso) {
    const auto y = number(iso, 0, 4), m = number(iso, 5, 2), d = number(iso, 8, 2);
    if (iso.size() != 10 || !y || !m || !d || iso[4] != '-' || iso[7] != '-') return std::nullopt;
    const year_month_day date{year{*y}, month{static_cast<unsigned>(*m)},
                              day{static_cast<unsigned>(*d)}};
    if (!date.ok()) return std::nullopt;
    return Day{static_cast<std::int32_t>(sys_days{date}.time_since_epoch().count())};
}

std::string to_text(Day d) {
    const year_month_day date{sys_days{days{d.number}}};
    return fmt::format("{:04}-{:02}-{:02}", int{date.year()}, unsigned{date.month()},
                       unsigned{date.day()});
}

std::string to_rfc3339(WallTime at) {
    const auto day_start = floor<days>(at);
    const hh_mm_ss clock{at - day_start};
    return fmt::format(
        "{}T{:02}:{:02}:{:02}.{:03}Z",
        to_text(Day{static_cast<std::int32_t>(day_start.time_since_epoch().count())}),
        clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
        clock.subseconds().count());
}

std::optional<WallTime> wall_from_rfc3339(std::string_view text) {
    const auto day = day_from(text.substr(0, 10));
    const auto h = number(text, 11, 2), m = number(text, 14, 2), s = number(text, 17, 2);
    if (!day || !h || !m || !s || (text[10] != 'T' && text[10] != 't') || text[13] != ':' ||
        text[16] != ':')
        return std::nullopt;
    if (*h > 23 || *m > 59 || *s > 59) return std::nullopt;
    std::size_t at = 19;
    Millis fraction{0};
    if (at < text.size() && text[at] == '.') {
        int scale = 100;
        const std::size_t first = ++at;
        for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, scale /= 10)
            fraction += Millis{(text[at] - '0') * scale};
        if (at == first) return std::nullopt;
    }
    Millis offset{0};
    if (text.size() == at + 1 && (text[at] == 'Z' || text[at] == 'z')) {
    } else if (text.size() == at + 6 && (text[at] == '+' || text[at] == '-') &&
               text[at + 3] == ':') {
        const auto oh = number(text, at + 1, 2), om = number(text, at + 4, 2);
        if (!oh || !om || *oh > 23 || *om > 59) return std::nullopt;
        offset = hours{*oh} + minutes{*om};
        if (text[at] == '-') offset = -offset;
    } else {
        return std::nullopt;
    }
    return WallTime{day->number * day_length + hours{*h} + minutes{*m} + seconds{*s} + fraction -
                    offset};
}

}  // namespace pf
