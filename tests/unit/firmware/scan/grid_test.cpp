#include "firmware/scan/grid.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "firmware/scan/drawing.hpp"
#include "firmware/scan/pipeline.hpp"
#include "firmware/scan/settle.hpp"
#include "tests/support/rng.hpp"

using namespace pf;
using namespace pf::firmware::scan;

namespace {

void draw_square(LumaFrame& frame, int left, int top, int side, Byte grey) {
    for (int y = top; y < top + side; ++y) std::fill_n(frame.row(y) + left, side, grey);
}

void draw_finder(LumaFrame& frame, int left, int top, int module) {
    draw_square(frame, left, top, 7 * module, 0);
    draw_square(frame, left + module, top + module, 5 * module, 255);
    draw_square(frame, left + 2 * module, top + 2 * module, 3 * module, 0);
}

}  // namespace

TEST_CASE("a patch settles where its modules are at rest, and a flat one nowhere") {
    auto squares = LumaFrame::filled(120, 120, 255);
    for (int row = 0; row < 15; ++row) {
        for (int column = row % 2; column < 15; column += 2)
            draw_square(squares, 8 * column, 8 * row, 8, 0);
    }
    constexpr std::int64_t enough = 10'000;
    Sampler greys{squares, enough};
    const auto spot = at_rest(greys, {62, 58}, {8, 0}, {0, 8});
    REQUIRE(spot);
    CHECK(std::abs(spot->x - 60) <= 1);
    CHECK(std::abs(spot->y - 60) <= 1);
    // Burnt out or black all over: nothing says where the modules lie.
    for (const Byte grey : {Byte{0}, Byte{255}}) {
        const auto wall = LumaFrame::filled(120, 120, grey);
        Sampler flat{wall, enough};
        CHECK_FALSE(at_rest(flat, {60, 60}, {8, 0}, {0, 8}));
    }
}

TEST_CASE("a frame one pixel wide or high has greys too") {
    CHECK(grey_at(LumaFrame::filled(1, 1, 7), {3, 3}) == 7);
    CHECK(grey_at(LumaFrame::filled(1, 5, 7), {0.5F, 4.5F}) == 7);
    CHECK(grey_at(LumaFrame::filled(5, 1, 7), {4.5F, 0.5F}) == 7);
}

TEST_CASE("finder patterns below much texture are found") {
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
        CAPTURE(seed);
        auto frame = LumaFrame::filled(640, 480, 255);
        tests::Rng rng(seed);
        for (int y = 0; y < 200; ++y) {
            for (int x = 0; x < 640; ++x) frame.row(y)[x] = rng.percent(50) ? 0 : 255;
        }
        const Spot corners[] = {{100, 220}, {300, 220}, {100, 410}};
        for (const Spot& corner : corners)
            draw_finder(frame, static_cast<int>(corner.x), static_cast<int>(corner.y), 6);
        const auto patterns = find_patterns(frame);
        for (const Spot& corner : corners) {
            CAPTURE(corner.y);
            CHECK(std::ranges::any_of(patterns, [&](const FinderPattern& pattern) {
                return std::hypot(pattern.centre.x - corner.x - 21,
                                  pattern.centre.y - corner.y - 21) < 3;
            }));
        }
    }
}

namespace {

/// Four finder patterns `side` modules from edge to edge, timing that is mostly right, and between
/// them nothing that decodes.
LumaFrame hostile_poster(int side, int module, std::uint64_t seed, unsigned timing_percent) {
    constexpr int border = 20;
    constexpr unsigned chaos = 35;  // percent of modules that are not a chequer's
    const int length = side * module + 2 * border;
    auto frame = LumaFrame::filled(length, length, 255);
    tests::Rng rng(seed);
    for (int row = 0; row < side; ++row) {
        for (int column = 0; column < side; ++column) {
            bool dark = (row + column) % 2 == 0 ? !rng.percent(chaos) : rng.percent(chaos);
            if ((row == 6 || column == 6) && rng.percent(timing_percent))
                dark = (row + column) % 2 == 0;
            if (dark)
                draw_square(frame, border + column * module, border + row * module, module, 0);
        }
    }
    const int far = side - 7;
    for (const auto& [column, row] : {std::pair{0, 0}, {far, 0}, {0, far}, {far, far}}) {
        draw_square(frame, border + (column - 1) * module, border + (row - 1) * module, 9 * module,
                    255);
        draw_finder(frame, border + column * module, border + row * module, module);
    }
    return frame;
}

}  // namespace

TEST_CASE("a hostile poster costs no more samples than the try is charged with") {
    for (const unsigned timing_percent : {50U, 70U, 100U}) {
        CAPTURE(timing_percent);
        const auto frame = hostile_poster(165, 4, timing_percent, timing_percent);
        const Outcome outcome = Pipeline{}.read(frame);
        REQUIRE(outcome.tried.back() == Strategy::straightened);
        CHECK(outcome.samples <= straightened_samples_max(frame));
        CHECK(outcome.samples > straightened_samples_max(frame) / 2);  // it is hostile
    }
}

TEST_CASE("straightening ends when the time is over") {
    const auto frame = hostile_poster(165, 4, 1, 80);
    int calls = 0;
    const auto late_after = [&](int asked) {
        calls = 0;
        return Budget{.elapsed_max = std::chrono::microseconds{asked},
                      .stopwatch = [&] { return std::chrono::microseconds{calls++}; }};
    };
    const Outcome whole = Pipeline{}.read(frame, late_after(1'000'000));
    const Outcome cut = Pipeline{}.read(frame, late_after(20));
    REQUIRE(cut.tried.back() == Strategy::straightened);
    CHECK(cut.samples > 0);
    CHECK(cut.samples < whole.samples / 10);
    CHECK(calls < 30);
}

TEST_CASE("what looks otherwise than every code must is counted") {
    constexpr int side = 45;
    CHECK(drawn(std::vector<float>(side * side, 200), side, 0).disagreement ==
          doctest::Approx(0.5).epsilon(0.1));  // about half of it should be dark
    // The picture drawn from anything agrees with itself.
    const LumaFrame picture = drawn(std::vector<float>(side * side, 200), side, 0).picture;
    std::vector<float> modules;
    for (int row = 0; row < side; ++row) {
        for (int column = 0; column < side; ++column)
            modules.push_back(picture.row(3 * (row + 4))[3 * (column + 4)]);
    }
    CHECK(drawn(modules, side, 0).disagreement < 0.05F);
    for (float& module : modules) module = 255 - module;
    CHECK(drawn(modules, side, 0).disagreement > 0.95F);
}

TEST_CASE("what has too little of finder patterns and timing is not decoded") {
    const auto frame = hostile_poster(165, 4, 3, 100);
    Sampler greys{frame, 100 * straightened_samples_max(frame)};
    int drawings = 0;
    for (const Triple& triple : triples_of(find_patterns(frame))) {
        straighten(greys, triple, [&](const CleanCode& code) {
            ++drawings;
            CHECK(code.disagreement <= 0.25F);
            return false;
        });
    }
    CHECK(drawings > 0);
}

TEST_CASE("what one huge picture needed is not kept") {
    Pipeline pipeline;
    (void)pipeline.read(LumaFrame::filled(640, 480, 200));
    CHECK(pipeline.kept_bytes() >= 640 * 480);  // a camera's frames allocate once
    // The first harder try that needs a picture of its own, and no more.
    (void)pipeline.read(LumaFrame::filled(5000, 4000, 200), {.work_max = Work{4} * 5000 * 4000});
    CHECK(pipeline.kept_bytes() <= 2 * kept_bytes_max);
}
