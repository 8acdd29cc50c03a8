#include "firmware/ctl/hours.hpp"

#include <fmt/format.h>

namespace pf::firmware::ctl {

std::optional<int> minutes_from(std::string_view hh_mm) noexcept {
    if (hh_mm.size() != 5 || hh_mm[2] != ':') return std::nullopt;
    for (const std::size_t i : {0U, 1U, 3U, 4U})
        if (hh_mm[i] < '0' || hh_mm[i] > '9') return std::nullopt;
    const int hours = (hh_mm[0] - '0') * 10 + (hh_mm[1] - '0');
    const int minutes = (hh_mm[3] - '0') * 10 + (hh_mm[4] - '0');
    constexpr int day_min = 24 * 60;
    const int all = hours * 60 + minutes;
    if (minutes > 59 || all > day_min) return std::nullopt;
    return all;
}

std::string hours_of(int minutes) { return fmt::format("{:02}:{:02}", minutes / 60, minutes % 60); }

}  // namespace pf::firmware::ctl
