#include "firmware/scan/picture_file.hpp"

#include <sys/stat.h>

#include <fstream>

#include "boards/sim/frames/frames.hpp"
#include "tests/integration/scan_sources/harness.hpp"

using namespace pf;
using namespace pf::firmware::scan;
namespace frames = pf::boards::sim::frames;
namespace fs = std::filesystem;

namespace {

/// A watch that moves on by 1 ms at each look.
Stopwatch ticking() {
    return [now = std::chrono::microseconds{0}]() mutable {
        return now += std::chrono::microseconds{1000};
    };
}

}  // namespace

TEST_CASE("the report of a picture: every code, the try, the tries before it, the times") {
    const tests::TempFolder folder;
    const auto matrix = frames::render_qr("PF1:REPORT");
    REQUIRE(matrix);
    const auto path = folder.path / "dark.png";
    REQUIRE(frames::write_png(path, frames::make_frame(*matrix, {.inverted = true})));
    const PictureReport report = read_picture(path, ticking());
    CHECK(report.path == path);
    CHECK_FALSE(report.fault);
    CHECK(report.width == 640);
    CHECK(report.height == 480);
    REQUIRE(report.outcome.readings.size() == 1);
    CHECK(report.outcome.readings[0].bytes == to_bytes("PF1:REPORT"));
    CHECK(report.outcome.readings[0].strategy == Strategy::inverted);
    CHECK(report.outcome.tried ==
          std::vector{Strategy::plain, Strategy::downscaled, Strategy::inverted});
    CHECK(report.load == std::chrono::microseconds{1000});
    CHECK(report.search == std::chrono::microseconds{1000});
}

TEST_CASE("files that are no pictures are named by their fault") {
    const tests::TempFolder folder;
    std::ofstream{folder.path / "text.png"} << "hello";
    std::ofstream{folder.path / "broken.png"} << "\x89PNG\r\n\x1a\n";
    std::ofstream{folder.path / "broken.jpg"} << "\xff\xd8\xff\xe0";
    REQUIRE(::mkfifo((folder.path / "pipe.png").c_str(), 0600) == 0);
    std::ofstream{folder.path / "big.png"} << "\x89PNG";
    fs::resize_file(folder.path / "big.png", picture_file_bytes_max + 1);
    struct Case {
        const char* name;
        const char* expect;
    };
    const Case cases[] = {
        {"absent.png", "file_unreadable"}, {"text.png", "file_kind_unknown"},
        {"broken.png", "damaged"},         {"broken.jpg", "damaged"},
        {"pipe.png", "file_unreadable"},   {"big.png", "too_large"},
        {".", "file_unreadable"},
    };
    for (const Case& c : cases) {
        CAPTURE(c.name);
        const PictureReport report = read_picture(folder.path / c.name, ticking());
        REQUIRE(report.fault);
        CHECK(std::string{to_text(*report.fault)} == c.expect);
    }
}

TEST_CASE("a folder stands for its pictures, by name; a file for itself") {
    const tests::TempFolder folder;
    for (const char* name : {"b.png", "a.JPG", "c.jpeg", "d.txt", ".e.png"}) {
        std::ofstream{folder.path / name} << "x";
    }
    fs::create_directory(folder.path / "done");
    std::vector<std::string> names;
    for (const auto& path : pictures_in(folder.path)) names.push_back(path.filename().string());
    CHECK(names == std::vector<std::string>{"a.JPG", "b.png", "c.jpeg"});
    CHECK(pictures_in(folder.path / "d.txt") == std::vector{folder.path / "d.txt"});
    CHECK(pictures_in(folder.path / "absent") == std::vector{folder.path / "absent"});
}

TEST_CASE("an outcome without codes is no look") {
    CHECK_FALSE(look_from({}, "camera", SteadyTime{}));
}
