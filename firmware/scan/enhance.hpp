#pragma once
// The changes to a picture that make a code readable which ZXing 1.4 does not read as it is. Each
// writes into a frame its caller keeps: a camera's frames are all of one size, so nothing is
// allocated but for the first.
#include <cstdint>
#include <vector>

#include "firmware/scan/frame.hpp"

namespace pf::firmware::scan {

/// Light becomes dark: codes shown in a telephone's dark mode.
void invert(LumaFrame& frame);

/// What is finer than a module goes (noise, scratches), what is coarser goes (shades, stains), the
/// rest is amplified (blur).
struct Band {
    int fine_px = 0;    // radius of the square that is averaged into a pixel
    int coarse_px = 0;  // radius of the square it is compared with
    int gain = 1;       // how often the difference is added
};
void pass_band(const LumaFrame& frame, const Band& band, LumaFrame& into);

/// A part of a frame, in its pixels.
struct Window {
    int left = 0;
    int top = 0;
    int width = 0;
    int height = 0;
};
/// The window of half the width and half the height in which brightness changes most, which is
/// where a code is if there is one. Frames smaller than 32 pixels are their own window.
Window busiest_window(const LumaFrame& frame);
/// Twice as wide and high, with greys between the pixels: ZXing finds codes of 1 to 2 pixels a
/// module in it.
void enlarge(const LumaFrame& frame, const Window& window, LumaFrame& into);

}  // namespace pf::firmware::scan
