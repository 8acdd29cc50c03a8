#include "boards/sim/frames/defects.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstdlib>

#include "boards/sim/frames/noise.hpp"

namespace pf::boards::sim::frames {

namespace {

/// `share` of the frame's height that gives a code so many pixels a module.
double size_for(double module_px, const Matrix& matrix, int height) {
    return module_px * (matrix.side + 2 * quiet_zone_modules) / height;
}

void befall(Defect defect, double severity, const Matrix& matrix, Noise& noise, FrameOptions& o) {
    switch (defect) {
        case Defect::glare:
            o.glare = 0.06 + 0.035 * severity;
            return;
        case Defect::damage:
            o.damage = 0.06 * severity;
            return;
        case Defect::low_light:
            o.contrast = 0.7;
            o.brightness = 0.5 * std::pow(0.75, severity - 1);
            o.gradient = 0.4;
            o.noise = 4 + severity;
            return;
        case Defect::curve:
            o.curve_deg = 10 * severity;
            return;
        case Defect::defocus:
            o.defocus = 0.35 + 0.15 * severity;
            return;
        case Defect::motion:
            o.motion = 0.5 + 0.35 * severity;
            return;
        case Defect::inversion:
            o.inverted = true;
            o.contrast = std::pow(0.76, severity - 1);
            return;
        case Defect::small:
            o.size = size_for(2.6 - 0.2 * severity, matrix, o.height);
            return;
        case Defect::very_large:
            // The code, not its quiet zone, ends where the picture ends.
            o.size = (0.8 + 0.02 * severity) * (matrix.side + 2 * quiet_zone_modules) / matrix.side;
            o.rotation_deg = noise.between(-1, 1);
            o.tilt_deg = 0;
            o.brightness = 1 - 0.08 * severity;
            o.defocus = 0.4;
            o.noise = 4 + 5 * severity;
            return;
        case Defect::several:
            o.noise = 2 * severity;
            return;
    }
    std::abort();  // a value outside the enum means memory is corrupt
}

/// On a grid with as many columns as rows fit squares of the picture.
void spread_out(std::span<const Matrix> codes, Scene& scene, Noise& noise) {
    const auto count = static_cast<int>(codes.size());
    const double aspect = static_cast<double>(scene.options.width) / scene.options.height;
    const int columns = static_cast<int>(std::ceil(std::sqrt(count * aspect)));
    const int rows = (count + columns - 1) / columns;
    scene.options.size = 0.85 * std::min(aspect / columns, 1.0 / rows);
    scene.options.tilt_deg = 0;
    for (int i = 0; i < count; ++i) {
        scene.codes.push_back({.matrix = codes[static_cast<std::size_t>(i)],
                               .centre_x = (i % columns + 0.5) / columns,
                               .centre_y = (i / columns + 0.5) / rows,
                               .rotation_deg = noise.between(-8, 8),
                               .inverted = i % 3 == 1});
    }
    scene.options.rotation_deg = 0;
}

}  // namespace

firmware::scan::LumaFrame Scene::frame(int shot) const {
    FrameOptions of_shot = options;
    of_shot.shot = shot;
    return make_frame(codes, of_shot);
}

int codes_in(Defect defect, int severity) {
    return defect == Defect::several ? std::min(severity + 1, 8) : 1;
}

Scene hard_scene(Defect defect, int severity, std::uint64_t seed, std::span<const Matrix> codes) {
    assert(severity >= 1 && severity <= severity_max);
    assert(codes.size() == static_cast<std::size_t>(codes_in(defect, severity)));
    Noise noise{seed ^ 0xdefec7U};
    Scene scene;
    scene.options.seed = seed;
    scene.options.noise = 4;
    scene.options.rotation_deg = noise.between(-30, 30);
    scene.options.tilt_deg = noise.between(0, 15);
    befall(defect, severity, codes.front(), noise, scene.options);
    if (codes.size() > 1)
        spread_out(codes, scene, noise);
    else
        scene.codes.push_back({.matrix = codes.front()});
    return scene;
}

std::string_view to_text(Defect defect) noexcept {
    switch (defect) {
        case Defect::glare:
            return "glare";
        case Defect::damage:
            return "damage";
        case Defect::low_light:
            return "low_light";
        case Defect::curve:
            return "curve";
        case Defect::defocus:
            return "defocus";
        case Defect::motion:
            return "motion";
        case Defect::inversion:
            return "inversion";
        case Defect::small:
            return "small";
        case Defect::very_large:
            return "very_large";
        case Defect::several:
            return "several";
    }
    std::abort();  // a value outside the enum means memory is corrupt
}

std::optional<Defect> defect_from(std::string_view text) {
    const auto found =
        std::ranges::find(defects, text, [](Defect defect) { return to_text(defect); });
    if (found == defects.end()) return std::nullopt;
    return *found;
}

}  // namespace pf::boards::sim::frames
