#pragma once
#include <cstdint>

namespace pf::boards::sim {

/// When the source of this build was made, Unix milliseconds (toolchains/cmake/BuildTime.cmake).
extern const std::int64_t build_time_ms;

}  // namespace pf::boards::sim
