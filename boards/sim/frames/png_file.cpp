#include <fstream>
#include <ios>
#include <system_error>

#include "boards/sim/frames/frames.hpp"

namespace pf::boards::sim::frames {

bool write_png(const std::filesystem::path& path, const firmware::scan::LumaFrame& frame) {
    const Bytes png = firmware::scan::png_from_luma(frame);
    const auto beside = path.parent_path() / ("." + path.filename().string() + ".part");
    {
        std::ofstream out(beside, std::ios::binary | std::ios::trunc);
        const std::string_view text = as_text(png);
        out.write(text.data(), static_cast<std::streamsize>(text.size()));
        out.close();
        if (!out) {
            std::error_code ignored;  // the first failure is the one to tell
            std::filesystem::remove(beside, ignored);
            return false;
        }
    }
    std::error_code failure;
    std::filesystem::rename(beside, path, failure);
    if (failure) {
        std::error_code ignored;
        std::filesystem::remove(beside, ignored);
    }
    return !failure;
}

bool write_png(const std::filesystem::path& path, const Matrix& matrix, int scale) {
    return write_png(path, picture_of(matrix, scale));
}

}  // namespace pf::boards::sim::frames
