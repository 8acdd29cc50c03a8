// paifang-camera: takes a simulated picture of a code, for the demo and for tests of whole
// processes.
#include <CLI/CLI.hpp>
#include <iostream>
#include <iterator>
#include <string>

#include "boards/sim/frames/defects.hpp"

namespace {

namespace frames = pf::boards::sim::frames;

/// The ready-made hard scene; what `several` shows beside the code are other people's.
std::optional<pf::firmware::scan::LumaFrame> hard_frame(const frames::Matrix& code,
                                                        const std::string& defect_name,
                                                        int severity,
                                                        const frames::FrameOptions& options) {
    const auto defect = frames::defect_from(defect_name);
    if (!defect) return std::nullopt;
    std::vector<frames::Matrix> codes{code};
    for (int i = 1; i < frames::codes_in(*defect, severity); ++i) {
        const auto other = frames::render_qr("https://example.cn/" + std::to_string(i));
        codes.push_back(other.value());
    }
    return frames::hard_scene(*defect, severity, options.seed, codes).frame(options.shot);
}

}  // namespace

int main(int argc, char** argv) {
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
    app.add_option("--brightness", options.brightness, "share of the light that is there");
    app.add_option("--glare", options.glare, "radius of a burnt-out spot, share of the code");
    app.add_option("--damage", options.damage, "scratches and blots, 0 to 1");
    app.add_option("--curve", options.curve_deg, "degrees of a cylinder it is wrapped around");
    app.add_option("--defocus", options.defocus, "radius of a blurred point, modules");
    app.add_option("--motion", options.motion, "length of a smeared point, modules");
    app.add_option("--shot", options.shot, "which picture of the scene: other noise, hand moved");
    std::string defect;
    int severity = 1;
    std::string known;
    for (const auto each : frames::defects) known += " " + std::string{to_text(each)};
    app.add_option(
        "--defect", defect,
        "a ready-made hard scene, of the other options only --seed and --shot count:" + known);
    app.add_option("--severity", severity, "of the defect")
        ->check(CLI::Range(1, frames::severity_max));
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
    if (defect.empty()) return frames::write_png(out, frames::make_frame(*matrix, options)) ? 0 : 4;
    const auto frame = hard_frame(*matrix, defect, severity, options);
    if (!frame) {
        std::cerr << "paifang-camera: no defect " << defect << "\n";
        return 2;
    }
    return frames::write_png(out, *frame) ? 0 : 4;
}
