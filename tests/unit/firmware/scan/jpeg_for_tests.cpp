#include "tests/unit/firmware/scan/jpeg_for_tests.hpp"

#include <cstdio>
#include <cstdlib>
#include <vector>
// clang-format off
#include <jpeglib.h>
// clang-format on

namespace pf::tests {

Bytes jpeg_of(const firmware::scan::LumaFrame& frame, const JpegKind& kind) {
    jpeg_compress_struct info{};
    jpeg_error_mgr errors{};
    info.err = jpeg_std_error(&errors);
    jpeg_create_compress(&info);
    unsigned char* memory = nullptr;
    unsigned long size = 0;
    jpeg_mem_dest(&info, &memory, &size);
    info.image_width = static_cast<JDIMENSION>(frame.width);
    info.image_height = static_cast<JDIMENSION>(frame.height);
    info.input_components = kind.cmyk ? 4 : kind.colour ? 3 : 1;
    info.in_color_space = kind.cmyk ? JCS_CMYK : kind.colour ? JCS_RGB : JCS_GRAYSCALE;
    jpeg_set_defaults(&info);
    jpeg_set_quality(&info, kind.quality, TRUE);
    if (kind.progressive) jpeg_simple_progression(&info);
    jpeg_start_compress(&info, TRUE);
    const auto components = static_cast<std::size_t>(info.input_components);
    std::vector<Byte> row(static_cast<std::size_t>(frame.width) * components);
    for (int y = 0; y < frame.height; ++y) {
        for (std::size_t i = 0; i < row.size(); ++i) row[i] = frame.row(y)[i / components];
        JSAMPROW rows[] = {row.data()};
        jpeg_write_scanlines(&info, rows, 1);
    }
    jpeg_finish_compress(&info);
    jpeg_destroy_compress(&info);
    Bytes jpeg(memory, memory + size);
    std::free(memory);
    return jpeg;
}

Bytes without_huffman_tables(BytesView jpeg) {
    constexpr Byte table = 0xc4;
    constexpr Byte scan = 0xda;
    Bytes out(jpeg.begin(), jpeg.begin() + 2);
    for (std::size_t at = 2; at + 4 <= jpeg.size();) {
        const std::size_t length = 2 + static_cast<std::size_t>(jpeg[at + 2] << 8 | jpeg[at + 3]);
        const bool last = jpeg[at + 1] == scan;
        const std::size_t end = last ? jpeg.size() : at + length;
        if (jpeg[at + 1] != table) {
            out.insert(out.end(), jpeg.begin() + static_cast<std::ptrdiff_t>(at),
                       jpeg.begin() + static_cast<std::ptrdiff_t>(end));
        }
        at = end;
    }
    return out;
}

}  // namespace pf::tests
