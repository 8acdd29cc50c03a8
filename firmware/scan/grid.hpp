#pragma once
// A QR code's modules, read one by one from paper that is not flat, and drawn again as they should
// have looked. ZXing 1.4 takes every code for flat; it decodes what this draws.
#include <array>
#include <functional>

#include "firmware/scan/finder.hpp"
#include "firmware/scan/frame.hpp"
#include "firmware/scan/sampler.hpp"

namespace pf::firmware::scan {

/// Finder and timing patterns are drawn as they must be; where less of them was seen there is no
/// code of this size.
inline constexpr float disagreement_max = 0.25F;

/// A code drawn clean, with its quiet zone, and where in the frame its corners lie.
struct CleanCode {
    LumaFrame picture{};
    std::array<Spot, 4> corners{};
    float disagreement = 0;  // drawing.hpp
};

/// Draws what the triple's code may be, the likeliest size first, until `decodes` says true or no
/// more greys may be asked for.
/// @return whether it did
bool straighten(Sampler& greys, const Triple& triple,
                const std::function<bool(const CleanCode&)>& decodes);

}  // namespace pf::firmware::scan
