#pragma once
// Seeded numbers of the simulated camera; nothing outside this room includes it.
#include <cstdint>

namespace pf::boards::sim::frames {

/// SplitMix64: the same numbers everywhere, which the distributions of std:: do not promise.
class Noise {
public:
    explicit Noise(std::uint64_t seed) : state_(seed) {}

    double unit() { return static_cast<double>(next() >> 11U) * 0x1.0p-53; }
    double between(double low, double high) { return low + (high - low) * unit(); }

    /// About normal, deviation 1: the sum of four even ones is close enough for a sensor.
    double normal() {
        const std::uint64_t bits = next();
        std::int64_t sum = 0;
        for (unsigned i = 0; i < 4; ++i) {
            sum += static_cast<std::int64_t>((bits >> (16U * i)) & 0xffffU);
        }
        constexpr double deviation = 37837.0;  // of that sum: 65536 * sqrt(4 / 12)
        return (static_cast<double>(sum) - 2.0 * 65535.0) / deviation;
    }

    std::uint64_t next() {
        state_ += 0x9e3779b97f4a7c15U;
        std::uint64_t value = state_;
        value = (value ^ (value >> 30U)) * 0xbf58476d1ce4e5b9U;
        value = (value ^ (value >> 27U)) * 0x94d049bb133111ebU;
        return value ^ (value >> 31U);
    }

private:
    std::uint64_t state_;
};

}  // namespace pf::boards::sim::frames
