#pragma once
// How long to wait before the next attempt: doubling, with a ceiling, and drawn from the upper half
// so that a thousand devices do not come back in the same moment after the broker's restart.
#include <algorithm>
#include <cstdint>

#include "common/base/entropy.hpp"

namespace pf::mqtt {

class Backoff {
public:
    /// 1 <= ms_min <= ms_max.
    Backoff(std::uint32_t ms_min, std::uint32_t ms_max) noexcept
        : ms_min_{ms_min}, ms_max_{ms_max}, ms_{ms_min} {}

    /// The wait in milliseconds, between half of the present step and the step itself.
    std::uint32_t next_ms(Entropy& entropy) {
        const std::uint32_t half = ms_ / 2;
        const auto spread =
            static_cast<std::uint32_t>(entropy.next_u64() % (std::uint64_t{ms_} - half + 1));
        // 64 bits: twice a ceiling near the type's end must not wrap to a short wait.
        ms_ = static_cast<std::uint32_t>(std::min<std::uint64_t>(std::uint64_t{ms_} * 2, ms_max_));
        return half + spread;
    }

    /// The connection has held; the next failure is a new one.
    void reset() noexcept { ms_ = ms_min_; }

private:
    std::uint32_t ms_min_, ms_max_, ms_;
};

}  // namespace pf::mqtt
