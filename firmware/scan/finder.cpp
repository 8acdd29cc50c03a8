#include "firmware/scan/finder.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <optional>

namespace pf::firmware::scan {

namespace {

using Runs = std::array<int, 5>;  // dark, light, dark, light, dark

/// The module's length if the runs are 1:1:3:1:1, blurred and bent as far as people hold codes.
std::optional<float> module_of(const Runs& runs) {
    int sum = 0;
    for (const int run : runs) {
        if (run == 0) return std::nullopt;
        sum += run;
    }
    const float module = static_cast<float>(sum) / 7.0F;
    if (module < 1.0F) return std::nullopt;
    const float slack = std::max(0.65F * module, 1.0F);
    const auto near = [&](int run, float modules) {
        return std::abs(static_cast<float>(run) - modules * module) <= slack * std::sqrt(modules);
    };
    const bool fits = near(runs[0], 1) && near(runs[1], 1) && near(runs[2], 3) &&
                      near(runs[3], 1) && near(runs[4], 1);
    return fits ? std::optional{module} : std::nullopt;
}

/// A line of pixels through the frame, with nothing beyond its ends.
struct Line {
    const Byte* first;
    int length;
    int step;  // bytes from one pixel to the next

    bool dark(int at) const { return first[static_cast<std::ptrdiff_t>(at) * step] < 128; }
};

struct Crossing {
    float centre;
    float module_px;
};

/// The pattern whose middle square the pixel lies in, measured along the line.
std::optional<Crossing> crossing_at(const Line& line, int at, int reach) {
    if (at < 0 || at >= line.length || !line.dark(at)) return std::nullopt;
    Runs runs{};
    int before = at;
    int after = at + 1;
    for (std::size_t i = 0; i <= 2; ++i) {
        const bool dark = i % 2 == 0;
        for (; before >= 0 && line.dark(before) == dark && runs[2 - i] <= reach; --before)
            ++runs[2 - i];
        for (; after < line.length && line.dark(after) == dark && runs[2 + i] <= reach; ++after)
            ++runs[2 + i];
    }
    const auto module = module_of(runs);
    if (!module) return std::nullopt;
    const int begin = before + 1 + runs[0] + runs[1];
    return Crossing{static_cast<float>(begin) + static_cast<float>(runs[2]) / 2, *module};
}

/// Crosses the candidate downwards and then again sideways.
std::optional<FinderPattern> confirmed(const LumaFrame& frame, float x, int y, float module) {
    const int reach = static_cast<int>(5 * module) + 2;
    const auto column = static_cast<int>(x);
    const Line down{frame.pixels.data() + column, frame.height, frame.stride};
    const auto vertical = crossing_at(down, y, reach);
    if (!vertical || vertical->module_px > 2 * module || module > 2 * vertical->module_px)
        return std::nullopt;
    const Line across{frame.row(static_cast<int>(vertical->centre)), frame.width, 1};
    const auto horizontal = crossing_at(across, column, reach);
    if (!horizontal) return std::nullopt;
    return FinderPattern{{horizontal->centre, vertical->centre},
                         (horizontal->module_px + vertical->module_px) / 2};
}

/// @param y the row that is scanned
void merge(std::vector<FinderPattern>& patterns, const FinderPattern& found, int y) {
    for (FinderPattern& known : patterns) {
        const float apart =
            std::hypot(known.centre.x - found.centre.x, known.centre.y - found.centre.y);
        if (apart > 2.5F * known.module_px) continue;
        const auto weight = static_cast<float>(known.seen);
        const auto mean = [&](float a, float b) { return (a * weight + b) / (weight + 1); };
        known.centre = {mean(known.centre.x, found.centre.x), mean(known.centre.y, found.centre.y)};
        known.module_px = mean(known.module_px, found.module_px);
        ++known.seen;
        return;
    }
    constexpr std::size_t candidates_max = 200;  // a picture of noise has thousands
    if (patterns.size() < candidates_max) return patterns.push_back(found);
    // What only one row met and none will meet any more makes room: texture at the top must not
    // hide a code below it.
    constexpr float modules_past = 3;
    const auto stale = std::ranges::find_if(patterns, [y](const FinderPattern& known) {
        return known.seen == 1 &&
               static_cast<float>(y) > known.centre.y + modules_past * known.module_px;
    });
    if (stale != patterns.end()) *stale = found;
}

void scan_row(const LumaFrame& frame, int y, std::vector<FinderPattern>& patterns) {
    const Line line{frame.row(y), frame.width, 1};
    Runs runs{};
    bool dark = false;
    int run = 0;
    for (int x = 0; x <= frame.width; ++x) {
        const bool now = x < frame.width && line.dark(x);
        if (x < frame.width && now == dark) {
            ++run;
            continue;
        }
        std::rotate(runs.begin(), runs.begin() + 1, runs.end());
        runs[4] = run;
        if (dark) {
            if (const auto module = module_of(runs)) {
                const float middle =
                    static_cast<float>(x - runs[4] - runs[3]) - static_cast<float>(runs[2]) / 2;
                if (const auto found = confirmed(frame, middle, y, *module))
                    merge(patterns, *found, y);
            }
        }
        dark = now;
        run = 1;
    }
}

struct Legs {
    float right_x, right_y, down_x, down_y;
    float right() const { return std::hypot(right_x, right_y); }
    float down() const { return std::hypot(down_x, down_y); }
    float turn() const { return right_x * down_y - right_y * down_x; }  // positive: clockwise
    float lean() const { return (right_x * down_x + right_y * down_y) / (right() * down()); }
};

std::optional<Triple> triple_of(const FinderPattern& corner, FinderPattern right,
                                FinderPattern down) {
    const auto legs_of = [&] {
        return Legs{right.centre.x - corner.centre.x, right.centre.y - corner.centre.y,
                    down.centre.x - corner.centre.x, down.centre.y - corner.centre.y};
    };
    Legs legs = legs_of();
    if (legs.turn() < 0) {
        std::swap(right, down);
        legs = legs_of();
    }
    const auto [least, most] = std::minmax({corner.module_px, right.module_px, down.module_px});
    constexpr float modules_min = 12;  // 14 between the squares of the smallest code, seen askew
    constexpr float modules_max = 200;
    const float mean = (corner.module_px + right.module_px + down.module_px) / 3;
    const float shorter = std::min(legs.right(), legs.down());
    const float longer = std::max(legs.right(), legs.down());
    if (shorter < modules_min * mean || longer > modules_max * mean) return std::nullopt;
    if (most > 1.7F * least || longer > 1.8F * shorter) return std::nullopt;
    if (std::abs(legs.lean()) > 0.5F) return std::nullopt;
    const float misfit = std::abs(legs.lean()) + (longer / shorter - 1) + (most / least - 1);
    return Triple{corner, right, down, misfit};
}

}  // namespace

std::vector<FinderPattern> find_patterns(const LumaFrame& contrasted) {
    std::vector<FinderPattern> patterns;
    for (int y = 0; y < contrasted.height; y += 2) scan_row(contrasted, y, patterns);
    std::ranges::stable_sort(patterns, std::greater{}, &FinderPattern::seen);
    std::erase_if(patterns, [](const FinderPattern& pattern) { return pattern.seen < 2; });
    if (patterns.size() > finder_patterns_max) patterns.resize(finder_patterns_max);
    return patterns;
}

std::vector<Triple> triples_of(const std::vector<FinderPattern>& patterns) {
    std::vector<Triple> triples;
    for (std::size_t corner = 0; corner < patterns.size(); ++corner) {
        for (std::size_t a = 0; a < patterns.size(); ++a) {
            for (std::size_t b = a + 1; b < patterns.size(); ++b) {
                if (a == corner || b == corner) continue;
                if (const auto triple = triple_of(patterns[corner], patterns[a], patterns[b]))
                    triples.push_back(*triple);
            }
        }
    }
    std::ranges::stable_sort(triples, {}, &Triple::misfit);
    if (triples.size() > triples_max) triples.resize(triples_max);
    return triples;
}

}  // namespace pf::firmware::scan
