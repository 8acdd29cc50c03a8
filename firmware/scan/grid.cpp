#include "firmware/scan/grid.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <utility>

#include "firmware/scan/drawing.hpp"
#include "firmware/scan/settle.hpp"
#include "firmware/scan/warp.hpp"

namespace pf::firmware::scan {

namespace {

constexpr int side_min = 21;
constexpr int side_max = 177;
constexpr int side_step = 4;  // from one version to the next
constexpr float finder_middle = 3.5F;

/// Where alignment patterns have their middles, the same for columns and rows (ISO/IEC 18004,
/// annex E); empty for the smallest code.
std::vector<int> alignment_lines(int side) {
    const int version = (side - 17) / 4;
    if (version == 1) return {};
    const int count = version / 7 + 2;
    const int apart = version == 32 ? 26 : (version * 4 + count * 2 + 1) / (count * 2 - 2) * 2;
    std::vector<int> lines{6};
    for (int i = count - 2; i >= 0; --i) lines.push_back(side - 7 - i * apart);
    return lines;
}

/// How much a square of 5 × 5 modules around `middle` looks like an alignment pattern: 1 quite, 0
/// not at all. `right` and `down` are one module's steps there.
float likeness(Sampler& greys, Spot middle, Spot right, Spot down) {
    float sum = 0;
    float squares = 0;
    float product = 0;
    for (int row = -2; row <= 2; ++row) {
        for (int column = -2; column <= 2; ++column) {
            const auto across = static_cast<float>(column);
            const auto along = static_cast<float>(row);
            const float grey = greys.at({middle.x + across * right.x + along * down.x,
                                         middle.y + across * right.y + along * down.y});
            const bool light = std::max(std::abs(row), std::abs(column)) == 1;
            sum += grey;
            squares += grey * grey;
            product += light ? grey : 0;
        }
    }
    constexpr float count = 25;
    constexpr float lights = 8;
    const float mean = sum / count;
    const float deviation = std::sqrt(std::max(squares / count - mean * mean, 1.0F));
    constexpr float template_deviation = 0.4665F;  // sqrt(8/25 * 17/25)
    return (product / count - lights / count * mean) / (deviation * template_deviation);
}

/// Looks for an alignment pattern around where the warp has it.
std::optional<Anchor> alignment_near(Sampler& greys, const Warp& warp, int column, int row,
                                     float reach) {
    const float c = static_cast<float>(column) + 0.5F;
    const float r = static_cast<float>(row) + 0.5F;
    const Spot here = warp.at(c, r);
    const Spot next = warp.at(c + 1, r);
    const Spot below = warp.at(c, r + 1);
    const Spot right{next.x - here.x, next.y - here.y};
    const Spot down{below.x - here.x, below.y - here.y};
    constexpr float likeness_min = 0.65F;
    constexpr float price_of_distance = 0.03F;  // a module further must look so much better
    float best = likeness_min;
    float best_c = 0;
    float best_r = 0;
    bool found = false;
    const auto spot_at = [&](float dc, float dr) {
        return Spot{here.x + dc * right.x + dr * down.x, here.y + dc * right.y + dr * down.y};
    };
    const auto search = [&](float around_c, float around_r, float within, float step) {
        for (float dr = around_r - within; dr <= around_r + within; dr += step) {
            for (float dc = around_c - within; dc <= around_c + within; dc += step) {
                const float value = likeness(greys, spot_at(dc, dr), right, down) -
                                    price_of_distance * std::hypot(dc, dr);
                if (value <= best) continue;
                best = value;
                best_c = dc;
                best_r = dr;
                found = true;
            }
        }
    };
    constexpr std::int64_t samples_a_place = 25;
    const auto coarse_places = static_cast<std::int64_t>(4 * reach + 1);
    constexpr std::int64_t fine_places = 7;
    if (!greys.room_for((coarse_places * coarse_places + fine_places * fine_places) *
                        samples_a_place))
        return std::nullopt;
    search(0, 0, reach, 0.5F);
    if (!found) return std::nullopt;
    search(best_c, best_r, 0.375F, 0.125F);
    return Anchor{c, r, spot_at(best_c, best_r)};
}

std::vector<Anchor> finders_of(const Triple& triple, int side) {
    const float far = static_cast<float>(side) - finder_middle;
    return {{finder_middle, finder_middle, triple.top_left.centre},
            {far, finder_middle, triple.top_right.centre},
            {finder_middle, far, triple.bottom_left.centre}};
}

/// How much five modules in a row around `middle` alternate, the middle one dark or light.
float alternation(Sampler& greys, Spot middle, Spot step, bool dark) {
    float sum = 0;
    float squares = 0;
    float product = 0;
    for (int i = -2; i <= 2; ++i) {
        const auto along = static_cast<float>(i);
        const float grey = greys.at({middle.x + along * step.x, middle.y + along * step.y});
        sum += grey;
        squares += grey * grey;
        product += (i % 2 == 0) == dark ? -grey : grey;
    }
    const float mean = sum / 5;
    const float deviation = std::sqrt(std::max(squares / 5 - mean * mean, 1.0F));
    const float bias = dark ? mean : -mean;  // of five modules three have the middle one's colour
    return (product + bias) / (5 * deviation);
}

/// Follows a timing pattern from one finder pattern to the middle between two; where it strays from
/// the warp, the code is bent.
struct Walk {
    bool across;  // along the sixth row, else the sixth column
    int from;
    int step;
};
void follow_timing(Sampler& greys, const Warp& warp, int side, const Walk& walk,
                   std::vector<Anchor>& anchors) {
    constexpr float line = 6.5F;
    constexpr float alternation_min = 0.7F;
    constexpr float price_of_distance = 0.1F;
    constexpr int anchor_every = 3;
    constexpr float reach = 0.5F;  // modules, from where the last one strayed to
    constexpr float fine = 0.125F;
    constexpr std::int64_t samples_a_step = 5 * 9 * 9;
    // How far the pattern strays from the warp, and how fast: one module may be dirt, so what it
    // says is believed in part only.
    constexpr float belief = 0.6F;
    constexpr float belief_in_pace = 0.15F;
    Spot stray{};
    Spot pace{};
    for (int i = walk.from; i * walk.step <= side / 2 * walk.step; i += walk.step) {
        if (!greys.room_for(samples_a_step)) return;
        stray = {stray.x + pace.x, stray.y + pace.y};
        const float at = static_cast<float>(i) + 0.5F;
        const auto place = [&](float along, float aside) {
            return walk.across ? warp.at(along, aside) : warp.at(aside, along);
        };
        const Spot here = place(at, line);
        const Spot next = place(at + 1, line);
        const Spot beside = place(at, line + 1);
        const Spot step{next.x - here.x, next.y - here.y};
        const Spot aside{beside.x - here.x, beside.y - here.y};
        float best = alternation_min;
        std::optional<Spot> off;  // x along the pattern, y aside, in modules
        const auto spot_at = [&](Spot by) {
            return Spot{here.x + (stray.x + by.x) * step.x + (stray.y + by.y) * aside.x,
                        here.y + (stray.x + by.x) * step.y + (stray.y + by.y) * aside.y};
        };
        for (float d = -reach; d <= reach; d += fine) {
            for (float e = -reach; e <= reach; e += fine) {
                const float value = alternation(greys, spot_at({d, e}), step, i % 2 == 0) -
                                    price_of_distance * std::hypot(d, e);
                if (value <= best) continue;
                best = value;
                off = Spot{d, e};
            }
        }
        if (!off) continue;
        if ((i - walk.from) % anchor_every == 0) {
            const Spot spot = spot_at(*off);
            anchors.push_back(walk.across ? Anchor{at, line, spot} : Anchor{line, at, spot});
        }
        stray = {stray.x + belief * off->x, stray.y + belief * off->y};
        pace = {pace.x + belief_in_pace * off->x, pace.y + belief_in_pace * off->y};
    }
}

Warp bent_to_timing(Sampler& greys, const Warp& flat, int side, std::vector<Anchor>& anchors) {
    const int last = side - 9;
    for (const bool across : {true, false}) {
        follow_timing(greys, flat, side, {across, 8, 1}, anchors);
        follow_timing(greys, flat, side, {across, last, -1}, anchors);
    }
    return {side, anchors};
}

std::vector<std::pair<int, int>> alignment_places(int side) {
    const std::vector<int> lines = alignment_lines(side);
    std::vector<std::pair<int, int>> places;
    for (const int row : lines) {
        for (const int column : lines) {
            const bool in_finder = (row == 6 && (column == 6 || column == side - 7)) ||
                                   (row == side - 7 && column == 6);
            if (!in_finder) places.emplace_back(column, row);
        }
    }
    std::ranges::stable_sort(places, {},
                             [](const auto& place) { return place.first + place.second; });
    return places;
}

/// From the corner outwards, each alignment pattern found improving the guess of the next; then all
/// once more around the better guess.
Warp bent_to_alignment(Sampler& greys, Warp warp, int side, const std::vector<Anchor>& known) {
    const auto places = alignment_places(side);
    std::vector<Anchor> anchors = known;
    for (const auto& [column, row] : places) {
        const float reach = anchors.size() < known.size() + 3 ? 4.0F : 2.5F;
        const auto anchor = alignment_near(greys, warp, column, row, reach);
        if (!anchor) continue;
        anchors.push_back(*anchor);
        warp = Warp{side, anchors};
    }
    if (anchors.size() <= known.size() + 1) return warp;
    anchors = known;
    for (const auto& [column, row] : places) {
        if (const auto anchor = alignment_near(greys, warp, column, row, 1.5F))
            anchors.push_back(*anchor);
    }
    return {side, anchors};
}

/// How well both timing patterns alternate: 1 quite, 0 not at all.
float timing_of(Sampler& greys, const Warp& warp, int side) {
    float total = 0;
    for (const bool across : {true, false}) {
        float sum = 0;
        float squares = 0;
        float product = 0;
        float count = 0;
        for (int i = 8; i < side - 8; ++i) {
            const float at = static_cast<float>(i) + 0.5F;
            const float grey = greys.at(across ? warp.at(at, 6.5F) : warp.at(6.5F, at));
            sum += grey;
            squares += grey * grey;
            product += i % 2 == 0 ? -grey : grey;
            ++count;
        }
        const float mean = sum / count;
        const float deviation = std::sqrt(std::max(squares / count - mean * mean, 1.0F));
        total += (product + mean) / (count * deviation);  // one dark module more than light ones
    }
    return total / 2;
}

struct Fit {
    int side;
    Warp warp;
    float timing;
};

/// The likeliest sizes of the code; its squares are too small to tell it exactly.
std::vector<Fit> fits_of(Sampler& greys, const Triple& triple) {
    const float module =
        (triple.top_left.module_px + triple.top_right.module_px + triple.bottom_left.module_px) / 3;
    const auto leg = [&](const FinderPattern& end) {
        return std::hypot(end.centre.x - triple.top_left.centre.x,
                          end.centre.y - triple.top_left.centre.y);
    };
    const float modules = (leg(triple.top_right) + leg(triple.bottom_left)) / (2 * module) + 7;
    const int guess = 17 + 4 * static_cast<int>(std::lround((modules - 17) / 4));
    constexpr std::array offs{0, 1, -1, 2, -2, 3, -3};  // versions
    constexpr float timing_min = 0.25F;
    constexpr float timing_sure = 0.8F;
    constexpr std::size_t fits_max = 2;
    std::vector<Fit> fits;
    for (const int off : offs) {
        const int side = guess + off * side_step;
        if (side < side_min || side > side_max) continue;
        std::vector<Anchor> anchors = finders_of(triple, side);
        const Warp flat{side, anchors};
        Warp warp = bent_to_timing(greys, flat, side, anchors);
        if (!greys.room_for(std::int64_t{2} * side)) break;
        const float timing = timing_of(greys, warp, side);
        if (timing < timing_min) continue;
        warp = bent_to_alignment(greys, warp, side, anchors);
        fits.push_back({side, warp, timing});
        if (timing >= timing_sure) break;
    }
    std::ranges::stable_sort(fits, std::greater{}, &Fit::timing);
    if (fits.size() > fits_max) fits.erase(fits.begin() + fits_max, fits.end());
    return fits;
}

}  // namespace

bool straighten(Sampler& greys, const Triple& triple,
                const std::function<bool(const CleanCode&)>& decodes) {
    const auto decoded = [&](const Warp& warp, int side) {
        const std::int64_t samples = samples_for(side);
        if (!greys.room_for(samples)) return false;
        const auto far = static_cast<float>(side);
        const std::array corners{warp.at(0, 0), warp.at(far, 0), warp.at(far, far),
                                 warp.at(0, far)};
        const std::vector<float> modules = modules_of(greys, warp, side);
        greys.count(samples - std::int64_t{9} * side * side);
        return std::ranges::any_of(std::array{0.0F, 1.0F}, [&](float share) {
            Drawing drawing = drawn(modules, side, share);
            return drawing.disagreement <= disagreement_max &&
                   decodes({std::move(drawing.picture), corners, drawing.disagreement});
        });
    };
    for (const Fit& fit : fits_of(greys, triple)) {
        if (decoded(fit.warp, fit.side)) return true;
        Warp warp = fit.warp;
        for (int again = 0; again < 2; ++again)
            warp = settled(greys, warp, fit.side, finders_of(triple, fit.side));
        if (decoded(warp, fit.side)) return true;
    }
    return false;
}

}  // namespace pf::firmware::scan
