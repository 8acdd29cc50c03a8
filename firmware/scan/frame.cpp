#include "firmware/scan/frame.hpp"

#include <algorithm>
#include <cassert>
#include <cstdlib>

namespace pf::firmware::scan {

namespace {

/// Checks a raw buffer's announced geometry; the stride to use, or the fault.
Result<std::size_t, FrameFault> checked_stride(std::size_t buffer_bytes, int width, int height,
                                               int stride, std::size_t row_bytes) {
    if (width < 1 || height < 1) return FrameFault::empty_size;
    constexpr PictureLimits limits;
    if (width > limits.side_px_max || height > limits.side_px_max) return FrameFault::too_large;
    if (stride < 0) return FrameFault::bad_stride;
    const std::size_t step = stride == 0 ? row_bytes : static_cast<std::size_t>(stride);
    if (step < row_bytes) return FrameFault::bad_stride;
    // Drivers may leave the padding of the last row away.
    const std::size_t needed = step * static_cast<std::size_t>(height - 1) + row_bytes;
    if (buffer_bytes < needed) return FrameFault::short_buffer;
    return step;
}

}  // namespace

LumaFrame LumaFrame::filled(int width, int height, Byte grey) {
    assert(width >= 0 && height >= 0);
    const auto size = static_cast<std::size_t>(width) * static_cast<std::size_t>(height);
    return {width, height, width, std::vector<Byte>(size, grey)};
}

Result<LumaFrame, FrameFault> luma_from_grey(BytesView buffer, int width, int height, int stride) {
    const auto row_bytes = static_cast<std::size_t>(std::max(width, 0));
    const auto step = checked_stride(buffer.size(), width, height, stride, row_bytes);
    if (!step) return step.error();
    LumaFrame frame = LumaFrame::filled(width, height, 0);
    for (int y = 0; y < height; ++y) {
        const BytesView from = buffer.subspan(static_cast<std::size_t>(y) * *step, row_bytes);
        std::copy(from.begin(), from.end(), frame.row(y));
    }
    return frame;
}

Result<LumaFrame, FrameFault> luma_from_yuyv(BytesView buffer, int width, int height, int stride) {
    if (width % 2 != 0) return FrameFault::bad_stride;
    const auto row_bytes = 2 * static_cast<std::size_t>(std::max(width, 0));
    const auto step = checked_stride(buffer.size(), width, height, stride, row_bytes);
    if (!step) return step.error();
    LumaFrame frame = LumaFrame::filled(width, height, 0);
    for (int y = 0; y < height; ++y) {
        const BytesView from = buffer.subspan(static_cast<std::size_t>(y) * *step, row_bytes);
        Byte* to = frame.row(y);
        for (std::size_t i = 0; i < row_bytes; i += 2) *to++ = from[i];
    }
    return frame;
}

std::string_view to_text(FrameFault fault) noexcept {
    switch (fault) {
        case FrameFault::empty_size:
            return "empty_size";
        case FrameFault::too_large:
            return "too_large";
        case FrameFault::short_buffer:
            return "short_buffer";
        case FrameFault::bad_stride:
            return "bad_stride";
        case FrameFault::damaged:
            return "damaged";
        case FrameFault::colours_unknown:
            return "colours_unknown";
        case FrameFault::file_unreadable:
            return "file_unreadable";
        case FrameFault::file_kind_unknown:
            return "file_kind_unknown";
    }
    std::abort();  // a value outside the enum means memory is corrupt
}

}  // namespace pf::firmware::scan
