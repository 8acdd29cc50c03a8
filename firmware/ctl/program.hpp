#pragma once
// paifangctl as a function: words in, an exit code out. main.cpp gives it the real world.
#include <string>
#include <vector>

#include "firmware/ctl/session.hpp"

namespace pf::firmware::ctl {

inline constexpr std::string_view version = "0.1.0";

/// `arguments` without the program's name.
Exit run(World& world, const std::vector<std::string>& arguments);

}  // namespace pf::firmware::ctl
