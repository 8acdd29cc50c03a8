#include "firmware/scan/settle.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>

namespace pf::firmware::scan {

namespace {

constexpr float finder_middle = 3.5F;

constexpr int unrest_reach = 3;  // modules each way

/// How much greys change within modules: least when the spot is a module's middle.
/// @param along one module's step in the direction that is judged
float unrest(Sampler& greys, Spot middle, Spot right, Spot down, Spot along) {
    constexpr float to_border = 0.375F;  // modules
    float sum = 0;
    for (int row = -unrest_reach; row <= unrest_reach; ++row) {
        for (int column = -unrest_reach; column <= unrest_reach; ++column) {
            const auto c = static_cast<float>(column);
            const auto r = static_cast<float>(row);
            const Spot spot{middle.x + c * right.x + r * down.x,
                            middle.y + c * right.y + r * down.y};
            const float before =
                greys.at({spot.x - to_border * along.x, spot.y - to_border * along.y});
            const float after =
                greys.at({spot.x + to_border * along.x, spot.y + to_border * along.y});
            sum += std::abs(after - before);
        }
    }
    return sum;
}

/// A square of modules, and how far from the warp it lies, once that is known.
struct Patch {
    float column;
    float row;
    float from_finder;  // modules
    std::optional<Spot> stray{};
};

std::vector<Patch> patches_of(int side) {
    constexpr float apart = 6;
    const auto count = static_cast<int>((static_cast<float>(side) - 7) / apart + 0.5F);
    const float far = static_cast<float>(side) - finder_middle;
    std::vector<Patch> patches;
    for (int i = 0; i <= count; ++i) {
        for (int j = 0; j <= count; ++j) {
            const auto at = [&](int k) {
                return std::floor(finder_middle + (far - finder_middle) * static_cast<float>(k) /
                                                      static_cast<float>(count)) +
                       0.5F;
            };
            const float column = at(i);
            const float row = at(j);
            const float nearest = std::min({std::hypot(column - finder_middle, row - finder_middle),
                                            std::hypot(column - far, row - finder_middle),
                                            std::hypot(column - finder_middle, row - far)});
            patches.push_back({column, row, nearest});
        }
    }
    std::ranges::stable_sort(patches, {}, &Patch::from_finder);
    return patches;
}

/// How far the patches next to it stray, on average.
Spot stray_around(const std::vector<Patch>& patches, const Patch& patch) {
    constexpr float next_to = 10;  // modules
    Spot sum{};
    float weights = 0;
    for (const Patch& other : patches) {
        const float away = std::hypot(other.column - patch.column, other.row - patch.row);
        if (!other.stray || away > next_to) continue;
        const float weight = 1 / (1 + away);
        sum = {sum.x + weight * other.stray->x, sum.y + weight * other.stray->y};
        weights += weight;
    }
    return weights > 0 ? Spot{sum.x / weights, sum.y / weights} : Spot{};
}

}  // namespace

std::optional<Spot> at_rest(Sampler& greys, Spot here, Spot right, Spot down) {
    constexpr float within = 0.5F;
    constexpr float step = 0.125F;
    constexpr float price_of_distance = 0.1F;
    constexpr float least_to_most_max = 0.75F;
    constexpr std::int64_t places = 9;
    constexpr std::int64_t samples_a_place = 2 * (2 * unrest_reach + 1) * (2 * unrest_reach + 1);
    if (!greys.room_for(2 * places * samples_a_place)) return std::nullopt;
    Spot middle = here;
    for (const Spot& along : {right, down}) {
        const Spot from = middle;
        float least = std::numeric_limits<float>::max();
        float most = 0;
        for (float off = -within; off <= within; off += step) {
            const Spot spot{from.x + off * along.x, from.y + off * along.y};
            const float value =
                unrest(greys, spot, right, down, along) * (1 + price_of_distance * std::abs(off));
            most = std::max(most, value);
            if (value >= least) continue;
            least = value;
            middle = spot;
        }
        if (least >= least_to_most_max * most) return std::nullopt;  // flat: both are 0
    }
    return middle;
}

Warp settled(Sampler& greys, const Warp& warp, int side, std::vector<Anchor> anchors) {
    std::vector<Patch> patches = patches_of(side);
    for (Patch& patch : patches) {
        const Spot straight = warp.at(patch.column, patch.row);
        const auto finder = std::ranges::find_if(anchors, [&](const Anchor& anchor) {
            return anchor.column == patch.column && anchor.row == patch.row;
        });
        if (finder != anchors.end()) {
            patch.stray = Spot{finder->spot.x - straight.x, finder->spot.y - straight.y};
            continue;
        }
        const Spot next = warp.at(patch.column + 1, patch.row);
        const Spot below = warp.at(patch.column, patch.row + 1);
        const Spot guess = stray_around(patches, patch);
        const auto spot = at_rest(greys, {straight.x + guess.x, straight.y + guess.y},
                                  {next.x - straight.x, next.y - straight.y},
                                  {below.x - straight.x, below.y - straight.y});
        if (!spot) continue;
        patch.stray = Spot{spot->x - straight.x, spot->y - straight.y};
        anchors.push_back({patch.column, patch.row, *spot});
    }
    return {side, anchors};
}

}  // namespace pf::firmware::scan
