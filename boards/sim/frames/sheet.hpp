#pragma once
// A code on paper in the space of a pinhole camera; nothing outside this room includes it.
#include <array>
#include <cstdint>
#include <vector>

#include "boards/sim/frames/frames.hpp"

namespace pf::boards::sim::frames {

using Vector = std::array<double, 3>;

/// What a ray from the camera meets.
enum class Seen { ground, light, dark, dirt };

/// Scratches and blots on a code, painted on a raster of `cells_per_module` with its quiet zone.
class Damage {
public:
    static constexpr int cells_per_module = 8;
    /// @param share 0: none; 1: more than any code bears
    Damage(int side_modules, double share, std::uint64_t seed);
    /// What lies on the paper there; `Seen::ground` where it is whole. Both from 0 at the code's
    /// top left corner, in modules.
    Seen at(double column, double row) const;

private:
    void blot(double column, double row, double radius, Seen what);

    int side_;  // modules, with the quiet zone
    std::vector<Seen> cells_;
};

/// The paper in the camera's space: pixels are its unit, the lens is the origin.
class Sheet {
public:
    /// @param tilt_about direction in the picture, radians
    /// @param curve_along direction of the cylinder's axis on the paper, radians
    /// @param matrix must outlive the sheet
    Sheet(const Placed& placed, const Matrix& matrix, const FrameOptions& options,
          double tilt_about, double curve_along);

    Seen seen_by(const Vector& ray) const;
    bool inverted() const { return inverted_; }
    double module_px() const { return module_px_; }
    /// Of the code's centre, from the picture's top left corner.
    double centre_x_px() const { return centre_x_px_; }
    double centre_y_px() const { return centre_y_px_; }
    double side_px() const { return module_px_ * matrix_->side; }

private:
    Seen at(double across_px, double down_px) const;

    const Matrix* matrix_;
    Damage damage_;
    bool damaged_;
    bool inverted_;
    double module_px_;
    double centre_x_px_;
    double centre_y_px_;
    Vector centre_;
    Vector right_;          // unit, along the code's rows
    Vector down_;           // unit, along its columns
    Vector normal_;         // unit, away from the camera
    double radius_px_ = 0;  // of the cylinder; 0 is flat
    double axis_cos_ = 1;
    double axis_sin_ = 0;
};

}  // namespace pf::boards::sim::frames
