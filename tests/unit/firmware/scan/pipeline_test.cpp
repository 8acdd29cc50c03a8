#include "firmware/scan/pipeline.hpp"

#include <ZXing/BitMatrix.h>
#include <ZXing/MultiFormatWriter.h>
#include <doctest/doctest.h>
#include <qrencode.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "boards/sim/frames/frames.hpp"
#include "tests/support/rng.hpp"

using namespace pf;
using namespace pf::firmware::scan;
namespace frames = pf::boards::sim::frames;

namespace {

/// As long as a typical ticket: version 8 at level M.
const std::string ticket =
    "PF1:6BFOXN*TS0BI$ZD.P9UOL97O4-2HH77HRM3DSPTLRR+%3.ZH9M9ESIGUBA KWMLYX1HXK 0DV:D5VJ-9H4AG3K-"
    "R7*2C:GQ8U5NV02F7D4I8H1Y60/M%P6J3E-0WBZ5$TK+L9A.X4S*7QC/UN83RGVO21H6YFM5PD0W-JTE:IBZ$LK+A9X."
    "4S*Q7C/UN38RGVOH126YFM";

std::string read_as(const Outcome& outcome, const std::string& expected) {
    if (outcome.readings.empty()) return "none";
    if (outcome.readings.size() > 1) return "several";
    if (as_text(outcome.readings.front().bytes) != expected) return "WRONG";
    return std::string{to_text(outcome.readings.front().strategy)};
}

frames::Matrix code_of(std::string_view text) {
    const auto matrix = frames::render_qr(text);
    REQUIRE(matrix);
    return *matrix;
}

}  // namespace

TEST_CASE("camera frames of a ticket, each defect at three seeds, and the try that reads it") {
    struct Case {
        const char* why;
        frames::FrameOptions options;
        const char* expect;
    };
    const Case cases[] = {
        {"straight", {}, "plain"},
        {"turned a little", {.rotation_deg = 17}, "plain"},
        {"upside down", {.rotation_deg = 180}, "plain"},
        {"turned and tilted", {.rotation_deg = 137, .tilt_deg = 30}, "plain"},
        {"noise of a dim evening", {.noise = 25}, "plain"},
        {"one side in the shade", {.gradient = 0.8}, "plain"},
        {"out of focus", {.blur_px = 1}, "plain"},
        {"an arm away", {.size = 0.32}, "plain"},
        {"720 lines", {.width = 1280, .height = 720, .size = 0.4, .noise = 8}, "plain"},
        {"hardly any light, close", {.size = 0.9, .noise = 52}, "downscaled"},
        {"dark mode", {.inverted = true}, "inverted"},
        {"dark mode, turned, tilted, noisy",
         {.rotation_deg = 20, .tilt_deg = 25, .noise = 10, .inverted = true},
         "inverted"},
        {"dark mode, weak", {.noise = 2, .contrast = 0.06, .inverted = true}, "inverted"},
        {"weak screen in the sun", {.noise = 2, .contrast = 0.1}, "contrast_stretched"},
        {"a dozen greys", {.noise = 2, .contrast = 0.06}, "contrast_stretched"},
        {"a dozen greys, further away",
         {.size = 0.35, .noise = 2, .contrast = 0.06},
         "contrast_stretched"},
        {"weak and in the shade",
         {.rotation_deg = 10, .noise = 1.5, .contrast = 0.1, .gradient = 0.5},
         "contrast_stretched"},
        {"not sharp", {.noise = 3, .defocus = 0.8}, "sharpened"},
        {"far away", {.size = 0.17}, "enlarged"},
        {"around a finger", {.noise = 3, .curve_deg = 40}, "straightened"},
    };
    const frames::Matrix matrix = code_of(ticket);
    for (const Case& c : cases) {
        CAPTURE(c.why);
        for (std::uint64_t seed = 1; seed <= 3; ++seed) {
            CAPTURE(seed);
            frames::FrameOptions options = c.options;
            options.seed = seed;
            const Outcome outcome = Pipeline{}.read(frames::make_frame(matrix, options));
            CHECK(read_as(outcome, ticket) == c.expect);
            // The try that reads is the last one made.
            REQUIRE_FALSE(outcome.tried.empty());
            CHECK(to_text(outcome.tried.back()) == c.expect);
        }
    }
}

TEST_CASE("other people's codes come back byte for byte") {
    std::string every_byte;
    for (int i = 0; i < 256; ++i) every_byte += static_cast<char>(i);
    struct Case {
        const char* why;
        std::string content;
    };
    const Case cases[] = {
        {"a WeChat link", "https://u.wechat.com/MAbCdEfGhIjKlMnOpQrStUv?s=2"},
        {"an OTA's voucher", "90817263545362718"},
        {"digits with leading zeros", "000000000000123"},
        {"Chinese in UTF-8", "碑林区景区成人票 · 张三"},
        {"Chinese in GBK", "\xbe\xb0\xc7\xf8\xc3\xc5\xc6\xb1"},
        {"Latin-1, not UTF-8", "caf\xe9 \xfc\xdf"},
        {"spaces and line ends stay", "  BEGIN:VCARD\r\nN:X\r\nEND:VCARD\r\n"},
        {"every byte there is, zero too", every_byte},
        {"one byte", "7"},
        {"one zero byte", std::string(1, '\0')},
        {"1,000 bytes", std::string(1000, 'x')},
    };
    for (const Case& c : cases) {
        CAPTURE(c.why);
        const auto picture = frames::picture_of(code_of(c.content), 6);
        const Outcome outcome = Pipeline{}.read(picture);
        REQUIRE(outcome.readings.size() == 1);
        CHECK(outcome.readings.front().bytes == to_bytes(c.content));
        CHECK(outcome.readings.front().symbology == Symbology::qr);
    }
}

TEST_CASE("several codes in one frame are all read, each with its place") {
    const std::vector<std::string> texts{"PF1:LEFT ABOVE", "https://example.cn/右上", "12345678"};
    const std::vector<frames::Placed> placed{{code_of(texts[0]), 0.2, 0.3},
                                             {code_of(texts[1]), 0.75, 0.3},
                                             {code_of(texts[2]), 0.5, 0.75}};
    const auto frame = frames::make_frame(placed, {.size = 0.4, .rotation_deg = 12, .noise = 5});
    const Outcome outcome = Pipeline{}.read(frame);
    REQUIRE(outcome.readings.size() == 3);
    for (std::size_t i = 0; i < texts.size(); ++i) {
        CAPTURE(texts[i]);
        const auto reading =
            std::ranges::find(outcome.readings, to_bytes(texts[i]), &Reading::bytes);
        REQUIRE(reading != outcome.readings.end());
        int x = 0;
        int y = 0;
        for (const Point& corner : reading->corners) x += corner.x, y += corner.y;
        CHECK(x / 4 == doctest::Approx(placed[i].centre_x * 640).epsilon(0.05));
        CHECK(y / 4 == doctest::Approx(placed[i].centre_y * 480).epsilon(0.05));
    }
}

TEST_CASE("where there is no code nothing is read, whatever is looked for") {
    const Symbologies all{.aztec = true, .data_matrix = true, .pdf417 = true};
    for (std::uint64_t seed = 1; seed <= 6; ++seed) {
        CAPTURE(seed);
        tests::Rng rng(seed);
        auto noise = LumaFrame::filled(320, 240, 0);
        for (Byte& pixel : noise.pixels) pixel = static_cast<Byte>(rng.below(256));
        auto blocks = LumaFrame::filled(320, 240, 255);  // a code's texture without its order
        for (int row = 0; row < 30; ++row) {
            for (int column = 0; column < 40; ++column) {
                if (rng.percent(50)) continue;
                for (int y = 0; y < 8; ++y) {
                    std::fill_n(blocks.row(row * 8 + y) + column * 8, 8, Byte{0});
                }
            }
        }
        for (const LumaFrame* frame : {&noise, &blocks}) {
            CHECK(Pipeline{}.read(*frame).readings.empty());
            const Outcome outcome = Pipeline{all}.read(*frame);
            CHECK(outcome.readings.empty());
            CHECK(outcome.tried.size() == strategies.size());
        }
    }
    CHECK(Pipeline{}.read(LumaFrame{}).readings.empty());
    CHECK(Pipeline{}.read(LumaFrame::filled(20, 500, 0)).readings.empty());
    CHECK(Pipeline{}.read(LumaFrame::filled(21, 21, 0)).readings.empty());
    CHECK(Pipeline{}
              .read(frames::make_frame(std::span<frames::Placed>{}, {.noise = 9}))
              .readings.empty());
}

TEST_CASE("a code with more damage than it can bear is not read as something else") {
    const frames::Matrix whole = code_of(ticket);
    int read = 0;
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
        CAPTURE(seed);
        tests::Rng rng(seed);
        frames::Matrix torn = whole;
        // 8 % to 32 % of the modules outside the finder patterns: level M bears up to about 15 %.
        for (int y = 9; y < torn.side - 9; ++y) {
            for (int x = 9; x < torn.side - 9; ++x) {
                const auto at = static_cast<std::size_t>(y * torn.side + x);
                if (rng.below(1000) < 30 * (seed % 10)) torn.dark[at] = !torn.dark[at];
            }
        }
        const Outcome outcome = Pipeline{}.read(frames::picture_of(torn, 4));
        if (outcome.readings.empty()) continue;
        ++read;
        CHECK(as_text(outcome.readings.front().bytes) == ticket);
    }
    CHECK(read >= 4);  // the untouched ones at least: the test must not pass by reading nothing
    CHECK(read < 40);
}

TEST_CASE("one part of a code in several parts is not a code") {
    const std::string text(600, 'A');
    const std::unique_ptr<QRcode_List, decltype(&QRcode_List_free)> parts{
        QRcode_encodeStringStructured(text.c_str(), 5, QR_ECLEVEL_M, QR_MODE_8, 1),
        &QRcode_List_free};
    REQUIRE(parts);
    REQUIRE(QRcode_List_size(parts.get()) > 1);
    frames::Matrix part;
    part.side = parts->code->width;
    for (int i = 0; i < part.side * part.side; ++i) {
        part.dark.push_back((parts->code->data[i] & 1U) != 0);
    }
    const Outcome outcome = Pipeline{}.read(frames::picture_of(part));
    CHECK(outcome.readings.empty());
    CHECK(outcome.parts_skipped >= 1);
}

TEST_CASE("Aztec, DataMatrix and PDF417 are read where configured, and only there") {
    struct Case {
        ZXing::BarcodeFormat format;
        Symbologies wanted;
        const char* expect;
    };
    const Case cases[] = {
        {ZXing::BarcodeFormat::Aztec, {.aztec = true}, "aztec"},
        {ZXing::BarcodeFormat::DataMatrix, {.data_matrix = true}, "data_matrix"},
        {ZXing::BarcodeFormat::PDF417, {.pdf417 = true}, "pdf417"},
        {ZXing::BarcodeFormat::Aztec, {}, "none"},
        {ZXing::BarcodeFormat::DataMatrix, {.aztec = true}, "none"},
        {ZXing::BarcodeFormat::PDF417, {}, "none"},
        {ZXing::BarcodeFormat::Code128, {true, true, true}, "none"},
    };
    for (const Case& c : cases) {
        CAPTURE(c.expect);
        const auto bits = ZXing::MultiFormatWriter{c.format}.setMargin(16).encode(
            std::string{"VOUCHER 4711"}, 400, 200);
        auto picture = LumaFrame::filled(bits.width(), bits.height(), 255);
        for (int y = 0; y < bits.height(); ++y) {
            for (int x = 0; x < bits.width(); ++x) {
                if (bits.get(x, y)) picture.row(y)[x] = 0;
            }
        }
        const Outcome outcome = Pipeline{c.wanted}.read(picture);
        const std::string seen{
            outcome.readings.empty() ? "none" : to_text(outcome.readings.front().symbology)};
        CHECK(seen == c.expect);
        if (!outcome.readings.empty()) {
            CHECK(std::string{as_text(outcome.readings.front().bytes)} == "VOUCHER 4711");
        }
    }
}

TEST_CASE("the budget ends the tries, and the next frame goes on where it ended") {
    const auto dim_dark_mode =
        frames::make_frame(code_of("PF1:X"), {.noise = 2, .contrast = 0.1, .inverted = true});

    constexpr Work frame_px = Work{640} * 480;

    SUBCASE("by work: plain is always tried, the others take turns") {
        Pipeline pipeline;
        std::vector<std::string> second_tries;
        std::string read;
        for (int frame = 0; frame < 4; ++frame) {
            const Outcome outcome = pipeline.read(dim_dark_mode, {.work_max = frame_px + 1});
            REQUIRE(outcome.tried.size() == 2);
            CHECK(outcome.tried.front() == Strategy::plain);
            CHECK(outcome.work == frame_px * (1 + cost_of(outcome.tried.back())));
            second_tries.emplace_back(to_text(outcome.tried.back()));
            if (!outcome.readings.empty()) read += std::to_string(frame);
        }
        // What worked last is tried first: a telephone in dark mode rarely comes alone.
        CHECK(second_tries ==
              std::vector<std::string>{"downscaled", "inverted", "inverted", "inverted"});
        CHECK(read == "123");
    }
    SUBCASE("a frame that shows nothing takes turns through all of them") {
        const auto nothing = LumaFrame::filled(640, 480, 200);
        Pipeline pipeline;
        for (int round = 0; round < 2; ++round) {
            for (std::size_t i = 1; i < strategies.size(); ++i) {
                const Outcome outcome = pipeline.read(nothing, {.work_max = frame_px + 1});
                REQUIRE(outcome.tried.size() == 2);
                CHECK(to_text(outcome.tried.back()) == to_text(strategies[i]));
            }
        }
    }
    SUBCASE("a camera's budget is one or two harder tries at 1280×720, more on a smaller frame") {
        const auto tries = [](int width, int height) {
            const auto nothing = LumaFrame::filled(width, height, 200);
            Pipeline pipeline;
            std::string counts;
            for (std::uint64_t frame = 1; frame <= 8; ++frame) {
                const Budget budget =
                    camera_budget(frame, camera_work_max, std::chrono::microseconds{0}, {});
                counts += std::to_string(pipeline.read(nothing, budget).tried.size());
            }
            return counts;
        };
        CHECK(tries(1280, 720) == "32222238");
        CHECK(tries(640, 480) == "54545458");
    }
    SUBCASE("by time: no try begins after it") {
        int calls = 0;
        const Budget budget{.elapsed_max = std::chrono::microseconds{25},
                            .stopwatch = [&] { return std::chrono::microseconds{10 * calls++}; }};
        const Outcome outcome =
            Pipeline{}.read(dim_dark_mode, budget);  // 10 us a look at the watch
        CHECK(outcome.tried.size() == 3);
    }
    SUBCASE("a budget of nothing still makes the plain try") {
        CHECK(Pipeline{}.read(dim_dark_mode, {.work_max = 0}).tried.size() == 1);
    }
}

LumaFrame dark_mode_beside_a_sticker() {
    auto frame = frames::make_frame(code_of("PF1:TICKET"), {.size = 0.9, .inverted = true});
    const auto sticker = frames::picture_of(code_of("https://u.wechat.com/sticker"), 3);
    for (int y = 0; y < sticker.height; ++y) {
        std::copy_n(sticker.row(y), sticker.width, frame.row(y));
    }
    return frame;
}

TEST_CASE("a camera: who was found beside a sticker is read on every frame until he leaves") {
    const auto both = dark_mode_beside_a_sticker();
    const auto sticker_only = frames::picture_of(code_of("https://u.wechat.com/sticker"), 3);
    const auto budget = [](std::uint64_t frame) {
        return camera_budget(frame, Work{640} * 480 + 1, std::chrono::microseconds{0}, {});
    };
    Pipeline pipeline;
    std::string seen;
    for (std::uint64_t frame = 1; frame <= 20; ++frame)
        seen += pipeline.read(both, budget(frame)).readings.size() == 2 ? '2' : '.';
    CHECK(seen == ".......2222222222222");
    // A frame or some that blur him change nothing.
    (void)pipeline.read(sticker_only, budget(21));
    CHECK(pipeline.read(both, budget(22)).readings.size() == 2);
    // When he has left, frames are cheap again.
    std::string tries;
    for (std::uint64_t frame = 25; frame <= 33; ++frame)
        tries += std::to_string(pipeline.read(sticker_only, budget(frame)).tried.size());
    CHECK(tries == "222222181");
}

TEST_CASE("a camera: whoever just came is answered at once, whichever frame it is") {
    const auto nothing = LumaFrame::filled(640, 480, 200);
    const auto code = frames::picture_of(code_of(ticket), 3);
    for (std::uint64_t arrives = 1; arrives <= exhaustive_every_frames; ++arrives) {
        CAPTURE(arrives);
        Pipeline pipeline;
        Outcome outcome;
        for (std::uint64_t frame = 1; frame <= arrives; ++frame)
            outcome = pipeline.read(
                frame < arrives ? nothing : code,
                camera_budget(frame, camera_work_max, std::chrono::microseconds{0}, {}));
        CHECK(outcome.readings.size() == 1);
        CHECK(outcome.tried.size() == 1);
    }
}

TEST_CASE("a camera whose plain try spends the whole budget still reads who is held before it") {
    const auto both = dark_mode_beside_a_sticker();
    Pipeline pipeline;
    std::string seen;
    for (std::uint64_t frame = 1; frame <= 20; ++frame) {
        const Budget budget =
            camera_budget(frame, Work{640} * 480, std::chrono::microseconds{0}, {});
        seen += pipeline.read(both, budget).readings.size() == 2 ? '2' : '.';
    }
    CHECK(seen == ".......2222222222222");
}

TEST_CASE("noise stronger than what is left of the contrast: only smoothing reads it") {
    const auto frame = frames::make_frame(code_of(ticket),
                                          {.seed = 2, .size = 0.9, .noise = 10, .contrast = 0.07});
    CHECK(read_as(Pipeline{}.read(frame), ticket) == "smoothed");
}

TEST_CASE("what is enlarged or straightened lies where the frame shows it") {
    struct Case {
        const char* expect;
        frames::FrameOptions options;
    };
    const Case cases[] = {{"enlarged", {.size = 0.17}},
                          {"straightened", {.noise = 3, .curve_deg = 40}}};
    for (const Case& c : cases) {
        CAPTURE(c.expect);
        const Outcome outcome = Pipeline{}.read(frames::make_frame(code_of(ticket), c.options));
        REQUIRE(read_as(outcome, ticket) == c.expect);
        int x = 0;
        int y = 0;
        for (const Point& corner : outcome.readings.front().corners) x += corner.x, y += corner.y;
        CHECK(x / 4 == doctest::Approx(320).epsilon(0.05));
        CHECK(y / 4 == doctest::Approx(240).epsilon(0.05));
    }
}

TEST_CASE("an exhaustive look finds the telephone in dark mode beside a sticker") {
    const auto frame = dark_mode_beside_a_sticker();
    CHECK(read_as(Pipeline{}.read(frame), "https://u.wechat.com/sticker") == "plain");
    const Outcome outcome = Pipeline{}.read(frame, {.exhaustive = true});
    REQUIRE(outcome.readings.size() == 2);
    CHECK(as_text(outcome.readings[1].bytes) == "PF1:TICKET");
    CHECK(outcome.readings[1].strategy == Strategy::inverted);
}
