#pragma once
// A QR code's modules, sampled one by one and drawn again as they should have looked.
#include <cstdint>
#include <vector>

#include "firmware/scan/frame.hpp"
#include "firmware/scan/sampler.hpp"
#include "firmware/scan/warp.hpp"

namespace pf::firmware::scan {

/// What sampling a code of this size once and drawing it twice costs (sampler.hpp).
std::int64_t samples_for(int side);

/// The greys of all modules, row by row.
std::vector<float> modules_of(Sampler& greys, const Warp& warp, int side);

struct Drawing {
    LumaFrame picture{};
    float disagreement = 0;  // share of the modules drawn by rule that looked otherwise
};
/// What a blurred neighbour shone into a module is taken out again.
/// @param share of the difference to its neighbours that is added to it
Drawing drawn(const std::vector<float>& modules, int side, float share);

}  // namespace pf::firmware::scan
