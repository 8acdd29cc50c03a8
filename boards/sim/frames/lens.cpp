#include "boards/sim/frames/lens.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <map>
#include <utility>

namespace pf::boards::sim::frames {

namespace {

/// (column, row) → weight; the weights sum to 1.
using Spread = std::map<std::pair<int, int>, double>;

Spread normalized(Spread spread) {
    double sum = 0;
    for (const auto& [at, weight] : spread) sum += weight;
    for (auto& [at, weight] : spread) weight /= sum;
    return spread;
}

void convolve(Light& light, const Spread& spread) {
    std::vector<double> out(light.levels.size(), 0.0);
    for (const auto& [by, weight] : spread) {
        for (int y = 0; y < light.height; ++y) {
            const int from_row = std::clamp(y + by.second, 0, light.height - 1);
            const double* from =
                light.levels.data() + static_cast<std::ptrdiff_t>(from_row) * light.width;
            double* to = out.data() + static_cast<std::ptrdiff_t>(y) * light.width;
            const int begin = std::clamp(-by.first, 0, light.width);
            const int end = std::clamp(light.width - by.first, 0, light.width);
            for (int x = 0; x < begin; ++x) to[x] += weight * from[0];
            for (int x = begin; x < end; ++x) to[x] += weight * from[x + by.first];
            for (int x = end; x < light.width; ++x) to[x] += weight * from[light.width - 1];
        }
    }
    light.levels = std::move(out);
}

}  // namespace

void box_blur(Light& light, int radius) {
    const auto pass = [&](int count, int length, int step, int next) {
        std::vector<double> line(static_cast<std::size_t>(length));
        for (int i = 0; i < count; ++i) {
            const auto at = [&](int j) -> double& {
                return light.levels[static_cast<std::size_t>(i * next +
                                                             std::clamp(j, 0, length - 1) * step)];
            };
            for (int j = 0; j < length; ++j) {
                double sum = 0;
                for (int k = -radius; k <= radius; ++k) sum += at(j + k);
                line[static_cast<std::size_t>(j)] = sum / (2 * radius + 1);
            }
            for (int j = 0; j < length; ++j) at(j) = line[static_cast<std::size_t>(j)];
        }
    };
    pass(light.height, light.width, 1, light.width);
    pass(light.width, light.height, light.width, 1);
}

void defocus(Light& light, double radius_px) {
    constexpr int parts = 5;  // of a pixel, each way: a disc's edge cuts pixels
    Spread spread;
    const int reach = static_cast<int>(std::ceil(radius_px)) + 1;
    for (int y = -reach; y <= reach; ++y) {
        for (int x = -reach; x <= reach; ++x) {
            int inside = 0;
            for (int part = 0; part < parts * parts; ++part) {
                const double across = x + (part % parts + 0.5) / parts - 0.5;
                const double down = y + (part / parts + 0.5) / parts - 0.5;
                inside += across * across + down * down <= radius_px * radius_px ? 1 : 0;
            }
            if (inside > 0) spread[{x, y}] = inside;
        }
    }
    if (!spread.empty()) convolve(light, normalized(std::move(spread)));
}

void motion_blur(Light& light, double length_px, double direction) {
    Spread spread;
    const int points = 1 + static_cast<int>(std::ceil(length_px * 4));
    for (int i = 0; i < points; ++i) {
        const double along = points == 1 ? 0 : length_px * (i / (points - 1.0) - 0.5);
        const double x = along * std::cos(direction);
        const double y = along * std::sin(direction);
        const int left = static_cast<int>(std::floor(x));
        const int top = static_cast<int>(std::floor(y));
        const double right_share = x - left;
        const double low_share = y - top;
        spread[{left, top}] += (1 - right_share) * (1 - low_share);
        spread[{left + 1, top}] += right_share * (1 - low_share);
        spread[{left, top + 1}] += (1 - right_share) * low_share;
        spread[{left + 1, top + 1}] += right_share * low_share;
    }
    convolve(light, normalized(std::move(spread)));
}

void add_glare(Light& light, const Glare& glare) {
    constexpr double burnt = 260;  // levels: black paper becomes white
    constexpr double veil = 150;   // levels just outside the burnt middle
    for (int y = 0; y < light.height; ++y) {
        for (int x = 0; x < light.width; ++x) {
            const double right = x - glare.x_px;
            const double down = y - glare.y_px;
            const double along =
                right * std::cos(glare.direction) + down * std::sin(glare.direction);
            const double across =
                2 * (down * std::cos(glare.direction) - right * std::sin(glare.direction));
            const double distance =
                std::sqrt(along * along + across * across) / std::max(glare.radius_px, 1e-9);
            double& level =
                light.levels[static_cast<std::size_t>(y) * static_cast<std::size_t>(light.width) +
                             static_cast<std::size_t>(x)];
            level += distance < 1 ? burnt : veil * std::exp(1.2 * (1 - distance));
        }
    }
}

}  // namespace pf::boards::sim::frames
