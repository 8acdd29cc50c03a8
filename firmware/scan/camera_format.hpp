#pragma once
// What a camera offers, what we take of it, and how a buffer of it becomes a frame. Pure: the
// camera itself is camera_source.cpp.
#include <optional>
#include <span>
#include <string_view>

#include "firmware/scan/frame.hpp"

namespace pf::firmware::scan {

enum class PixelFormat { grey, yuyv, mjpeg };
std::string_view to_text(PixelFormat format) noexcept;

/// V4L2's four letters, and back. Nothing for formats we do not read.
std::uint32_t fourcc_of(PixelFormat format) noexcept;
std::optional<PixelFormat> pixel_format_of(std::uint32_t fourcc) noexcept;

/// The format to ask for among those offered (by their four letters). Grey costs least. YUYV saves
/// the unpacking of JPEG, but 1280×720 of it fills USB 2, so larger pictures come as MJPEG.
std::optional<PixelFormat> choose_format(std::span<const std::uint32_t> offered, int width,
                                         int height);

/// What the driver agreed to.
struct CameraMode {
    PixelFormat format = PixelFormat::grey;
    int width = 0;
    int height = 0;
    int stride = 0;  // `bytesperline`; 0 where rows have no padding, ignored for MJPEG
};

/// One filled buffer. A JPEG padded to whole blocks is cut to what was agreed; one of another size
/// is damaged.
Result<LumaFrame, FrameFault> luma_from_camera(const CameraMode& mode, BytesView buffer);

}  // namespace pf::firmware::scan
