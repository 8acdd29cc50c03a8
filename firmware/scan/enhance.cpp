#include "firmware/scan/enhance.hpp"

#include <algorithm>
#include <array>
#include <vector>

namespace pf::firmware::scan {

namespace {

constexpr int tile_px = 32;        // some modules of a code at arm's length, more than a speck
constexpr int flat_range_min = 8;  // grey levels; below is sensor noise on a flat wall

/// The darkest and lightest grey that count, a value a tile.
struct Tiles {
    int columns;
    int rows;
    std::vector<int> dark;
    std::vector<int> light;

    std::size_t at(int column, int row) const {
        return static_cast<std::size_t>(row) * static_cast<std::size_t>(columns) +
               static_cast<std::size_t>(column);
    }
};

/// The 5th and 95th of a hundred: single hot or dead pixels do not set the range.
std::pair<int, int> range_of(const LumaFrame& frame, int left, int top) {
    std::array<int, 256> histogram{};
    const int right = std::min(left + tile_px, frame.width);
    const int bottom = std::min(top + tile_px, frame.height);
    for (int y = top; y < bottom; ++y) {
        const Byte* row = frame.row(y);
        for (int x = left; x < right; ++x) ++histogram[row[x]];
    }
    const int cut = (right - left) * (bottom - top) / 20;
    int dark = 0;
    for (int seen = histogram[0]; seen <= cut;) seen += histogram[static_cast<std::size_t>(++dark)];
    int light = 255;
    for (int seen = histogram[255]; seen <= cut;) {
        seen += histogram[static_cast<std::size_t>(--light)];
    }
    return {dark, std::max(dark, light)};
}

Tiles measure(const LumaFrame& frame) {
    Tiles tiles{
        (frame.width + tile_px - 1) / tile_px, (frame.height + tile_px - 1) / tile_px, {}, {}};
    const auto count =
        static_cast<std::size_t>(tiles.columns) * static_cast<std::size_t>(tiles.rows);
    tiles.dark.reserve(count);
    tiles.light.reserve(count);
    for (int row = 0; row < tiles.rows; ++row) {
        for (int column = 0; column < tiles.columns; ++column) {
            const auto [dark, light] = range_of(frame, column * tile_px, row * tile_px);
            tiles.dark.push_back(dark);
            tiles.light.push_back(light);
        }
    }
    return tiles;
}

/// Each tile takes the range of itself and its neighbours: a tile inside one large dark module
/// must not become grey.
Tiles widened(const Tiles& tiles) {
    Tiles wide = tiles;
    for (int row = 0; row < tiles.rows; ++row) {
        for (int column = 0; column < tiles.columns; ++column) {
            int& dark = wide.dark[wide.at(column, row)];
            int& light = wide.light[wide.at(column, row)];
            for (int r = std::max(row - 1, 0); r <= std::min(row + 1, tiles.rows - 1); ++r) {
                for (int c = std::max(column - 1, 0); c <= std::min(column + 1, tiles.columns - 1);
                     ++c) {
                    dark = std::min(dark, tiles.dark[tiles.at(c, r)]);
                    light = std::max(light, tiles.light[tiles.at(c, r)]);
                }
            }
            if (light - dark < flat_range_min) {
                const int middle = (light + dark) / 2;
                dark = middle - 128;
                light = middle + 128;
            }
        }
    }
    return wide;
}

/// Where a pixel lies between tile centres: the tile before it, the one after, the weight of the
/// latter in 1/tile_px.
struct Between {
    int before;
    int after;
    int weight;
};

Between between(int pixel, int tiles) {
    const int shifted = pixel - tile_px / 2;
    if (shifted < 0) return {0, 0, 0};
    const int before = std::min(shifted / tile_px, tiles - 1);
    return {before, std::min(before + 1, tiles - 1), shifted % tile_px};
}

}  // namespace

LumaFrame inverted(const LumaFrame& frame) {
    LumaFrame out = frame;
    for (Byte& pixel : out.pixels) pixel = static_cast<Byte>(255 - pixel);
    return out;
}

LumaFrame contrast_stretched(const LumaFrame& frame) {
    if (frame.width < 1 || frame.height < 1) return frame;
    const Tiles tiles = widened(measure(frame));
    std::vector<Between> across;
    across.reserve(static_cast<std::size_t>(frame.width));
    for (int x = 0; x < frame.width; ++x) across.push_back(between(x, tiles.columns));

    // Ranges are interpolated between tile centres; a step at a tile's border would be an edge
    // that is not in the picture.
    std::vector<int> dark(static_cast<std::size_t>(tiles.columns));
    std::vector<int> light(static_cast<std::size_t>(tiles.columns));
    LumaFrame out = LumaFrame::filled(frame.width, frame.height, 0);
    for (int y = 0; y < frame.height; ++y) {
        const Between down = between(y, tiles.rows);
        for (int c = 0; c < tiles.columns; ++c) {
            const std::size_t above = tiles.at(c, down.before);
            const std::size_t below = tiles.at(c, down.after);
            const auto mix = [&](const std::vector<int>& of) {
                return of[above] * (tile_px - down.weight) + of[below] * down.weight;
            };
            dark[static_cast<std::size_t>(c)] = mix(tiles.dark);
            light[static_cast<std::size_t>(c)] = mix(tiles.light);
        }
        const Byte* from = frame.row(y);
        Byte* to = out.row(y);
        for (int x = 0; x < frame.width; ++x) {
            const Between& at = across[static_cast<std::size_t>(x)];
            const auto before = static_cast<std::size_t>(at.before);
            const auto after = static_cast<std::size_t>(at.after);
            const int low = dark[before] * (tile_px - at.weight) + dark[after] * at.weight;
            const int high = light[before] * (tile_px - at.weight) + light[after] * at.weight;
            const int value = from[x] * tile_px * tile_px - low;
            to[x] = static_cast<Byte>(std::clamp(value * 255 / std::max(high - low, 1), 0, 255));
        }
    }
    return out;
}

}  // namespace pf::firmware::scan
