#pragma once
// One picture in grey, and how the formats of cameras and files become one.
#include <cstdint>
#include <string_view>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/base/result.hpp"

namespace pf::firmware::scan {

/// Rows of 8-bit grey, top row first; 0 is black. Row y begins at pixels[y * stride].
/// Holds: stride >= width, pixels.size() == stride * height.
struct LumaFrame {
    int width = 0;   // pixels
    int height = 0;  // pixels
    int stride = 0;  // bytes from one row to the next
    std::vector<Byte> pixels{};

    static LumaFrame filled(int width, int height, Byte grey);
    const Byte* row(int y) const { return pixels.data() + offset(y); }
    Byte* row(int y) { return pixels.data() + offset(y); }
    friend bool operator==(const LumaFrame&, const LumaFrame&) = default;

private:
    std::size_t offset(int y) const {
        return static_cast<std::size_t>(y) * static_cast<std::size_t>(stride);
    }
};

/// What a picture may measure before anything is allocated for it: a few bytes of PNG or JPEG can
/// announce gigabytes.
struct PictureLimits {
    int side_px_max = 8192;
    std::int64_t pixels_max = 50'000'000;  // a telephone's 48-megapixel photograph still fits
    int jpeg_scans_max = 64;  // a progressive JPEG may repeat itself to burn hours of CPU
    /// A JPEG in several scans is held whole as coefficients, two bytes each, before the first row
    /// comes: 50 megapixels would take 300 MB. A 12-megapixel photograph needs at most 75 MB.
    std::int64_t jpeg_coefficient_bytes_max = 96 * 1024 * 1024;
};

enum class FrameFault {
    empty_size,         // a width or height below 1
    too_large,          // beyond PictureLimits or picture_file_bytes_max
    short_buffer,       // fewer bytes than the size and stride announce
    bad_stride,         // a row shorter than its pixels
    damaged,            // the PNG or JPEG does not decode
    colours_unknown,    // a JPEG that cannot become grey (CMYK)
    file_unreadable,    // the file is absent or may not be read
    file_kind_unknown,  // neither PNG nor JPEG by its first bytes
};
std::string_view to_text(FrameFault fault) noexcept;
[[noreturn]] inline void throw_exception_from_error(FrameFault fault,
                                                    const boost::source_location&) {
    abort_on_missing_value(fault);
}

/// Grey as the camera gives it (V4L2_PIX_FMT_GREY).
/// @param stride bytes a row as the driver says (`bytesperline`); 0 means rows without padding
Result<LumaFrame, FrameFault> luma_from_grey(BytesView buffer, int width, int height, int stride);

/// YUYV 4:2:2: luma is every other byte (V4L2_PIX_FMT_YUYV). An odd width has no YUYV form and is
/// `empty_size`'s sibling `bad_stride`.
Result<LumaFrame, FrameFault> luma_from_yuyv(BytesView buffer, int width, int height, int stride);

/// One JPEG image, also the tableless kind of Motion JPEG. A picture cut short is grey where it
/// ends, which no code survives by accident.
Result<LumaFrame, FrameFault> luma_from_jpeg(BytesView jpeg, const PictureLimits& limits = {});

/// Any PNG; transparency is seen on white, as a person sees it.
Result<LumaFrame, FrameFault> luma_from_png(BytesView png, const PictureLimits& limits = {});

/// A grey PNG of the frame: for pictures people look at, and for the simulated camera.
Bytes png_from_luma(const LumaFrame& frame);

}  // namespace pf::firmware::scan
