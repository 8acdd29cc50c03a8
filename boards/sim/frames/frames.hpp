#pragma once
// What the simulated camera sees: QR codes, and pictures of them as a gate would take them.
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/base/bytes.hpp"
#include "firmware/scan/frame.hpp"

namespace pf::boards::sim::frames {

/// A QR code without its quiet zone: side × side modules, row by row.
struct Matrix {
    int side = 0;  // modules, 21 to 177
    std::vector<bool> dark{};

    bool at(int column, int row) const {
        return dark[static_cast<std::size_t>(row) * static_cast<std::size_t>(side) +
                    static_cast<std::size_t>(column)];
    }
};

inline constexpr int quiet_zone_modules = 4;

/// The code of some bytes at level M, smallest version that fits; upper-case Base45 becomes
/// alphanumeric by itself. Nothing when empty or too long (2,331 bytes, 3,391 alphanumeric).
std::optional<Matrix> render_qr(BytesView content);
std::optional<Matrix> render_qr(std::string_view text);

/// The code alone on white, with its quiet zone, `scale` pixels a module.
firmware::scan::LumaFrame picture_of(const Matrix& matrix, int scale = 8);

/// The code for a terminal: two rows of modules a line by UTF-8 half blocks, with the quiet zone;
/// black on white by escape sequences whatever the terminal's theme. Ends with a newline.
std::string terminal_text(const Matrix& matrix);

/// How a camera sees it; defects.hpp has ready-made hard ones. Equal options give equal frames, on
/// every machine but for the last bit of floating point.
struct FrameOptions {
    std::uint64_t seed = 1;   // noise, direction of light, direction of tilt
    int width = 640;          // pixels
    int height = 480;         // pixels
    double size = 0.6;        // side of code with quiet zone as a share of the height
    double rotation_deg = 0;  // in the picture's plane
    double tilt_deg = 0;      // away from the camera, about an axis the seed chooses; below 70
    double noise = 0;         // standard deviation in grey levels
    double contrast = 1;      // 1: 20 to 235; 0.05: a dozen levels apart
    double gradient = 0;      // share of light lost across the picture, 0 to 1
    int blur_px = 0;          // radius of a box blur
    bool inverted = false;    // light modules on a dark ground
    double brightness = 1;    // share of the light that is there
    double glare = 0;         // radius of a burnt-out spot as a share of the first code's side
    double damage = 0;        // scratches and blots; 0 to 1
    double curve_deg = 0;     // arc of a cylinder the code is wrapped around; below 180
    double defocus = 0;       // radius of the disc a point becomes, in modules of the first code
    double motion = 0;        // length of the line a point becomes, in modules of the first code
    /// Which picture of the scene, as a camera takes many: another one has other noise and the
    /// hand has moved a little (1 % of the height, 1.5 degrees); all else stays.
    int shot = 0;
};

/// A code and where its centre lies, as shares of width and height.
struct Placed {
    Matrix matrix{};
    double centre_x = 0.5;
    double centre_y = 0.5;
    double scale = 1;         // of FrameOptions::size
    double rotation_deg = 0;  // beside that of the frame
    bool inverted = false;    // otherwise than the frame
};

firmware::scan::LumaFrame make_frame(const Matrix& matrix, const FrameOptions& options);
firmware::scan::LumaFrame make_frame(std::span<const Placed> codes, const FrameOptions& options);

/// Writes a PNG beside its place and renames it, as a watched folder wants it. False when the file
/// cannot be written; then nothing is left behind.
bool write_png(const std::filesystem::path& path, const firmware::scan::LumaFrame& frame);
bool write_png(const std::filesystem::path& path, const Matrix& matrix, int scale = 8);

}  // namespace pf::boards::sim::frames
