#pragma once
// Where a code's modules lie in a frame when its paper is not flat.
#include <array>
#include <vector>

#include "firmware/scan/finder.hpp"
#include "firmware/scan/frame.hpp"

namespace pf::firmware::scan {

/// A point of the code, in modules from its top left corner, and where the frame shows it.
struct Anchor {
    float column = 0;
    float row = 0;
    Spot spot{};
};

/// From modules to pixels: a polynomial of third degree near the anchors. Needs three that are not
/// on one line, and takes the code for flat then.
class Warp {
public:
    Warp(int side_modules, const std::vector<Anchor>& anchors);
    Spot at(float column, float row) const;

private:
    static constexpr std::size_t terms_count = 10;
    using Terms = std::array<double, terms_count>;
    Terms terms(float column, float row) const;

    double half_;  // of the side: the polynomial's variables run from -1 to 1
    Terms x_{};
    Terms y_{};
};

/// Between pixels; beyond the border the border's grey.
float grey_at(const LumaFrame& frame, Spot spot);

}  // namespace pf::firmware::scan
