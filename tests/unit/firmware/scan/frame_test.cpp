#include "firmware/scan/frame.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <string>

#include "boards/sim/frames/frames.hpp"
#include "tests/unit/firmware/scan/jpeg_for_tests.hpp"

using namespace pf;
using namespace pf::firmware::scan;

namespace {

/// Every grey once and more: no two rows or columns alike.
LumaFrame ramp(int width, int height) {
    auto frame = LumaFrame::filled(width, height, 0);
    for (int y = 0; y < height; ++y) {
        for (int x = 0; x < width; ++x) frame.row(y)[x] = static_cast<Byte>(3 * x + 7 * y);
    }
    return frame;
}

std::string fault_of(const Result<LumaFrame, FrameFault>& frame) {
    return std::string{frame ? "frame" : to_text(frame.error())};
}

int largest_difference(const LumaFrame& a, const LumaFrame& b) {
    REQUIRE(a.pixels.size() == b.pixels.size());
    int largest = 0;
    for (std::size_t i = 0; i < a.pixels.size(); ++i) {
        largest = std::max(largest, std::abs(a.pixels[i] - b.pixels[i]));
    }
    return largest;
}

LumaFrame smooth() {
    auto frame = LumaFrame::filled(64, 48, 0);
    for (int y = 0; y < 48; ++y) {
        for (int x = 0; x < 64; ++x) frame.row(y)[x] = static_cast<Byte>(20 + 2 * x + y);
    }
    return frame;
}

}  // namespace

TEST_CASE("raw buffers of 6 x 3 pixels: rows with and without padding, and lies about both") {
    struct Case {
        const char* why;
        int width, height, stride;
        std::size_t bytes;
        const char* grey;
        const char* yuyv;
    };
    const Case cases[] = {
        {"grey without padding", 6, 3, 6, 18, "frame", "bad_stride"},
        {"yuyv without padding", 6, 3, 12, 36, "frame", "frame"},
        {"stride 0 means no padding", 6, 3, 0, 36, "frame", "frame"},
        {"padded rows", 6, 3, 16, 48, "frame", "frame"},
        {"last row without its padding", 6, 3, 16, 44, "frame", "frame"},
        {"one byte missing in the last row", 6, 3, 16, 43, "frame", "short_buffer"},
        {"grey, one byte missing", 6, 3, 6, 17, "short_buffer", "bad_stride"},
        {"no bytes", 6, 3, 12, 0, "short_buffer", "short_buffer"},
        {"negative stride", 6, 3, -12, 36, "bad_stride", "bad_stride"},
        {"odd width has no yuyv", 5, 3, 12, 36, "frame", "bad_stride"},
        {"no width", 0, 3, 12, 36, "empty_size", "empty_size"},
        {"no height", 6, 0, 12, 36, "empty_size", "empty_size"},
        {"negative height", 6, -3, 12, 36, "empty_size", "empty_size"},
        {"absurd", 100'000, 3, 0, 36, "too_large", "too_large"},
    };
    for (const Case& c : cases) {
        CAPTURE(c.why);
        const Bytes buffer(c.bytes, 7);
        CHECK(fault_of(luma_from_grey(buffer, c.width, c.height, c.stride)) == c.grey);
        CHECK(fault_of(luma_from_yuyv(buffer, c.width, c.height, c.stride)) == c.yuyv);
    }
}

TEST_CASE("grey and yuyv give every pixel its own luma, whatever the stride") {
    const LumaFrame frame = ramp(6, 3);
    for (const int padding : {0, 2, 7}) {
        CAPTURE(padding);
        Bytes grey;
        Bytes yuyv;
        for (int y = 0; y < frame.height; ++y) {
            for (int x = 0; x < frame.width; ++x) {
                grey.push_back(frame.row(y)[x]);
                yuyv.push_back(frame.row(y)[x]);
                yuyv.push_back(x % 2 == 0 ? 90 : 200);  // U and V: no matter
            }
            grey.insert(grey.end(), static_cast<std::size_t>(padding), 0xee);
            yuyv.insert(yuyv.end(), static_cast<std::size_t>(padding), 0xee);
        }
        CHECK(luma_from_grey(grey, 6, 3, 6 + padding).value() == frame);
        CHECK(luma_from_yuyv(yuyv, 6, 3, 12 + padding).value() == frame);
    }
}

TEST_CASE("JPEG of every kind a camera or a telephone sends becomes grey") {
    struct Case {
        const char* why;
        tests::JpegKind kind;
        bool tables;
        const char* expect;
    };
    const Case cases[] = {
        {"colour 4:2:0", {}, true, "frame"},
        {"one component", {.colour = false}, true, "frame"},
        {"progressive", {.progressive = true}, true, "frame"},
        {"Motion JPEG without tables", {}, false, "frame"},
        {"one component without tables", {.colour = false}, false, "frame"},
        {"print colours", {.cmyk = true}, true, "colours_unknown"},
    };
    for (const Case& c : cases) {
        CAPTURE(c.why);
        Bytes jpeg = tests::jpeg_of(smooth(), c.kind);
        if (!c.tables) {
            const Bytes bare = tests::without_huffman_tables(jpeg);
            REQUIRE(bare.size() < jpeg.size());
            jpeg = bare;
        }
        const auto frame = luma_from_jpeg(jpeg);
        CHECK(fault_of(frame) == c.expect);
        if (frame) CHECK(largest_difference(*frame, smooth()) <= 8);
    }
}

TEST_CASE("damaged and oversized JPEG ends in a fault or a frame, never in an exit") {
    const Bytes jpeg = tests::jpeg_of(smooth());
    CHECK(fault_of(luma_from_jpeg({})) == "damaged");
    CHECK(fault_of(luma_from_jpeg(to_bytes("GIF89a not this"))) == "damaged");
    CHECK(fault_of(luma_from_jpeg(jpeg, {.side_px_max = 63})) == "too_large");
    CHECK(fault_of(luma_from_jpeg(jpeg, {.pixels_max = 64 * 48 - 1})) == "too_large");
    CHECK(fault_of(luma_from_jpeg(jpeg, {.side_px_max = 64, .pixels_max = 64 * 48})) == "frame");
    // A progressive picture in more scans than allowed.
    const Bytes progressive = tests::jpeg_of(smooth(), {.progressive = true});
    CHECK(fault_of(luma_from_jpeg(progressive, {.jpeg_scans_max = 2})) == "damaged");
    // Held whole before the first row: 64 x 48 in 4:2:0 is 96 blocks of 64 two-byte coefficients
    // and half as many for the colours.
    CHECK(fault_of(luma_from_jpeg(progressive, {.jpeg_coefficient_bytes_max = 9'215})) ==
          "too_large");
    CHECK(fault_of(luma_from_jpeg(progressive, {.jpeg_coefficient_bytes_max = 9'216})) == "frame");
    CHECK(fault_of(luma_from_jpeg(jpeg, {.jpeg_coefficient_bytes_max = 0})) == "frame");
    for (std::size_t length = 0; length < jpeg.size(); ++length) {
        const auto frame = luma_from_jpeg(BytesView{jpeg}.first(length));
        if (frame) CHECK(frame->pixels.size() == 64 * 48);
    }
    for (std::size_t i = 0; i < jpeg.size(); ++i) {
        Bytes flipped = jpeg;
        flipped[i] ^= 0xff;
        const auto frame = luma_from_jpeg(flipped, {.side_px_max = 1024});
        if (frame)
            CHECK(frame->pixels.size() == static_cast<std::size_t>(frame->stride) *
                                              static_cast<std::size_t>(frame->height));
    }
}

TEST_CASE("PNG goes out and comes back exactly; damage is a fault") {
    const LumaFrame frame = ramp(33, 17);
    const Bytes png = png_from_luma(frame);
    CHECK(luma_from_png(png).value() == frame);
    CHECK(fault_of(luma_from_png({})) == "damaged");
    CHECK(fault_of(luma_from_png(png, {.side_px_max = 32})) == "too_large");
    CHECK(fault_of(luma_from_png(png, {.pixels_max = 33 * 17 - 1})) == "too_large");
    for (std::size_t length = 0; length + 16 < png.size(); ++length) {
        CHECK(fault_of(luma_from_png(BytesView{png}.first(length))) == "damaged");
    }
    Bytes flipped = png;
    flipped[png.size() / 2] ^= 0x10;
    CHECK(fault_of(luma_from_png(flipped)) == "damaged");
}
