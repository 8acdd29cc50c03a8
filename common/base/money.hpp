#pragma once
// Money: whole fen (1 yuan = 100 fen). Never a floating-point number, never a bare int.
#include <compare>
#include <cstdint>

namespace pf {

struct Fen {
    std::int64_t value{};
    friend constexpr auto operator<=>(Fen, Fen) = default;
    constexpr Fen operator+(Fen other) const { return {value + other.value}; }
    constexpr Fen operator-(Fen other) const { return {value - other.value}; }
    constexpr Fen operator-() const { return {-value}; }
};

}  // namespace pf
