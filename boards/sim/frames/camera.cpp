// A pinhole camera before codes on paper: geometry (sheet), light, lens, sensor.
#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "boards/sim/frames/frames.hpp"
#include "boards/sim/frames/lens.hpp"
#include "boards/sim/frames/noise.hpp"
#include "boards/sim/frames/sheet.hpp"

namespace pf::boards::sim::frames {

using firmware::scan::LumaFrame;

namespace {

struct Greys {
    double ground;
    double light;
    double dark;
    double dirt;
};

Greys greys_of(const FrameOptions& options) {
    constexpr double middle = 127.5;
    constexpr double swing = 107.5;
    const double ground = middle + 0.4 * swing * options.contrast;
    return {.ground = options.inverted ? 255 - ground : ground,
            .light = middle + swing * options.contrast,
            .dark = middle - swing * options.contrast,
            .dirt = middle};
}

/// What the hand does between two pictures of one scene.
struct Shake {
    double right_px = 0;
    double down_px = 0;
    double turn_deg = 0;
};

Shake shake_of(const FrameOptions& options) {
    if (options.shot == 0) return {};
    Noise hand{options.seed * 0x9e3779b97f4a7c15U + static_cast<std::uint64_t>(options.shot)};
    const double reach = 0.01 * options.height;
    return {hand.between(-reach, reach), hand.between(-reach, reach), hand.between(-1.5, 1.5)};
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
            double grey = greys.ground;
            for (const Sheet& sheet : sheets) {
                const Seen seen = sheet.seen_by(ray);
                if (seen == Seen::ground) continue;
                const bool bright = (seen == Seen::light) != sheet.inverted();
                grey = seen == Seen::dirt ? greys.dirt : bright ? greys.light : greys.dark;
                break;
            }
            sum += grey;
        }
    }
    return sum / 4;
}

/// What the scene alone decides, in the order its numbers are drawn: an old seed keeps its picture.
struct Directions {
    explicit Directions(Noise& noise)
        : tilt_about(2 * std::numbers::pi * noise.unit()),
          light_from(2 * std::numbers::pi * noise.unit()) {}
    double tilt_about;
    double light_from;
};

Light light_of(const std::vector<Sheet>& sheets, double light_from, const FrameOptions& options) {
    Light light{options.width, options.height, {}};
    light.levels.reserve(static_cast<std::size_t>(options.width) *
                         static_cast<std::size_t>(options.height));
    const Greys greys = greys_of(options);
    for (int y = 0; y < options.height; ++y) {
        for (int x = 0; x < options.width; ++x) {
            // 0 on the bright side of the picture, 1 on the dark one.
            const double across =
                0.5 + (x / static_cast<double>(options.width) - 0.5) * std::cos(light_from) * 0.7 +
                (y / static_cast<double>(options.height) - 0.5) * std::sin(light_from) * 0.7;
            const double lit = (1 - options.gradient * across) * options.brightness;
            light.levels.push_back(grey_at(x, y, sheets, greys, options) * lit);
        }
    }
    return light;
}

void blur(Light& light, const std::vector<Sheet>& sheets, const FrameOptions& options,
          double direction) {
    const double module_px = sheets.empty() ? 0 : sheets.front().module_px();
    if (options.blur_px > 0) box_blur(light, options.blur_px);
    if (options.defocus > 0) defocus(light, options.defocus * module_px);
    if (options.motion > 0) motion_blur(light, options.motion * module_px, direction);
}

}  // namespace

LumaFrame make_frame(std::span<const Placed> codes, const FrameOptions& wanted) {
    FrameOptions options = wanted;
    const Shake shake = shake_of(options);
    options.rotation_deg += shake.turn_deg;
    Noise noise{options.seed};
    const Directions directions{noise};
    Noise defects{options.seed ^
                  0x5ce9eU};  // numbers of their own: older pictures stay as they are
    const double curve_along = 2 * std::numbers::pi * defects.unit();
    const double moved_along = 2 * std::numbers::pi * defects.unit();
    std::vector<Sheet> sheets;
    for (const Placed& code : codes) {
        Placed placed = code;
        placed.centre_x += shake.right_px / options.width;
        placed.centre_y += shake.down_px / options.height;
        sheets.emplace_back(placed, code.matrix, options, directions.tilt_about, curve_along);
    }

    Light light = light_of(sheets, directions.light_from, options);
    if (options.glare > 0 && !sheets.empty()) {
        const Sheet& sheet = sheets.front();
        const double side_px = sheet.side_px();
        const double aside = 0.3 * side_px;
        add_glare(light, {.x_px = sheet.centre_x_px() + defects.between(-aside, aside),
                          .y_px = sheet.centre_y_px() + defects.between(-aside, aside),
                          .radius_px = options.glare * side_px,
                          .direction = defects.between(0, std::numbers::pi)});
    }
    blur(light, sheets, options, moved_along);

    if (options.shot > 0) noise = Noise{defects.next() + static_cast<std::uint64_t>(options.shot)};
    LumaFrame frame = LumaFrame::filled(options.width, options.height, 0);
    for (std::size_t i = 0; i < light.levels.size(); ++i) {
        const double grey =
            light.levels[i] + (options.noise > 0 ? options.noise * noise.normal() : 0);
        frame.pixels[i] = static_cast<Byte>(std::clamp(std::lround(grey), 0L, 255L));
    }
    return frame;
}

LumaFrame make_frame(const Matrix& matrix, const FrameOptions& options) {
    const Placed one{.matrix = matrix};
    return make_frame(std::span{&one, 1}, options);
}

}  // namespace pf::boards::sim::frames
