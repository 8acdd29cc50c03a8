#pragma once
// Pictures from files, and the report `paifangctl scan` prints of each.
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "firmware/scan/look.hpp"
#include "firmware/scan/pipeline.hpp"

namespace pf::firmware::scan {

inline constexpr std::size_t picture_file_bytes_max = 32 * 1024 * 1024;

/// A PNG or JPEG file, told apart by its first bytes, not by its name. Blocks on the disk; a pipe
/// or device is `file_unreadable`.
Result<LumaFrame, FrameFault> load_picture(const std::filesystem::path& path);

/// What the device's own pipeline makes of one file.
struct PictureReport {
    std::filesystem::path path{};
    std::optional<FrameFault> fault{};  // then there is no outcome
    int width = 0;                      // pixels
    int height = 0;
    Outcome outcome{};                    // readings, and the strategies tried
    std::chrono::microseconds load{0};    // reading and unpacking the file
    std::chrono::microseconds search{0};  // looking for codes: what a camera frame would cost
};

/// Every file starts with a pipeline of its own, so the report of a file does not depend on the
/// files before it.
PictureReport read_picture(const std::filesystem::path& path, const Stopwatch& stopwatch,
                           Symbologies symbologies = {});

/// The file itself, or the pictures (.png .jpg .jpeg, any case) directly in a folder, by name.
/// Hidden files are somebody's unfinished ones. A path that is no folder comes back as it is, so
/// that its report can say what is wrong with it.
std::vector<std::filesystem::path> pictures_in(const std::filesystem::path& file_or_folder);
bool has_picture_name(const std::filesystem::path& path);

/// The outcome as the lane wants it. Nothing when there is no code.
std::optional<Look> look_from(Outcome outcome, std::string_view source, SteadyTime at);

}  // namespace pf::firmware::scan
