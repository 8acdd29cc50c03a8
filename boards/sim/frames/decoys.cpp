// Frames without a ticket.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numbers>

#include "boards/sim/frames/defects.hpp"
#include "boards/sim/frames/lens.hpp"
#include "boards/sim/frames/noise.hpp"

namespace pf::boards::sim::frames {

using firmware::scan::LumaFrame;

namespace {

constexpr int width_px = 640;
constexpr int height_px = 480;

Light even(double level) {
    return {width_px, height_px, std::vector<double>(std::size_t{width_px} * height_px, level)};
}

void fill(Light& light, double left, double top, double right, double bottom, double level) {
    const auto column = [&](double x) { return std::clamp(static_cast<int>(x), 0, light.width); };
    const auto row = [&](double y) { return std::clamp(static_cast<int>(y), 0, light.height); };
    for (int y = row(top); y < row(bottom); ++y) {
        for (int x = column(left); x < column(right); ++x) {
            light.levels[static_cast<std::size_t>(y * light.width + x)] = level;
        }
    }
}

void disc(Light& light, double centre_x, double centre_y, double radius, double level) {
    for (double y = -radius; y <= radius; ++y) {
        const double half = std::sqrt(radius * radius - y * y);
        fill(light, centre_x - half, centre_y + y, centre_x + half, centre_y + y + 1, level);
    }
}

/// As the sensor delivers it.
LumaFrame sensed(const Light& light, double deviation, Noise& noise) {
    LumaFrame frame = LumaFrame::filled(light.width, light.height, 0);
    for (std::size_t i = 0; i < light.levels.size(); ++i) {
        const double grey = light.levels[i] + deviation * noise.normal();
        frame.pixels[i] = static_cast<Byte>(std::clamp(std::lround(grey), 0L, 255L));
    }
    return frame;
}

Light poster(Noise& noise) {
    Light light = even(noise.between(40, 230));
    const int shapes = 10 + static_cast<int>(noise.between(0, 30));
    for (int i = 0; i < shapes; ++i) {
        const double x = noise.between(-50, width_px);
        const double y = noise.between(-50, height_px);
        const double side = noise.between(8, 160);
        const double level = noise.between(0, 255);
        if (noise.unit() < 0.4) disc(light, x, y, side / 2, level);
        // Frames in frames: the sequence dark-light-dark is what a finder pattern is known by.
        for (double inset = 0; inset < side / 2; inset += side / 7 * (1 + noise.unit())) {
            fill(light, x + inset, y + inset, x + side - inset, y + side - inset,
                 noise.unit() < 0.5 ? noise.between(0, 60) : noise.between(190, 255));
        }
    }
    for (double line = noise.between(0, 40); line < height_px; line += noise.between(9, 30)) {
        const double tall = noise.between(3, 9);
        for (double x = noise.between(0, 200); x < width_px; x += noise.between(1, 9)) {
            const double wide = noise.between(1, 7);
            if (noise.unit() < 0.6) fill(light, x, line, x + wide, line + tall, 30);
            x += wide;
        }
    }
    return light;
}

Light stripes(Noise& noise) {
    Light light = even(200);
    const int codes = 1 + static_cast<int>(noise.between(0, 4));
    for (int i = 0; i < codes; ++i) {
        const double module = noise.between(1, 4);
        const double top = noise.between(0, height_px - 60);
        double x = noise.between(0, width_px / 2.0);
        fill(light, x - 10 * module, top - 5, x + 120 * module, top + 125, 240);
        for (int bar = 0; bar < 30; ++bar) {
            const double wide = module * (1 + static_cast<int>(noise.between(0, 4)));
            fill(light, x, top, x + wide, top + 120, 20);
            x += wide + module * (1 + static_cast<int>(noise.between(0, 4)));
        }
    }
    return light;
}

Light blocks(Noise& noise) {
    Light light = even(noise.between(120, 240));
    const double module = noise.between(3, 12);
    const int side = 12 + static_cast<int>(noise.between(0, 28));
    const double left = noise.between(0, 150);
    const double top = noise.between(0, 60);
    const bool bulls_eye = noise.unit() < 0.5;
    fill(light, left - 2 * module, top - 2 * module, left + (side + 2) * module,
         top + (side + 2) * module, 235);
    for (int row = 0; row < side; ++row) {
        for (int column = 0; column < side; ++column) {
            const int ring = static_cast<int>(
                std::max(std::abs(column - side / 2.0), std::abs(row - side / 2.0)));
            bool dark = noise.unit() < 0.5;
            if (bulls_eye && ring < 6) dark = ring % 2 == 0;
            if (!bulls_eye && (column == 0 || row == side - 1)) dark = true;
            if (!bulls_eye && (row == 0 || column == side - 1)) dark = (row + column) % 2 == 0;
            if (!dark) continue;
            fill(light, left + column * module, top + row * module, left + (column + 1) * module,
                 top + (row + 1) * module, 20);
        }
    }
    return light;
}

/// Finder patterns, timing and format are whole; of the rest nearly half is drawn by lot.
Matrix broken(Matrix matrix, Noise& noise) {
    const double share = noise.between(0.35, 1);
    for (int row = 0; row < matrix.side; ++row) {
        for (int column = 0; column < matrix.side; ++column) {
            const bool left = column < 9;
            const bool right = column >= matrix.side - 8;
            const bool corner = (row < 9 && (left || right)) || (row >= matrix.side - 8 && left);
            if (corner || noise.unit() > share) continue;
            const auto at = static_cast<std::size_t>(row * matrix.side + column);
            matrix.dark[at] = noise.unit() < 0.5;
        }
    }
    return matrix;
}

std::string foreign_text(Noise& noise) {
    std::string text = "https://example.cn/";
    const int letters = 4 + static_cast<int>(noise.between(0, 60));
    for (int i = 0; i < letters; ++i) text += static_cast<char>('a' + noise.next() % 26);
    return text;
}

}  // namespace

DecoyFrame decoy_frame(Decoy decoy, std::uint64_t seed) {
    Noise noise{seed ^ 0xdec0U};
    const double deviation = noise.between(0, 20);
    const auto plain = [&](const Light& light) {
        return DecoyFrame{sensed(light, deviation, noise), {}};
    };
    switch (decoy) {
        case Decoy::poster:
            return plain(poster(noise));
        case Decoy::noise:
            return {sensed(even(noise.between(0, 255)), noise.between(1, 90), noise), {}};
        case Decoy::stripes:
            return plain(stripes(noise));
        case Decoy::blocks:
            return plain(blocks(noise));
        case Decoy::broken_code: {
            const auto whole = render_qr(foreign_text(noise));
            const Matrix torn = broken(whole.value(), noise);
            return {make_frame(
                        torn,
                        {.seed = seed, .rotation_deg = noise.between(-30, 30), .noise = deviation}),
                    {}};
        }
        case Decoy::foreign_code: {
            DecoyFrame made{{}, foreign_text(noise)};
            const auto matrix = render_qr(made.text);
            const auto which = static_cast<std::size_t>(noise.next() % (defects.size() - 1));
            const int severity = 1 + static_cast<int>(noise.next() % severity_max);
            made.frame =
                hard_scene(defects[which], severity, seed, std::span{&matrix.value(), 1}).frame(1);
            return made;
        }
    }
    std::abort();  // a value outside the enum means memory is corrupt
}

std::string_view to_text(Decoy decoy) noexcept {
    switch (decoy) {
        case Decoy::poster:
            return "poster";
        case Decoy::noise:
            return "noise";
        case Decoy::stripes:
            return "stripes";
        case Decoy::blocks:
            return "blocks";
        case Decoy::broken_code:
            return "broken_code";
        case Decoy::foreign_code:
            return "foreign_code";
    }
    std::abort();  // a value outside the enum means memory is corrupt
}

}  // namespace pf::boards::sim::frames
