#pragma once
// Seeded randomness for simulations and generators. The std:: distributions differ among standard
// libraries, so a seed recorded on one machine would replay differently on another; these do not.
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace pf::tests {

/// SplitMix64: eight bytes of state, any seed is a good seed, the same numbers everywhere.
class Rng {
public:
    using result_type = std::uint64_t;

    explicit constexpr Rng(std::uint64_t seed) : state_(seed) {}

    constexpr std::uint64_t next() {
        state_ += 0x9e3779b97f4a7c15U;
        std::uint64_t value = state_;
        value = (value ^ (value >> 30U)) * 0xbf58476d1ce4e5b9U;
        value = (value ^ (value >> 27U)) * 0x94d049bb133111ebU;
        return value ^ (value >> 31U);
    }

    /// 0 ≤ result < bound; bound is at least 1. Without bias (values from the last, incomplete
    /// stretch of 2⁶⁴ are drawn again).
    constexpr std::uint64_t below(std::uint64_t bound) {
        assert(bound >= 1);
        const std::uint64_t threshold = (0 - bound) % bound;
        std::uint64_t value = next();
        while (value < threshold) value = next();
        return value % bound;
    }

    /// low ≤ result ≤ high.
    constexpr std::int64_t between(std::int64_t low, std::int64_t high) {
        assert(low <= high);
        const auto width = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low);
        if (width == UINT64_MAX) return static_cast<std::int64_t>(next());
        return static_cast<std::int64_t>(static_cast<std::uint64_t>(low) + below(width + 1));
    }

    /// True in `numerator` of `denominator` draws.
    constexpr bool chance(std::uint64_t numerator, std::uint64_t denominator) {
        return below(denominator) < numerator;
    }
    constexpr bool percent(std::uint64_t percent) { return chance(percent, 100); }

    /// One element of a range that is not empty.
    template <typename Range>
    constexpr auto& pick(Range& range) {
        assert(std::size(range) > 0);
        return range[static_cast<std::size_t>(below(std::size(range)))];
    }

    template <typename Range>
    constexpr void shuffle(Range& range) {
        for (std::size_t left = std::size(range); left > 1; --left) {
            std::swap(range[left - 1], range[static_cast<std::size_t>(below(left))]);
        }
    }

    /// A stream of its own for one part of a simulation: drawing more in one part must not change
    /// what another part sees, or every recorded seed dies with the first new draw.
    constexpr Rng fork(std::uint64_t stream) const {
        Rng mixed(state_ ^ (stream * 0xd1342543de82ef95U + 0x2545f4914f6cdd1dU));
        return Rng(mixed.next());
    }

    // What std::shuffle and friends ask of a generator; prefer the members above.
    static constexpr std::uint64_t min() { return 0; }
    static constexpr std::uint64_t max() { return UINT64_MAX; }
    constexpr std::uint64_t operator()() { return next(); }

private:
    std::uint64_t state_;
};

}  // namespace pf::tests
