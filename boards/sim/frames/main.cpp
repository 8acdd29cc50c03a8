// paifang-camera: takes a simulated picture of a code, for the demo and for tests of whole
// processes.
#include <CLI/CLI.hpp>
#include <iostream>
#include <iterator>
#include <string>

#include "boards/sim/frames/frames.hpp"

int main(int argc, char** argv) {
    namespace frames = pf::boards::sim::frames;
    std::string text;
    std::string out;
    frames::FrameOptions options;
    CLI::App app{"paifang-camera: a picture of a code as a gate's camera takes it."};
    app.add_option("--text", text, "content of the code; absent: read from standard input");
    app.add_option("--out", out,
                   "PNG to write; put into place by rename, as a watched folder wants it")
        ->required();
    app.add_option("--seed", options.seed, "noise, light and direction of tilt");
    app.add_option("--rotation", options.rotation_deg, "degrees in the picture's plane");
    app.add_option("--tilt", options.tilt_deg, "degrees away from the camera");
    app.add_option("--noise", options.noise, "standard deviation in grey levels");
    app.add_option("--contrast", options.contrast, "1: full");
    app.add_option("--gradient", options.gradient, "share of light lost across the picture");
    app.add_option("--width", options.width, "pixels");
    app.add_option("--height", options.height, "pixels");
    app.add_flag("--inverted", options.inverted, "light modules on a dark ground");
    app.footer("Exit: 0 written, 2 wrong arguments, 4 not written.");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : 2;
    }
    if (text.empty()) text.assign(std::istreambuf_iterator<char>{std::cin}, {});
    const auto matrix = frames::render_qr(text);
    if (!matrix) {
        std::cerr << "paifang-camera: empty, or too long for a QR code\n";
        return 2;
    }
    return frames::write_png(out, frames::make_frame(*matrix, options)) ? 0 : 4;
}
