#include "firmware/scan/enhance.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "boards/sim/frames/frames.hpp"
#include "firmware/scan/warp.hpp"

using namespace pf;
using namespace pf::firmware::scan;
namespace frames = pf::boards::sim::frames;

namespace {

int range(const LumaFrame& frame) {
    const auto [low, high] = std::ranges::minmax(frame.pixels);
    return high - low;
}

LumaFrame chequered(int side, int module, Byte dark, Byte light) {
    auto frame = LumaFrame::filled(side, side, light);
    for (int y = 0; y < side; ++y) {
        for (int x = 0; x < side; ++x) {
            if ((x / module + y / module) % 2 == 0) frame.row(y)[x] = dark;
        }
    }
    return frame;
}

}  // namespace

TEST_CASE("inverting twice changes nothing") {
    const LumaFrame before = chequered(40, 3, 7, 250);
    LumaFrame frame = before;
    invert(frame);
    CHECK(frame.row(0)[0] == 248);
    invert(frame);
    CHECK(frame == before);
}

TEST_CASE("a band passes what is neither finer nor coarser, and leaves a flat wall flat") {
    LumaFrame out;
    pass_band(chequered(128, 8, 100, 112), {.fine_px = 0, .coarse_px = 16, .gain = 6}, out);
    CHECK(range(out) > 70);
    pass_band(chequered(128, 1, 0, 255), {.fine_px = 2, .coarse_px = 16, .gain = 1}, out);
    CHECK(range(out) < 60);  // of 255
    pass_band(LumaFrame::filled(64, 64, 100), {.fine_px = 1, .coarse_px = 6, .gain = 4}, out);
    CHECK(range(out) == 0);
    CHECK(out.row(5)[5] == 100);
    // Squares larger than the frame, and the smallest frames.
    for (const int side : {0, 1, 2, 31}) {
        pass_band(LumaFrame::filled(side, side, 9), {.fine_px = 2, .coarse_px = 40, .gain = 6},
                  out);
        CHECK(out == LumaFrame::filled(side, side, 9));
    }
}

TEST_CASE("a band is the difference of two means, cut off at the border") {
    LumaFrame frame = LumaFrame::filled(5, 1, 0);
    frame.pixels = {10, 20, 30, 40, 50};
    LumaFrame out;
    pass_band(frame, {.fine_px = 0, .coarse_px = 1, .gain = 2}, out);
    // Means over one pixel each way: 15, 20, 30, 40, 45.
    CHECK(out.pixels == Bytes{0, 20, 30, 40, 60});
}

TEST_CASE("the busiest window is where the code lies") {
    const auto matrix = frames::render_qr("PF1:FAR AWAY");
    REQUIRE(matrix);
    for (const double x : {0.2, 0.5, 0.8}) {
        for (const double y : {0.2, 0.8}) {
            CAPTURE(x);
            CAPTURE(y);
            const frames::Placed placed{.matrix = *matrix, .centre_x = x, .centre_y = y};
            const auto frame =
                frames::make_frame(std::span{&placed, 1}, {.size = 0.15, .noise = 5});
            const Window window = busiest_window(frame);
            CHECK(window.width == 320);
            CHECK(window.height == 240);
            CHECK(window.left <= static_cast<int>(640 * x) - 30);
            CHECK(window.left + window.width >= static_cast<int>(640 * x) + 30);
            CHECK(window.top <= static_cast<int>(480 * y) - 30);
            CHECK(window.top + window.height >= static_cast<int>(480 * y) + 30);
        }
    }
    const Window all = busiest_window(LumaFrame::filled(31, 40, 1));
    CHECK(all.width == 31);
    CHECK(all.height == 40);
}

TEST_CASE("enlarging doubles a window, with greys between") {
    LumaFrame frame = LumaFrame::filled(4, 1, 0);
    frame.pixels = {0, 40, 80, 120};
    LumaFrame out;
    enlarge(frame, {1, 0, 2, 1}, out);
    CHECK(out.width == 4);
    CHECK(out.height == 2);
    CHECK(Bytes(out.pixels.begin(), out.pixels.begin() + 4) == Bytes{30, 50, 70, 90});
}

TEST_CASE("a warp goes through its anchors, flat or bent") {
    const auto flat = Warp{29, {{0, 0, {10, 20}}, {29, 0, {126, 20}}, {0, 29, {10, 136}}}};
    CHECK(flat.at(29, 29).x == doctest::Approx(126));
    CHECK(flat.at(29, 29).y == doctest::Approx(136));
    const auto bent_x = [](float column) { return 400 * std::sin((column - 14.5F) / 100); };
    std::vector<Anchor> anchors;
    for (float column = 0; column < 30; column += 7.25F) {
        for (float row = 0; row < 30; row += 7.25F)
            anchors.push_back({column, row, {bent_x(column), 5 * row}});
    }
    const Warp bent{29, anchors};
    CHECK(bent.at(3, 20).x == doctest::Approx(bent_x(3)).epsilon(0.01));
    CHECK(bent.at(3, 20).y == doctest::Approx(100).epsilon(0.01));
}

TEST_CASE("finder patterns are found where they are, and nowhere in noise") {
    const auto matrix = frames::render_qr("PF1:CORNERS");
    REQUIRE(matrix);
    LumaFrame contrasted;
    pass_band(frames::picture_of(*matrix, 5), {.fine_px = 1, .coarse_px = 16, .gain = 6},
              contrasted);
    const auto triples = triples_of(find_patterns(contrasted));
    REQUIRE_FALSE(triples.empty());
    const float near = (4 + 3.5F) * 5;
    const float far = (4 + static_cast<float>(matrix->side) - 3.5F) * 5;
    CHECK(triples[0].top_left.centre.x == doctest::Approx(near).epsilon(0.03));
    CHECK(triples[0].top_left.centre.y == doctest::Approx(near).epsilon(0.03));
    CHECK(triples[0].top_right.centre.x == doctest::Approx(far).epsilon(0.03));
    CHECK(triples[0].bottom_left.centre.y == doctest::Approx(far).epsilon(0.03));
    CHECK(triples[0].top_left.module_px == doctest::Approx(5).epsilon(0.15));
    CHECK(find_patterns(LumaFrame::filled(64, 64, 0)).empty());
    CHECK(find_patterns(LumaFrame::filled(64, 64, 255)).empty());
}
