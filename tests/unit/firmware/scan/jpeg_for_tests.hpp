#pragma once
// JPEG as a camera would send it; the device itself never writes any.
#include "firmware/scan/frame.hpp"

namespace pf::tests {

struct JpegKind {
    int quality = 80;
    bool colour = true;  // YCbCr 4:2:0 with neutral colour, else one grey component
    bool progressive = false;
    bool cmyk = false;
};
Bytes jpeg_of(const firmware::scan::LumaFrame& frame, const JpegKind& kind = {});

/// Motion JPEG: without the Huffman tables every decoder is expected to know.
Bytes without_huffman_tables(BytesView jpeg);

}  // namespace pf::tests
