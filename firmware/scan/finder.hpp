#pragma once
// The three squares by which a QR code is found, in pictures too bent or blurred for ZXing.
#include <vector>

#include "firmware/scan/frame.hpp"

namespace pf::firmware::scan {

struct Spot {
    float x = 0;  // pixels of the frame
    float y = 0;
};

struct FinderPattern {
    Spot centre{};
    float module_px = 0;
    int seen = 1;  // how many rows met it
};

inline constexpr std::size_t finder_patterns_max = 16;

/// Squares of 1:1:3:1:1, dark on light, those that most rows met first.
/// @param contrasted dark is below 128, as `pass_band` leaves it
std::vector<FinderPattern> find_patterns(const LumaFrame& contrasted);

/// Three of them that may belong to one code, in the code's own order.
struct Triple {
    FinderPattern top_left{};
    FinderPattern top_right{};
    FinderPattern bottom_left{};
    float misfit = 0;  // 0: the right angle, equal legs and equal squares of a code seen from ahead
};

inline constexpr std::size_t triples_max = 3;

/// The likeliest first.
std::vector<Triple> triples_of(const std::vector<FinderPattern>& patterns);

}  // namespace pf::firmware::scan
