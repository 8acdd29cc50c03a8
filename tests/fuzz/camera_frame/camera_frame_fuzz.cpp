// Whatever a camera puts into a buffer, and whatever its driver says the buffer holds: the frame
// has the size that was agreed, and every grey value comes from the byte the format says.
#include <cstdlib>

#include "firmware/scan/camera_format.hpp"

namespace {

using namespace pf;
using namespace pf::firmware::scan;

void require(bool holds) {
    if (!holds) std::abort();
}

/// Small sizes, some of them impossible, so that a few hundred bytes are a buffer.
int size_of(Byte byte) { return static_cast<int>(byte) - 2; }

void check_grey(const LumaFrame& frame, const CameraMode& mode, BytesView buffer,
                int bytes_a_pixel) {
    const int stride = mode.stride == 0 ? mode.width * bytes_a_pixel : mode.stride;
    for (int y = 0; y < frame.height; ++y)
        for (int x = 0; x < frame.width; ++x)
            require(frame.row(y)[x] ==
                    buffer[static_cast<std::size_t>(y * stride + x * bytes_a_pixel)]);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    constexpr std::size_t head = 4;
    if (size < head) return 0;
    constexpr PixelFormat formats[] = {PixelFormat::grey, PixelFormat::yuyv, PixelFormat::mjpeg};
    const CameraMode mode{.format = formats[data[0] % 3],
                          .width = size_of(data[1]),
                          .height = size_of(data[2]),
                          .stride = data[3] == 0 ? 0 : 2 * size_of(data[3])};
    const BytesView buffer{data + head, size - head};
    const auto frame = luma_from_camera(mode, buffer);
    if (!frame) {
        require(!to_text(frame.error()).empty());
        return 0;
    }
    require(frame->width == mode.width && frame->height == mode.height && frame->width >= 1 &&
            frame->height >= 1 && frame->stride >= frame->width);
    require(frame->pixels.size() ==
            static_cast<std::size_t>(frame->stride) * static_cast<std::size_t>(frame->height));
    switch (mode.format) {
        case PixelFormat::grey:
            check_grey(*frame, mode, buffer, 1);
            break;
        case PixelFormat::yuyv:
            check_grey(*frame, mode, buffer, 2);
            break;
        case PixelFormat::mjpeg:
            break;
    }
    return 0;
}
