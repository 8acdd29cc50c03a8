#include "firmware/scan/drawing.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <optional>
#include <utility>

namespace pf::firmware::scan {

namespace {

constexpr int scale = 3;
constexpr int quiet_zone = 4;

/// Pixels.
int drawn_side_of(int side) { return (side + 2 * quiet_zone) * scale; }

/// The mean over the modules around, up to `reach` away each way.
float around(const std::vector<float>& modules, int side, int column, int row, int reach) {
    float sum = 0;
    int count = 0;
    for (int r = std::max(row - reach, 0); r <= std::min(row + reach, side - 1); ++r) {
        for (int c = std::max(column - reach, 0); c <= std::min(column + reach, side - 1); ++c) {
            sum += modules[static_cast<std::size_t>(r * side + c)];
            ++count;
        }
    }
    return sum / static_cast<float>(count);
}

/// The colour of a module that is the same in every code of this size: finder patterns with the
/// light line around them, and timing. Drawn by rule, not by what was seen: ZXing 1.4 ends the
/// process by an assertion when the middle of a pure picture's finder pattern is light.
std::optional<bool> fixed_dark(int side, int column, int row) {
    const auto in_corner = [&](int left, int top) -> std::optional<bool> {
        const int c = std::abs(column - left - 3);
        const int r = std::abs(row - top - 3);
        const int ring = std::max(c, r);
        if (ring > 4) return std::nullopt;
        return ring == 3 || ring <= 1;
    };
    for (const auto& [left, top] :
         {std::pair{0, 0}, std::pair{side - 7, 0}, std::pair{0, side - 7}}) {
        if (const auto dark = in_corner(left, top)) return dark;
    }
    if (row == 6) return column % 2 == 0;
    if (column == 6) return row % 2 == 0;
    return std::nullopt;
}

}  // namespace

std::int64_t samples_for(int side) {
    const std::int64_t drawn_side = drawn_side_of(side);
    return std::int64_t{9} * side * side + 2 * drawn_side * drawn_side;
}

std::vector<float> modules_of(Sampler& greys, const Warp& warp, int side) {
    std::vector<float> modules;
    modules.reserve(static_cast<std::size_t>(side) * static_cast<std::size_t>(side));
    for (int row = 0; row < side; ++row) {
        for (int column = 0; column < side; ++column) {
            float sum = 0;
            for (const float down : {0.3F, 0.5F, 0.7F}) {
                for (const float right : {0.3F, 0.5F, 0.7F}) {
                    sum += greys.at(warp.at(static_cast<float>(column) + right,
                                            static_cast<float>(row) + down));
                }
            }
            modules.push_back(sum / 9);
        }
    }
    return modules;
}

Drawing drawn(const std::vector<float>& modules, int side, float share) {
    constexpr int neighbourhood = 4;  // modules; about as many of them are dark as light
    const int picture_side = drawn_side_of(side);
    LumaFrame picture = LumaFrame::filled(picture_side, picture_side, 255);
    int fixed_count = 0;
    int disagreeing = 0;
    for (int row = 0; row < side; ++row) {
        for (int column = 0; column < side; ++column) {
            const float grey = modules[static_cast<std::size_t>(row * side + column)];
            const float near = around(modules, side, column, row, 1);
            const float limit = around(modules, side, column, row, neighbourhood);
            const bool seen_dark = grey + share * (grey - near) < limit;
            const auto fixed = fixed_dark(side, column, row);
            fixed_count += fixed ? 1 : 0;
            disagreeing += fixed && *fixed != seen_dark ? 1 : 0;
            if (!fixed.value_or(seen_dark)) continue;
            for (int y = 0; y < scale; ++y) {
                Byte* to =
                    picture.row((row + quiet_zone) * scale + y) + (column + quiet_zone) * scale;
                std::fill_n(to, scale, Byte{0});
            }
        }
    }
    return {std::move(picture), static_cast<float>(disagreeing) / static_cast<float>(fixed_count)};
}

}  // namespace pf::firmware::scan
