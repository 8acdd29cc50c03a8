// A pinhole camera before a flat code: for each pixel its ray is cut with the plane of the paper.
#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "boards/sim/frames/frames.hpp"

namespace pf::boards::sim::frames {

using firmware::scan::LumaFrame;

namespace {

/// SplitMix64: the same numbers everywhere, which the distributions of std:: do not promise.
class Noise {
public:
    explicit Noise(std::uint64_t seed) : state_(seed) {}

    double unit() { return static_cast<double>(next() >> 11U) * 0x1.0p-53; }

    /// About normal, deviation 1: the sum of four even ones is close enough for a sensor.
    double normal() {
        const std::uint64_t bits = next();
        std::int64_t sum = 0;
        for (unsigned i = 0; i < 4; ++i) {
            sum += static_cast<std::int64_t>((bits >> (16U * i)) & 0xffffU);
        }
        constexpr double deviation = 37837.0;  // of that sum: 65536 * sqrt(4 / 12)
        return (static_cast<double>(sum) - 2.0 * 65535.0) / deviation;
    }

private:
    std::uint64_t next() {
        state_ += 0x9e3779b97f4a7c15U;
        std::uint64_t value = state_;
        value = (value ^ (value >> 30U)) * 0xbf58476d1ce4e5b9U;
        value = (value ^ (value >> 27U)) * 0x94d049bb133111ebU;
        return value ^ (value >> 31U);
    }

    std::uint64_t state_;
};

using Vector = std::array<double, 3>;
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

/// The paper in the camera's space: pixels are its unit, the lens is the origin.
struct Sheet {
    const Matrix* matrix;
    Vector centre;
    Vector right;   // unit, along the code's rows
    Vector down;    // unit, along its columns
    Vector normal;  // unit
    double module_px;

    /// 0: beside the paper; 1: light; 2: dark.
    int seen_by(const Vector& ray) const {
        const double facing = dot(normal, ray);
        if (std::abs(facing) < 1e-9) return 0;
        const double reach = dot(normal, centre) / facing;
        const Vector at{reach * ray[0] - centre[0], reach * ray[1] - centre[1],
                        reach * ray[2] - centre[2]};
        const double half = matrix->side / 2.0;
        const double column = dot(right, at) / module_px + half;
        const double row = dot(down, at) / module_px + half;
        const double far = matrix->side + quiet_zone_modules;
        if (column < -quiet_zone_modules || row < -quiet_zone_modules) return 0;
        if (column >= far || row >= far) return 0;
        if (column < 0 || row < 0 || column >= matrix->side || row >= matrix->side) return 1;
        return matrix->at(static_cast<int>(column), static_cast<int>(row)) ? 2 : 1;
    }
};

double radians(double degrees) { return degrees * std::numbers::pi / 180; }

Sheet place(const Placed& placed, const FrameOptions& options, double tilt_about) {
    const double focal = options.width;  // about 53 degrees across, an ordinary lens
    const Vector axis{std::cos(tilt_about), std::sin(tilt_about), 0};
    const Vector view{0, 0, 1};
    const double turn = radians(options.rotation_deg);
    const double tilt = radians(options.tilt_deg);
    const auto posed = [&](const Vector& v) { return turned(turned(v, view, turn), axis, tilt); };
    return {
        .matrix = &placed.matrix,
        .centre = {(placed.centre_x - 0.5) * options.width,
                   (placed.centre_y - 0.5) * options.height, focal},
        .right = posed({1, 0, 0}),
        .down = posed({0, 1, 0}),
        .normal = posed({0, 0, 1}),
        .module_px = options.size * options.height / (placed.matrix.side + 2 * quiet_zone_modules)};
}

struct Greys {
    double ground;
    double light;
    double dark;
};

Greys greys_of(const FrameOptions& options) {
    constexpr double middle = 127.5;
    constexpr double swing = 107.5;
    Greys greys{.ground = middle + 0.4 * swing * options.contrast,
                .light = middle + swing * options.contrast,
                .dark = middle - swing * options.contrast};
    if (options.inverted) {
        std::swap(greys.light, greys.dark);
        greys.ground = 255 - greys.ground;
    }
    return greys;
}

/// Rays through four points of a pixel: edges get the greys a lens gives them.
double grey_at(int x, int y, const std::vector<Sheet>& sheets, const Greys& greys,
               const FrameOptions& options) {
    constexpr std::array offsets{0.25, 0.75};
    double sum = 0;
    for (const double up : offsets) {
        for (const double left : offsets) {
            const Vector ray{x + left - options.width / 2.0, y + up - options.height / 2.0,
                             static_cast<double>(options.width)};
            int seen = 0;
            for (const Sheet& sheet : sheets) seen = seen != 0 ? seen : sheet.seen_by(ray);
            sum += seen == 0 ? greys.ground : seen == 1 ? greys.light : greys.dark;
        }
    }
    return sum / 4;
}

/// Averages over 2 * radius + 1 pixels, across and then down, edges repeated.
void blur(std::vector<double>& light, int width, int height, int radius) {
    const auto pass = [&](int count, int length, int step, int next) {
        std::vector<double> line(static_cast<std::size_t>(length));
        for (int i = 0; i < count; ++i) {
            const auto at = [&](int j) -> double& {
                return light[static_cast<std::size_t>(i * next +
                                                      std::clamp(j, 0, length - 1) * step)];
            };
            for (int j = 0; j < length; ++j) {
                double sum = 0;
                for (int k = -radius; k <= radius; ++k) sum += at(j + k);
                line[static_cast<std::size_t>(j)] = sum / (2 * radius + 1);
            }
            for (int j = 0; j < length; ++j) at(j) = line[static_cast<std::size_t>(j)];
        }
    };
    pass(height, width, 1, width);
    pass(width, height, width, 1);
}

}  // namespace

LumaFrame make_frame(std::span<const Placed> codes, const FrameOptions& options) {
    Noise noise{options.seed};
    const double tilt_about = 2 * std::numbers::pi * noise.unit();
    const double light_from = 2 * std::numbers::pi * noise.unit();
    std::vector<Sheet> sheets;
    for (const Placed& placed : codes) sheets.push_back(place(placed, options, tilt_about));

    const Greys greys = greys_of(options);
    std::vector<double> light;
    light.reserve(static_cast<std::size_t>(options.width) *
                  static_cast<std::size_t>(options.height));
    for (int y = 0; y < options.height; ++y) {
        for (int x = 0; x < options.width; ++x) {
            // 0 on the bright side of the picture, 1 on the dark one.
            const double across =
                0.5 + (x / static_cast<double>(options.width) - 0.5) * std::cos(light_from) * 0.7 +
                (y / static_cast<double>(options.height) - 0.5) * std::sin(light_from) * 0.7;
            const double lit = 1 - options.gradient * across;
            light.push_back(grey_at(x, y, sheets, greys, options) * lit);
        }
    }
    if (options.blur_px > 0) blur(light, options.width, options.height, options.blur_px);

    LumaFrame frame = LumaFrame::filled(options.width, options.height, 0);
    for (std::size_t i = 0; i < light.size(); ++i) {
        const double grey = light[i] + (options.noise > 0 ? options.noise * noise.normal() : 0);
        frame.pixels[i] = static_cast<Byte>(std::clamp(std::lround(grey), 0L, 255L));
    }
    return frame;
}

LumaFrame make_frame(const Matrix& matrix, const FrameOptions& options) {
    const Placed one{.matrix = matrix};
    return make_frame(std::span{&one, 1}, options);
}

}  // namespace pf::boards::sim::frames
