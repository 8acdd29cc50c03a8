#include "firmware/scan/camera_format.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "firmware/scan/pipeline.hpp"

using namespace pf;
using namespace pf::firmware::scan;

namespace {

std::uint32_t letters(const char (&text)[5]) {
    std::uint32_t code = 0;
    for (unsigned i = 0; i < 4; ++i) {
        code |= static_cast<std::uint32_t>(static_cast<unsigned char>(text[i])) << (8 * i);
    }
    return code;
}

Bytes recorded(const std::string& name) {
    std::ifstream in("tests/unit/firmware/scan/buffers/" + name, std::ios::binary);
    REQUIRE(in);
    return Bytes{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

}  // namespace

TEST_CASE("of what a camera offers the cheapest readable format is taken") {
    struct Case {
        const char* why;
        std::vector<std::uint32_t> offered;
        int width, height;
        const char* expect;
    };
    const auto grey = letters("GREY");
    const auto yuyv = letters("YUYV");
    const auto mjpg = letters("MJPG");
    const auto h264 = letters("H264");
    const Case cases[] = {
        {"grey wins", {mjpg, yuyv, grey}, 1280, 720, "grey"},
        {"small: raw before JPEG", {mjpg, yuyv}, 640, 480, "yuyv"},
        {"large: JPEG before raw", {yuyv, mjpg}, 1280, 720, "mjpeg"},
        {"large and raw only", {yuyv}, 1280, 720, "yuyv"},
        {"small and JPEG only", {h264, mjpg}, 640, 480, "mjpeg"},
        {"nothing we read", {h264}, 640, 480, "none"},
        {"nothing", {}, 640, 480, "none"},
    };
    for (const Case& c : cases) {
        CAPTURE(c.why);
        const auto format = choose_format(c.offered, c.width, c.height);
        CHECK(std::string{format ? to_text(*format) : "none"} == c.expect);
    }
    CHECK_FALSE(pixel_format_of(h264));
    for (const auto format : {PixelFormat::grey, PixelFormat::yuyv, PixelFormat::mjpeg}) {
        CHECK(pixel_format_of(fourcc_of(format)) == format);
    }
}

TEST_CASE("recorded buffers of 320 x 240 become frames with the code in them") {
    struct Case {
        const char* file;
        CameraMode mode;
        const char* expect;
    };
    const Case cases[] = {
        {"grey-320x240", {PixelFormat::grey, 320, 240, 320}, "PF1:RECORDED GREY"},
        {"yuyv-320x240-stride704", {PixelFormat::yuyv, 320, 240, 704}, "PF1:RECORDED YUYV"},
        {"mjpeg-320x240-no-tables", {PixelFormat::mjpeg, 320, 240, 0}, "PF1:RECORDED MJPEG"},
        {"mjpeg-320x240-no-tables", {PixelFormat::mjpeg, 640, 480, 0}, "damaged"},
        {"mjpeg-320x240-no-tables", {PixelFormat::mjpeg, 160, 120, 0}, "too_large"},
        {"grey-320x240", {PixelFormat::yuyv, 320, 240, 640}, "short_buffer"},
        {"grey-320x240", {PixelFormat::mjpeg, 320, 240, 0}, "damaged"},
    };
    for (const Case& c : cases) {
        CAPTURE(c.file);
        CAPTURE(c.expect);
        const auto frame = luma_from_camera(c.mode, recorded(c.file));
        if (!frame) {
            CHECK(std::string{to_text(frame.error())} == c.expect);
            continue;
        }
        const Outcome outcome = Pipeline{}.read(*frame);
        REQUIRE(outcome.readings.size() == 1);
        CHECK(std::string{as_text(outcome.readings.front().bytes)} == c.expect);
    }
}

TEST_CASE("a JPEG padded to whole blocks is cut to what was agreed") {
    const Bytes jpeg = recorded("mjpeg-320x240-no-tables");
    struct Case {
        const char* why;
        int width, height;
        const char* expect;
    };
    const Case cases[] = {
        {"eight lines more than agreed", 320, 232, "frame"},
        {"fifteen", 320, 225, "frame"},
        {"a whole block is another picture", 320, 224, "damaged"},
        {"columns too", 310, 240, "frame"},
        {"less than agreed", 320, 241, "damaged"},
    };
    const auto whole = luma_from_camera({PixelFormat::mjpeg, 320, 240, 0}, jpeg);
    REQUIRE(whole.has_value());
    for (const Case& c : cases) {
        CAPTURE(c.why);
        const auto frame = luma_from_camera({PixelFormat::mjpeg, c.width, c.height, 0}, jpeg);
        CHECK(std::string{frame ? "frame" : to_text(frame.error())} == c.expect);
        if (!frame) continue;
        CHECK(frame->width == c.width);
        CHECK(frame->height == c.height);
        CHECK(frame->pixels.size() ==
              static_cast<std::size_t>(frame->stride) * static_cast<std::size_t>(c.height));
        CHECK(std::equal(frame->row(c.height - 1), frame->row(c.height - 1) + c.width,
                         whole->row(c.height - 1)));
        CHECK(Pipeline{}.read(*frame).readings.size() == 1);
    }
}
