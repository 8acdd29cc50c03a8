#pragma once
// What a lens and a moving hand do to the light of a picture; nothing outside this room includes
// it.
#include <vector>

namespace pf::boards::sim::frames {

/// Light before the sensor: grey levels, not yet cut off at black and white.
struct Light {
    int width;
    int height;
    std::vector<double> levels;  // width * height, rows from the top
};

/// Averages over 2 * radius + 1 pixels, across and then down, edges repeated.
void box_blur(Light& light, int radius);
/// Out of focus: a point becomes a disc.
void defocus(Light& light, double radius_px);
/// Moved while the shutter was open: a point becomes a line.
void motion_blur(Light& light, double length_px, double direction);

/// A lamp or the sun mirrored by glass or foil: burnt out inside, veiled around.
struct Glare {
    double x_px;
    double y_px;
    double radius_px;  // of the burnt-out middle, along the longer axis
    double direction;  // of the longer axis, radians; the other is half of it
};
void add_glare(Light& light, const Glare& glare);

}  // namespace pf::boards::sim::frames
