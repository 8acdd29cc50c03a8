#pragma once
// The two changes to a picture that make a code readable which ZXing 1.4 does not read as it is.
#include "firmware/scan/frame.hpp"

namespace pf::firmware::scan {

/// Light becomes dark: codes shown in a telephone's dark mode.
LumaFrame inverted(const LumaFrame& frame);

/// Stretches each neighbourhood to the full range of grey, so that a code in weak light, under a
/// gradient or behind glass gets an edge. A neighbourhood that is flat but for noise stays flat:
/// otherwise noise would be blown up into patterns.
LumaFrame contrast_stretched(const LumaFrame& frame);

}  // namespace pf::firmware::scan
