#include <fstream>

#include "boards/sim/frames/frames.hpp"
#include "tests/integration/scan_sources/harness.hpp"

using namespace pf;
using namespace pf::firmware::scan;
using pf::tests::eventually;
using Texts = std::vector<std::string>;
namespace frames = pf::boards::sim::frames;
namespace fs = std::filesystem;

namespace {

void show(const fs::path& path, const std::string& text, const frames::FrameOptions& how = {}) {
    const auto matrix = frames::render_qr(text);
    REQUIRE(matrix);
    REQUIRE(frames::write_png(path, frames::make_frame(*matrix, how)));
}

}  // namespace

TEST_CASE("a picture put into the folder is read once, with its try, and taken away") {
    const tests::TempFolder folder;
    tests::Mailbox mailbox;
    const auto source = watch_folder({.name = "camera-0", .folder = folder.path / "in"},
                                     mailbox.deliver(), tests::steady_clock());
    REQUIRE(eventually([&] { return source->health().up; }));
    show(folder.path / "in" / "1.png", "PF1:ONE");
    show(folder.path / "in" / "2.PNG", "PF1:TWO", {.noise = 5, .inverted = true});
    CHECK(mailbox.wait_for(2) == Texts{"PF1:ONE", "PF1:TWO"});
    CHECK(fs::is_empty(folder.path / "in"));

    const auto looks = mailbox.looks();
    CHECK(looks[0].codes[0].source == "camera-0");
    CHECK(looks[0].codes[0].strategy == "plain");
    CHECK(looks[1].codes[0].strategy == "inverted");
    CHECK_FALSE(looks[0].will_repeat);
    CHECK(source->health().looks == 2);
    CHECK(source->health().codes == 2);
    CHECK(source->name() == "camera-0");
}

TEST_CASE("pictures that lay there before the start are read, by name") {
    const tests::TempFolder folder;
    show(folder.path / "b.png", "PF1:B");
    show(folder.path / "a.png", "PF1:A");
    tests::Mailbox mailbox;
    const auto source =
        watch_folder({.folder = folder.path}, mailbox.deliver(), tests::steady_clock());
    CHECK(mailbox.wait_for(2) == Texts{"PF1:A", "PF1:B"});
}

TEST_CASE("what is no picture is counted and taken away; other files are left alone") {
    const tests::TempFolder folder;
    tests::Mailbox mailbox;
    const auto source = watch_folder({.folder = folder.path, .keep_done = true}, mailbox.deliver(),
                                     tests::steady_clock());
    REQUIRE(eventually([&] { return source->health().up; }));
    std::ofstream{folder.path / "notes.txt"} << "not for the camera";
    std::ofstream{folder.path / ".hidden.png"} << "half";
    std::ofstream{folder.path / "broken.png"} << "\x89PNG but no more";
    std::ofstream{folder.path / "empty.jpg"} << "";
    show(folder.path / "good.png", "PF1:GOOD");
    CHECK(mailbox.wait_for(1) == Texts{"PF1:GOOD"});
    CHECK(source->health().unread == 2);
    CHECK(source->health().looks == 3);
    CHECK(fs::exists(folder.path / "notes.txt"));
    CHECK(fs::exists(folder.path / ".hidden.png"));
    for (const char* name : {"broken.png", "empty.jpg", "good.png"}) {
        CAPTURE(name);
        CHECK(fs::exists(folder.path / "done" / name));
        CHECK_FALSE(fs::exists(folder.path / name));
    }
}

TEST_CASE("a folder that goes away is made anew and watched again") {
    const tests::TempFolder folder;
    const auto in = folder.path / "in";
    tests::Mailbox mailbox;
    const auto source = watch_folder({.folder = in}, mailbox.deliver(), tests::steady_clock());
    REQUIRE(eventually([&] { return source->health().up; }));
    fs::remove_all(in);
    REQUIRE(eventually([&] { return source->health().up && fs::exists(in); }));
    show(in / "1.png", "PF1:AGAIN");
    CHECK(mailbox.wait_for(1) == Texts{"PF1:AGAIN"});
}

TEST_CASE("a folder that cannot be made is trouble in words, and ends at once when told") {
    const tests::TempFolder folder;
    std::ofstream{folder.path / "file"} << "in the way";
    tests::Mailbox mailbox;
    const auto source = watch_folder({.folder = folder.path / "file" / "in"}, mailbox.deliver(),
                                     tests::steady_clock());
    REQUIRE(eventually([&] { return !source->health().trouble.empty(); }));
    CHECK_FALSE(source->health().up);
    CHECK(source->health().trouble.starts_with("the folder cannot be made: "));
}
