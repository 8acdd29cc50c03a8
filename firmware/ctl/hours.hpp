#pragma once
// Times of day as people write them.
#include <optional>
#include <string>
#include <string_view>

namespace pf::firmware::ctl {

/// "09:00" is 540; "24:00" is 1440, the end of the day. Nothing for anything else.
std::optional<int> minutes_from(std::string_view hh_mm) noexcept;
std::string hours_of(int minutes);

}  // namespace pf::firmware::ctl
