#include "firmware/scan/warp.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

namespace pf::firmware::scan {

namespace {

/// Solves rows · x = right side for the last two columns at once, by elimination with pivots; x is
/// the right side divided by what is left on the diagonal.
template <std::size_t size>
void solve(std::array<std::array<double, size + 2>, size>& rows) {
    for (std::size_t i = 0; i < size; ++i) {
        std::size_t pivot = i;
        for (std::size_t j = i + 1; j < size; ++j) {
            if (std::abs(rows[j][i]) > std::abs(rows[pivot][i])) pivot = j;
        }
        std::swap(rows[i], rows[pivot]);
        for (std::size_t j = 0; j < size; ++j) {
            if (j == i) continue;
            const double factor = rows[j][i] / rows[i][i];
            for (std::size_t k = i; k < size + 2; ++k) rows[j][k] -= factor * rows[i][k];
        }
    }
}

}  // namespace

Warp::Warp(int side_modules, const std::vector<Anchor>& anchors) : half_(side_modules / 2.0) {
    // How little each term is expected to matter, as a weight against an anchor's: few anchors bend
    // the code no more than they must, many as much as they say.
    constexpr Terms stiffness{0, 0, 0, 0.002, 0.002, 0.002, 0.02, 0.02, 0.02, 0.02};
    std::array<std::array<double, terms_count + 2>, terms_count> rows{};
    for (std::size_t i = 0; i < terms_count; ++i) rows[i][i] = stiffness[i];
    for (const Anchor& anchor : anchors) {
        const Terms of = terms(anchor.column, anchor.row);
        for (std::size_t i = 0; i < terms_count; ++i) {
            for (std::size_t j = 0; j < terms_count; ++j) rows[i][j] += of[i] * of[j];
            rows[i][terms_count] += of[i] * anchor.spot.x;
            rows[i][terms_count + 1] += of[i] * anchor.spot.y;
        }
    }
    solve<terms_count>(rows);
    for (std::size_t i = 0; i < terms_count; ++i) {
        x_[i] = rows[i][terms_count] / rows[i][i];
        y_[i] = rows[i][terms_count + 1] / rows[i][i];
    }
}

Warp::Terms Warp::terms(float column, float row) const {
    const double c = column / half_ - 1;
    const double r = row / half_ - 1;
    return {1, c, r, c * r, c * c, r * r, c * c * r, c * r * r, c * c * c, r * r * r};
}

Spot Warp::at(float column, float row) const {
    const Terms of = terms(column, row);
    double x = 0;
    double y = 0;
    for (std::size_t i = 0; i < terms_count; ++i) {
        x += x_[i] * of[i];
        y += y_[i] * of[i];
    }
    return {static_cast<float>(x), static_cast<float>(y)};
}

float grey_at(const LumaFrame& frame, Spot spot) {
    const float x = std::clamp(spot.x - 0.5F, 0.0F, static_cast<float>(frame.width - 1));
    const float y = std::clamp(spot.y - 0.5F, 0.0F, static_cast<float>(frame.height - 1));
    const int left = std::max(std::min(static_cast<int>(x), frame.width - 2), 0);
    const int top = std::max(std::min(static_cast<int>(y), frame.height - 2), 0);
    const int right = frame.width > 1 ? 1 : 0;  // pixels to the next one, if there is one
    const int down = frame.height > 1 ? 1 : 0;
    const float right_share = x - static_cast<float>(left);
    const float low_share = y - static_cast<float>(top);
    const Byte* above = frame.row(top) + left;
    const Byte* below = frame.row(top + down) + left;
    const auto mix = [](float a, float b, float share) { return a + (b - a) * share; };
    return mix(mix(above[0], above[right], right_share), mix(below[0], below[right], right_share),
               low_share);
}

}  // namespace pf::firmware::scan
