// Properties: no bytes crash, exit or blow up the unpacking; what unpacks is within the limits and
// has the shape a frame promises, so that the pipeline may rely on it.
#include <cstdlib>

#include "firmware/scan/frame.hpp"
#include "firmware/scan/pipeline.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace pf::firmware::scan;
    constexpr PictureLimits limits{.side_px_max = 512, .pixels_max = 65'536, .jpeg_scans_max = 16};
    const auto frame = luma_from_jpeg({data, size}, limits);
    if (!frame) return 0;  // refusing is always allowed

    const auto bytes =
        static_cast<std::size_t>(frame->stride) * static_cast<std::size_t>(frame->height);
    const bool sound = frame->width >= 1 && frame->height >= 1 && frame->stride >= frame->width &&
                       frame->width <= 512 && frame->height <= 512 &&
                       frame->width * frame->height <= 65'536 && frame->pixels.size() == bytes;
    if (!sound) std::abort();
    for (const Reading& reading : Pipeline{}.read(*frame, {.work_max = camera_work_max}).readings) {
        if (reading.bytes.empty() || reading.bytes.size() > code_bytes_max) std::abort();
    }
    return 0;
}
