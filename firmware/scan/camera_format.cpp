#include "firmware/scan/camera_format.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>

namespace pf::firmware::scan {

namespace {

constexpr std::array formats{PixelFormat::grey, PixelFormat::yuyv, PixelFormat::mjpeg};
constexpr int yuyv_pixels_max = 640 * 480;
/// Encoders work in blocks of up to 16 pixels, and some say so: 1088 lines where 1080 were agreed.
constexpr int jpeg_padding_px_max = 15;

void crop_rows(LumaFrame& frame, int height) {
    frame.height = height;
    frame.pixels.resize(static_cast<std::size_t>(frame.stride) * static_cast<std::size_t>(height));
}

constexpr std::uint32_t fourcc(char a, char b, char c, char d) {
    const auto at = [](char letter, unsigned shift) {
        return static_cast<std::uint32_t>(static_cast<unsigned char>(letter)) << shift;
    };
    return at(a, 0) | at(b, 8) | at(c, 16) | at(d, 24);
}

}  // namespace

std::string_view to_text(PixelFormat format) noexcept {
    switch (format) {
        case PixelFormat::grey:
            return "grey";
        case PixelFormat::yuyv:
            return "yuyv";
        case PixelFormat::mjpeg:
            return "mjpeg";
    }
    std::abort();  // a value outside the enum means memory is corrupt
}

std::uint32_t fourcc_of(PixelFormat format) noexcept {
    switch (format) {
        case PixelFormat::grey:
            return fourcc('G', 'R', 'E', 'Y');
        case PixelFormat::yuyv:
            return fourcc('Y', 'U', 'Y', 'V');
        case PixelFormat::mjpeg:
            return fourcc('M', 'J', 'P', 'G');
    }
    std::abort();  // a value outside the enum means memory is corrupt
}

std::optional<PixelFormat> pixel_format_of(std::uint32_t code) noexcept {
    for (const PixelFormat format : formats) {
        if (fourcc_of(format) == code) return format;
    }
    return std::nullopt;
}

std::optional<PixelFormat> choose_format(std::span<const std::uint32_t> offered, int width,
                                         int height) {
    const auto has = [&](PixelFormat format) {
        return std::ranges::find(offered, fourcc_of(format)) != offered.end();
    };
    const bool small = width * height <= yuyv_pixels_max;
    if (has(PixelFormat::grey)) return PixelFormat::grey;
    if (small && has(PixelFormat::yuyv)) return PixelFormat::yuyv;
    if (has(PixelFormat::mjpeg)) return PixelFormat::mjpeg;
    if (has(PixelFormat::yuyv)) return PixelFormat::yuyv;
    return std::nullopt;
}

Result<LumaFrame, FrameFault> luma_from_camera(const CameraMode& mode, BytesView buffer) {
    switch (mode.format) {
        case PixelFormat::grey:
            return luma_from_grey(buffer, mode.width, mode.height, mode.stride);
        case PixelFormat::yuyv:
            return luma_from_yuyv(buffer, mode.width, mode.height, mode.stride);
        case PixelFormat::mjpeg: {
            if (mode.width < 1 || mode.height < 1) return FrameFault::empty_size;
            const int wide = mode.width + jpeg_padding_px_max;
            const int high = mode.height + jpeg_padding_px_max;
            auto frame = luma_from_jpeg(buffer, {.side_px_max = std::max(wide, high),
                                                 .pixels_max = std::int64_t{wide} * high});
            if (!frame) return frame;
            const bool padded = frame->width >= mode.width && frame->width <= wide &&
                                frame->height >= mode.height && frame->height <= high;
            if (!padded) return FrameFault::damaged;
            frame->width = mode.width;
            crop_rows(*frame, mode.height);
            return frame;
        }
    }
    std::abort();  // a value outside the enum means memory is corrupt
}

}  // namespace pf::firmware::scan
