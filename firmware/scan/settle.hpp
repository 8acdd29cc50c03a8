#pragma once
// Modules are one grey each: where a guessed grid crosses borders, it lies beside the code.
#include <optional>
#include <vector>

#include "firmware/scan/sampler.hpp"
#include "firmware/scan/warp.hpp"

namespace pf::firmware::scan {

/// The square of modules around a place, moved from `here` to where its modules are most at rest.
/// Nothing where no place is much better than another: flat, burnt out, or not the code.
/// @param right, down one module's steps there
std::optional<Spot> at_rest(Sampler& greys, Spot here, Spot right, Spot down);

/// Lets the code settle patch by patch, from the finder patterns inwards, each beginning where the
/// ones before it ended; and bends to what they say.
/// @param anchors the middles of the finder patterns
Warp settled(Sampler& greys, const Warp& warp, int side, std::vector<Anchor> anchors);

}  // namespace pf::firmware::scan
