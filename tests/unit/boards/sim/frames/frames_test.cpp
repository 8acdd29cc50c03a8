#include "boards/sim/frames/frames.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <string>

#include "boards/sim/frames/defects.hpp"
#include "firmware/scan/picture_file.hpp"
#include "firmware/scan/pipeline.hpp"

using namespace pf;
using namespace pf::boards::sim::frames;
using pf::firmware::scan::LumaFrame;
using pf::firmware::scan::Pipeline;

namespace {

std::string read(const LumaFrame& frame) {
    const auto outcome = Pipeline{}.read(frame);
    if (outcome.readings.size() != 1) return std::to_string(outcome.readings.size()) + " codes";
    return std::string{as_text(outcome.readings.front().bytes)};
}

struct Folder {
    std::filesystem::path path;
    Folder() {
        std::string name = (std::filesystem::temp_directory_path() / "pf-frames-XXXXXX").string();
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        path = name;
    }
    ~Folder() { std::filesystem::remove_all(path); }
};

/// The picture a terminal of black on white shows, `scale` pixels a module.
LumaFrame shown(std::string text, int scale) {
    std::vector<std::string> rows;  // '#' dark, '.' light
    for (std::size_t begin = 0; begin < text.size();) {
        const std::size_t end = text.find('\n', begin);
        std::string line = text.substr(begin, end - begin);
        begin = end + 1;
        REQUIRE(line.starts_with("\033[30;107m"));
        REQUIRE(line.ends_with("\033[0m"));
        line = line.substr(9, line.size() - 13);
        std::string upper;
        std::string lower;
        while (!line.empty()) {
            const bool block = line.front() != ' ';
            const std::string cell = line.substr(0, block ? 3 : 1);
            line.erase(0, cell.size());
            upper += cell == "█" || cell == "▀" ? '#' : '.';
            lower += cell == "█" || cell == "▄" ? '#' : '.';
        }
        rows.push_back(upper);
        rows.push_back(lower);
    }
    const int width = static_cast<int>(rows.front().size());
    auto frame = LumaFrame::filled(width * scale, static_cast<int>(rows.size()) * scale, 255);
    for (int y = 0; y < frame.height; ++y) {
        const std::string& row = rows[static_cast<std::size_t>(y / scale)];
        REQUIRE(static_cast<int>(row.size()) == width);
        for (int x = 0; x < frame.width; ++x) {
            if (row[static_cast<std::size_t>(x / scale)] == '#') frame.row(y)[x] = 0;
        }
    }
    return frame;
}

}  // namespace

TEST_CASE("the version of a code follows its content") {
    struct Case {
        const char* why;
        std::string content;
        int side;  // 0: no code
    };
    const Case cases[] = {
        {"one character: version 1", "A", 21},
        {"a ticket of 218 Base45 characters: version 8", std::string(218, 'Z'), 49},
        {"the same in lower case needs bytes: version 11", std::string(218, 'z'), 61},
        {"the longest of bytes at level M", std::string(2331, 'z'), 177},
        {"one byte more", std::string(2332, 'z'), 0},
        {"nothing", "", 0},
    };
    for (const Case& c : cases) {
        CAPTURE(c.why);
        const auto matrix = render_qr(c.content);
        CHECK((matrix ? matrix->side : 0) == c.side);
    }
}

TEST_CASE("a code is read from its picture, its PNG and the terminal") {
    const std::string text = "PF1:ABC/$% 0123";
    const auto matrix = render_qr(text);
    REQUIRE(matrix);
    CHECK(read(picture_of(*matrix)) == text);
    CHECK(read(shown(terminal_text(*matrix), 4)) == text);

    const Folder folder;
    const auto path = folder.path / "ticket.png";
    REQUIRE(write_png(path, *matrix));
    REQUIRE(write_png(path, *matrix));  // over the old one
    const auto loaded = firmware::scan::load_picture(path);
    REQUIRE(loaded.has_value());
    CHECK(*loaded == picture_of(*matrix));
    CHECK(std::distance(std::filesystem::directory_iterator{folder.path}, {}) == 1);
    CHECK_FALSE(write_png(folder.path / "absent" / "ticket.png", *matrix));
}

TEST_CASE("equal options give equal frames; each option changes the picture") {
    const auto matrix = render_qr("PF1:SAME");
    REQUIRE(matrix);
    const FrameOptions base{
        .width = 160, .height = 120, .tilt_deg = 5, .noise = 2, .gradient = 0.1};
    const LumaFrame frame = make_frame(*matrix, base);
    CHECK(frame == make_frame(*matrix, base));
    CHECK(frame.width == 160);
    CHECK(frame.height == 120);

    const auto changed = [&](auto change) {
        FrameOptions options = base;
        change(options);
        return make_frame(*matrix, options) != frame;
    };
    CHECK(changed([](FrameOptions& o) { o.seed = 2; }));
    CHECK(changed([](FrameOptions& o) { o.size = 0.5; }));
    CHECK(changed([](FrameOptions& o) { o.rotation_deg = 1; }));
    CHECK(changed([](FrameOptions& o) { o.tilt_deg = 20; }));
    CHECK(changed([](FrameOptions& o) { o.noise = 3; }));
    CHECK(changed([](FrameOptions& o) { o.contrast = 0.5; }));
    CHECK(changed([](FrameOptions& o) { o.gradient = 0.5; }));
    CHECK(changed([](FrameOptions& o) { o.blur_px = 1; }));
    CHECK(changed([](FrameOptions& o) { o.inverted = true; }));
    CHECK(changed([](FrameOptions& o) { o.brightness = 0.5; }));
    CHECK(changed([](FrameOptions& o) { o.glare = 0.1; }));
    CHECK(changed([](FrameOptions& o) { o.damage = 0.3; }));
    CHECK(changed([](FrameOptions& o) { o.curve_deg = 40; }));
    CHECK(changed([](FrameOptions& o) { o.defocus = 0.5; }));
    CHECK(changed([](FrameOptions& o) { o.motion = 1; }));
    CHECK(changed([](FrameOptions& o) { o.shot = 1; }));
}

TEST_CASE("contrast, light and inversion are what they say") {
    const auto matrix = render_qr("PF1:GREYS");
    REQUIRE(matrix);
    const auto extremes = [&](const FrameOptions& options) {
        const auto frame = make_frame(*matrix, options);
        const auto [low, high] = std::ranges::minmax(frame.pixels);
        return std::pair<int, int>{low, high};
    };
    CHECK(extremes({.width = 160, .height = 120}) == std::pair{20, 235});
    const auto [low, high] = extremes({.width = 160, .height = 120, .contrast = 0.05});
    CHECK(high - low >= 10);
    CHECK(high - low <= 12);
    CHECK(extremes({.width = 160, .height = 120, .gradient = 1}).first < 20);
    // The quiet zone's corner: white paper, black screen.
    const auto corner = [&](bool inverted) {
        const auto frame = make_frame(*matrix, {.size = 1, .inverted = inverted});
        return static_cast<int>(frame.row(8)[90]);
    };
    CHECK(corner(false) == 235);
    CHECK(corner(true) == 20);
}

namespace {

Scene scene_of(Defect defect, int severity, std::uint64_t seed) {
    std::vector<Matrix> codes;
    for (int i = 0; i < codes_in(defect, severity); ++i)
        codes.push_back(render_qr("PF1:HARD " + std::to_string(i)).value());
    return hard_scene(defect, severity, seed, codes);
}

/// Mean distance of two frames of one size, in grey levels.
double apart(const LumaFrame& a, const LumaFrame& b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.pixels.size(); ++i) sum += std::abs(a.pixels[i] - b.pixels[i]);
    return sum / static_cast<double>(a.pixels.size());
}

}  // namespace

TEST_CASE("a hard scene is the same for the same seed, and another for each seed and severity") {
    for (const Defect defect : defects) {
        CAPTURE(std::string{to_text(defect)});
        CHECK(defect_from(to_text(defect)) == defect);
        const LumaFrame frame = scene_of(defect, 4, 7).frame(1);
        CHECK(frame == scene_of(defect, 4, 7).frame(1));
        CHECK(apart(frame, scene_of(defect, 4, 8).frame(1)) > 0.5);
        for (const int severity : {1, 3, 5, severity_max})
            CHECK(apart(frame, scene_of(defect, severity, 7).frame(1)) > 0.1);
    }
    CHECK_FALSE(defect_from("rain"));
}

TEST_CASE("another shot of a scene has other noise and a moved hand, not another scene") {
    const Scene scene = scene_of(Defect::damage, 5, 3);
    const LumaFrame first = scene.frame(1);
    CHECK(first != scene.frame(2));
    CHECK(apart(first, scene.frame(2)) < apart(first, scene_of(Defect::damage, 5, 4).frame(1)));
}

TEST_CASE("the mildest of a defect is read, the severest not by looking plainly") {
    using firmware::scan::Strategy;
    for (const Defect defect : defects) {
        CAPTURE(std::string{to_text(defect)});
        CHECK_FALSE(Pipeline{}.read(scene_of(defect, 1, 5).frame(1)).readings.empty());
        // The plain try alone; several codes are never all read by it.
        const auto outcome =
            Pipeline{}.read(scene_of(defect, severity_max, 5).frame(1), {.work_max = 0});
        const auto all = static_cast<std::size_t>(codes_in(defect, severity_max));
        CHECK(outcome.readings.size() < all);
    }
}

TEST_CASE("the severest of several holds eight codes, some in dark mode") {
    const Scene scene = scene_of(Defect::several, severity_max, 5);
    REQUIRE(scene.codes.size() == 8);
    const auto dark_mode = std::ranges::count_if(scene.codes, &Placed::inverted);
    CHECK(dark_mode == 3);
    CHECK(codes_in(Defect::several, 1) == 2);
    CHECK(codes_in(Defect::glare, 8) == 1);
}

TEST_CASE("decoys are many different frames; only a foreign code may be read, as it was drawn") {
    int read = 0;
    for (const Decoy decoy : decoys) {
        CAPTURE(std::string{to_text(decoy)});
        std::set<std::vector<Byte>> seen;
        for (std::uint64_t seed = 1; seed <= 4; ++seed) {
            const DecoyFrame shown = decoy_frame(decoy, seed);
            CHECK(shown.frame == decoy_frame(decoy, seed).frame);
            seen.insert(shown.frame.pixels);
            CHECK(shown.text.empty() == (decoy != Decoy::foreign_code));
            for (const auto& reading : Pipeline{}.read(shown.frame).readings) {
                CHECK(std::string{as_text(reading.bytes)} == shown.text);
                ++read;
            }
        }
        CHECK(seen.size() == 4);
    }
    CHECK(read >= 1);
}
