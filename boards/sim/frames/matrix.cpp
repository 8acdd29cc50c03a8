// The only file that speaks libqrencode.
#include <qrencode.h>

#include <algorithm>
#include <memory>
#include <string>

#include "boards/sim/frames/frames.hpp"

namespace pf::boards::sim::frames {

namespace {

struct FreeCode {
    void operator()(QRcode* code) const { QRcode_free(code); }
};

QRcode* encode(BytesView content) {
    constexpr int smallest_version = 0;
    // Split into segments, the string form makes Base45 alphanumeric; it ends at a zero byte, so
    // binary content with one goes as a single 8-bit segment.
    if (std::ranges::find(content, Byte{0}) == content.end()) {
        return QRcode_encodeString(std::string(as_text(content)).c_str(), smallest_version,
                                   QR_ECLEVEL_M, QR_MODE_8, 1);
    }
    return QRcode_encodeData(static_cast<int>(content.size()), content.data(), smallest_version,
                             QR_ECLEVEL_M);
}

}  // namespace

std::optional<Matrix> render_qr(BytesView content) {
    constexpr std::size_t beyond_any_code = 8000;
    if (content.empty() || content.size() > beyond_any_code) return std::nullopt;
    const std::unique_ptr<QRcode, FreeCode> code{encode(content)};
    if (!code) return std::nullopt;
    Matrix matrix;
    matrix.side = code->width;
    const auto modules =
        static_cast<std::size_t>(code->width) * static_cast<std::size_t>(code->width);
    matrix.dark.reserve(modules);
    for (std::size_t i = 0; i < modules; ++i) matrix.dark.push_back((code->data[i] & 1U) != 0);
    return matrix;
}

std::optional<Matrix> render_qr(std::string_view text) { return render_qr(as_bytes(text)); }

firmware::scan::LumaFrame picture_of(const Matrix& matrix, int scale) {
    const int side = (matrix.side + 2 * quiet_zone_modules) * scale;
    auto frame = firmware::scan::LumaFrame::filled(side, side, 255);
    for (int y = 0; y < matrix.side * scale; ++y) {
        Byte* row = frame.row(y + quiet_zone_modules * scale) + quiet_zone_modules * scale;
        for (int x = 0; x < matrix.side * scale; ++x) {
            if (matrix.at(x / scale, y / scale)) row[x] = 0;
        }
    }
    return frame;
}

std::string terminal_text(const Matrix& matrix) {
    const auto dark = [&](int column, int row) {
        return column >= 0 && row >= 0 && column < matrix.side && row < matrix.side &&
               matrix.at(column, row);
    };
    std::string text;
    const int end = matrix.side + quiet_zone_modules;
    for (int row = -quiet_zone_modules; row < end; row += 2) {
        text += "\033[30;107m";  // black on bright white
        for (int column = -quiet_zone_modules; column < end; ++column) {
            const bool upper = dark(column, row);
            const bool lower = dark(column, row + 1);
            text += upper ? (lower ? "█" : "▀") : (lower ? "▄" : " ");
        }
        text += "\033[0m\n";
    }
    return text;
}

}  // namespace pf::boards::sim::frames
