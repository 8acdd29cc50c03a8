// The only file that speaks libpng, by its simplified interface: no setjmp, errors are values.
#include <png.h>

#include <cassert>
#include <cstdlib>

#include "firmware/scan/frame.hpp"

namespace pf::firmware::scan {

namespace {

struct Picture {
    png_image image{};
    Picture() { image.version = PNG_IMAGE_VERSION; }
    ~Picture() { png_image_free(&image); }
    Picture(const Picture&) = delete;
    Picture& operator=(const Picture&) = delete;
};

bool failed(const png_image& image) { return (image.warning_or_error & PNG_IMAGE_ERROR) != 0; }

}  // namespace

Result<LumaFrame, FrameFault> luma_from_png(BytesView png, const PictureLimits& limits) {
    Picture picture;
    if (png_image_begin_read_from_memory(&picture.image, png.data(), png.size()) == 0) {
        return FrameFault::damaged;
    }
    const auto width = static_cast<std::int64_t>(picture.image.width);
    const auto height = static_cast<std::int64_t>(picture.image.height);
    if (width < 1 || height < 1) return FrameFault::empty_size;
    if (width > limits.side_px_max || height > limits.side_px_max ||
        width * height > limits.pixels_max) {
        return FrameFault::too_large;
    }
    LumaFrame frame = LumaFrame::filled(static_cast<int>(width), static_cast<int>(height), 255);
    picture.image.format = PNG_FORMAT_GRAY;
    const png_color white{255, 255, 255};
    const int read =
        png_image_finish_read(&picture.image, &white, frame.pixels.data(), frame.stride, nullptr);
    if (read == 0 || failed(picture.image)) return FrameFault::damaged;
    return frame;
}

Bytes png_from_luma(const LumaFrame& frame) {
    assert(frame.width >= 1 && frame.height >= 1);
    Picture picture;
    picture.image.width = static_cast<png_uint_32>(frame.width);
    picture.image.height = static_cast<png_uint_32>(frame.height);
    picture.image.format = PNG_FORMAT_GRAY;
    png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(picture.image);
    Bytes png(size);
    if (png_image_write_to_memory(&picture.image, png.data(), &size, 0, frame.pixels.data(),
                                  frame.stride, nullptr) == 0) {
        std::abort();  // the buffer has the size libpng itself calls sufficient
    }
    png.resize(size);
    return png;
}

}  // namespace pf::firmware::scan
