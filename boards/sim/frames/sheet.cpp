// For each pixel its ray is cut with the plane, or the cylinder, of the paper.
#include "boards/sim/frames/sheet.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "boards/sim/frames/noise.hpp"

namespace pf::boards::sim::frames {

namespace {

double dot(const Vector& a, const Vector& b) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }
Vector cross(const Vector& a, const Vector& b) {
    return {a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]};
}

/// Turns about a unit axis (Rodrigues).
Vector turned(const Vector& v, const Vector& axis, double angle) {
    const Vector side = cross(axis, v);
    const double along = dot(axis, v) * (1 - std::cos(angle));
    Vector out{};
    for (std::size_t i = 0; i < 3; ++i) {
        out[i] = v[i] * std::cos(angle) + side[i] * std::sin(angle) + axis[i] * along;
    }
    return out;
}

double radians(double degrees) { return degrees * std::numbers::pi / 180; }

}  // namespace

Damage::Damage(int side_modules, double share, std::uint64_t seed)
    : side_(side_modules + 2 * quiet_zone_modules) {
    if (share <= 0) return;
    const int side_cells = side_ * cells_per_module;
    cells_.assign(static_cast<std::size_t>(side_cells) * static_cast<std::size_t>(side_cells),
                  Seen::ground);
    Noise noise{seed};
    const double side = side_modules;
    const auto kind = [&] { return noise.unit() < 0.5 ? Seen::light : Seen::dark; };
    const auto scratches = static_cast<int>(std::lround(share * 12));
    for (int i = 0; i < scratches; ++i) {
        const double column = noise.between(-2, side + 2);
        const double row = noise.between(-2, side + 2);
        const double angle = noise.between(0, 2 * std::numbers::pi);
        const double length = noise.between(0.3, 0.9) * side;
        const double radius = noise.between(0.15, 0.45);
        const Seen what = kind();
        for (double at = -length / 2; at < length / 2; at += 0.1) {
            blot(column + at * std::cos(angle), row + at * std::sin(angle), radius, what);
        }
    }
    const auto blots = static_cast<int>(std::lround(share * 10));
    for (int i = 0; i < blots; ++i) {
        const double column = noise.between(0, side);
        const double row = noise.between(0, side);
        const double radius = noise.between(0.02, 0.075) * side;
        blot(column, row, radius, noise.unit() < 0.3 ? Seen::dirt : kind());
    }
}

void Damage::blot(double column, double row, double radius, Seen what) {
    const int side_cells = side_ * cells_per_module;
    const auto cell = [](double modules) {
        return static_cast<int>(std::floor((modules + quiet_zone_modules) * cells_per_module));
    };
    const auto clamped = [&](int value) { return std::clamp(value, 0, side_cells - 1); };
    for (int y = clamped(cell(row - radius)); y <= clamped(cell(row + radius)); ++y) {
        for (int x = clamped(cell(column - radius)); x <= clamped(cell(column + radius)); ++x) {
            const double dx = (x + 0.5) / cells_per_module - quiet_zone_modules - column;
            const double dy = (y + 0.5) / cells_per_module - quiet_zone_modules - row;
            if (dx * dx + dy * dy > radius * radius) continue;
            cells_[static_cast<std::size_t>(y) * static_cast<std::size_t>(side_cells) +
                   static_cast<std::size_t>(x)] = what;
        }
    }
}

Seen Damage::at(double column, double row) const {
    const int side_cells = side_ * cells_per_module;
    const auto x = static_cast<int>((column + quiet_zone_modules) * cells_per_module);
    const auto y = static_cast<int>((row + quiet_zone_modules) * cells_per_module);
    if (x < 0 || y < 0 || x >= side_cells || y >= side_cells) return Seen::ground;
    return cells_[static_cast<std::size_t>(y) * static_cast<std::size_t>(side_cells) +
                  static_cast<std::size_t>(x)];
}

Sheet::Sheet(const Placed& placed, const Matrix& matrix, const FrameOptions& options,
             double tilt_about, double curve_along)
    : matrix_(&matrix),
      damage_(matrix.side, options.damage, options.seed ^ 0xda3a9eU),
      damaged_(options.damage > 0),
      inverted_(options.inverted != placed.inverted),
      module_px_(placed.scale * options.size * options.height /
                 (matrix.side + 2 * quiet_zone_modules)),
      centre_x_px_(placed.centre_x * options.width),
      centre_y_px_(placed.centre_y * options.height) {
    const double focal = options.width;  // about 53 degrees across, an ordinary lens
    const Vector axis{std::cos(tilt_about), std::sin(tilt_about), 0};
    const Vector view{0, 0, 1};
    const double turn = radians(options.rotation_deg + placed.rotation_deg);
    const double tilt = radians(options.tilt_deg);
    const auto posed = [&](const Vector& v) { return turned(turned(v, view, turn), axis, tilt); };
    centre_ = {centre_x_px_ - options.width / 2.0, centre_y_px_ - options.height / 2.0, focal};
    right_ = posed({1, 0, 0});
    down_ = posed({0, 1, 0});
    normal_ = posed({0, 0, 1});
    if (options.curve_deg > 0) {
        radius_px_ = side_px() / radians(options.curve_deg);
        axis_cos_ = std::cos(curve_along);
        axis_sin_ = std::sin(curve_along);
    }
}

Seen Sheet::seen_by(const Vector& ray) const {
    // The ray in the paper's own directions, seen from the code's centre.
    const double ray_right = dot(right_, ray);
    const double ray_down = dot(down_, ray);
    const double ray_deep = dot(normal_, ray);
    const double eye_right = -dot(right_, centre_);
    const double eye_down = -dot(down_, centre_);
    const double eye_deep = -dot(normal_, centre_);
    if (radius_px_ <= 0) {
        if (std::abs(ray_deep) < 1e-9) return Seen::ground;
        const double reach = -eye_deep / ray_deep;
        return at(eye_right + reach * ray_right, eye_down + reach * ray_down);
    }
    // The cylinder touches the paper's plane along its axis and bends away from the camera.
    const double eye_across = -axis_sin_ * eye_right + axis_cos_ * eye_down;
    const double ray_across = -axis_sin_ * ray_right + axis_cos_ * ray_down;
    const double eye_inside = eye_deep - radius_px_;
    const double a = ray_across * ray_across + ray_deep * ray_deep;
    const double b = eye_across * ray_across + eye_inside * ray_deep;
    const double c = eye_across * eye_across + eye_inside * eye_inside - radius_px_ * radius_px_;
    const double root = b * b - a * c;
    if (a < 1e-9 || root < 0) return Seen::ground;
    const double reach = (-b - std::sqrt(root)) / a;
    const double across =
        radius_px_ * std::atan2(eye_across + reach * ray_across, -(eye_inside + reach * ray_deep));
    const double along =
        axis_cos_ * (eye_right + reach * ray_right) + axis_sin_ * (eye_down + reach * ray_down);
    return at(axis_cos_ * along - axis_sin_ * across, axis_sin_ * along + axis_cos_ * across);
}

Seen Sheet::at(double across_px, double down_px) const {
    const double half = matrix_->side / 2.0;
    const double column = across_px / module_px_ + half;
    const double row = down_px / module_px_ + half;
    const double far = matrix_->side + quiet_zone_modules;
    if (column < -quiet_zone_modules || row < -quiet_zone_modules) return Seen::ground;
    if (column >= far || row >= far) return Seen::ground;
    if (damaged_) {
        const Seen lying_there = damage_.at(column, row);
        if (lying_there != Seen::ground) return lying_there;
    }
    if (column < 0 || row < 0 || column >= matrix_->side || row >= matrix_->side) {
        return Seen::light;
    }
    return matrix_->at(static_cast<int>(column), static_cast<int>(row)) ? Seen::dark : Seen::light;
}

}  // namespace pf::boards::sim::frames
