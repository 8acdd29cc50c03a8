// The only file that speaks libjpeg. Its errors leave by longjmp, so the functions between setjmp
// and libjpeg own nothing that needs a destructor; what they fill belongs to the caller.
#include <csetjmp>
#include <cstdio>  // jpeglib.h uses FILE without including it
// clang-format off
#include <jpeglib.h>
// clang-format on

#include "firmware/scan/frame.hpp"

namespace pf::firmware::scan {

namespace {

struct Escape {
    jpeg_error_mgr base;  // first member: libjpeg hands back a pointer to it
    std::jmp_buf out;
};

struct ScanWatch {
    jpeg_progress_mgr base;  // first member, as above
    int scans_max;
};

[[noreturn]] void leave(j_common_ptr info) {
    std::longjmp(reinterpret_cast<Escape*>(info->err)->out, 1);
}

// Warnings (a truncated picture, bytes between markers) are daily bread with cheap cameras.
void be_quiet(j_common_ptr) {}
void count_warning(j_common_ptr info, int level) {
    if (level < 0) ++info->err->num_warnings;
}

void watch_scans(j_common_ptr info) {
    const auto* watch = reinterpret_cast<const ScanWatch*>(info->progress);
    if (reinterpret_cast<j_decompress_ptr>(info)->input_scan_number > watch->scans_max) leave(info);
}

enum class Step { done, size_refused, colours_refused, failed };

struct Reader {
    jpeg_decompress_struct info;
    Escape escape;
    ScanWatch watch;
};

Step open(Reader& reader, BytesView jpeg) {
    reader.info.err = jpeg_std_error(&reader.escape.base);
    reader.escape.base.error_exit = leave;
    reader.escape.base.output_message = be_quiet;
    reader.escape.base.emit_message = count_warning;
    if (setjmp(reader.escape.out) != 0) return Step::failed;
    jpeg_create_decompress(&reader.info);
    reader.watch.base.progress_monitor = watch_scans;
    reader.info.progress = &reader.watch.base;
    jpeg_mem_src(&reader.info, jpeg.data(), jpeg.size());
    jpeg_read_header(&reader.info, TRUE);
    const J_COLOR_SPACE space = reader.info.jpeg_color_space;
    if (space != JCS_GRAYSCALE && space != JCS_YCbCr && space != JCS_RGB) {
        return Step::colours_refused;
    }
    return Step::done;
}

/// What libjpeg will hold of a picture that comes in several scans; nothing for the usual one.
std::int64_t coefficient_bytes(jpeg_decompress_struct& info) {
    if (!jpeg_has_multiple_scans(&info)) return 0;
    std::int64_t bytes = 0;
    for (int i = 0; i < info.num_components; ++i) {
        const jpeg_component_info& component = info.comp_info[i];
        bytes += static_cast<std::int64_t>(component.width_in_blocks) *
                 static_cast<std::int64_t>(component.height_in_blocks) * DCTSIZE2 *
                 static_cast<std::int64_t>(sizeof(JCOEF));
    }
    return bytes;
}

Step decode(Reader& reader, LumaFrame& frame) {
    if (setjmp(reader.escape.out) != 0) return Step::failed;
    reader.info.out_color_space = JCS_GRAYSCALE;
    reader.info.dct_method = JDCT_IFAST;  // codes are coarse; speed counts on a small board
    jpeg_start_decompress(&reader.info);
    if (static_cast<int>(reader.info.output_width) != frame.width ||
        static_cast<int>(reader.info.output_height) != frame.height ||
        reader.info.output_components != 1) {
        return Step::size_refused;
    }
    while (reader.info.output_scanline < reader.info.output_height) {
        JSAMPROW row = frame.row(static_cast<int>(reader.info.output_scanline));
        jpeg_read_scanlines(&reader.info, &row, 1);
    }
    jpeg_finish_decompress(&reader.info);
    return Step::done;
}

}  // namespace

Result<LumaFrame, FrameFault> luma_from_jpeg(BytesView jpeg, const PictureLimits& limits) {
    if (jpeg.empty()) return FrameFault::damaged;
    Reader reader{};
    reader.watch.scans_max = limits.jpeg_scans_max;
    struct Closer {
        jpeg_decompress_struct& info;
        ~Closer() { jpeg_destroy_decompress(&info); }
    } closer{reader.info};

    switch (open(reader, jpeg)) {
        case Step::done:
            break;
        case Step::colours_refused:
            return FrameFault::colours_unknown;
        case Step::size_refused:
        case Step::failed:
            return FrameFault::damaged;
    }
    const auto width = static_cast<std::int64_t>(reader.info.image_width);
    const auto height = static_cast<std::int64_t>(reader.info.image_height);
    if (width < 1 || height < 1) return FrameFault::empty_size;
    if (width > limits.side_px_max || height > limits.side_px_max ||
        width * height > limits.pixels_max ||
        coefficient_bytes(reader.info) > limits.jpeg_coefficient_bytes_max) {
        return FrameFault::too_large;
    }
    LumaFrame frame = LumaFrame::filled(static_cast<int>(width), static_cast<int>(height), 128);
    if (decode(reader, frame) != Step::done) return FrameFault::damaged;
    return frame;
}

}  // namespace pf::firmware::scan
