#include "firmware/scan/picture_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <system_error>

namespace pf::firmware::scan {

namespace {

struct Descriptor {
    int fd;
    ~Descriptor() {
        if (fd >= 0) ::close(fd);
    }
};

Result<Bytes, FrameFault> read_file(const std::filesystem::path& path) {
    // O_NONBLOCK: opening somebody's named pipe must not hang the folder's thread.
    const Descriptor file{::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)};
    struct stat about {};
    if (file.fd < 0 || ::fstat(file.fd, &about) != 0 || !S_ISREG(about.st_mode)) {
        return FrameFault::file_unreadable;
    }
    if (about.st_size > static_cast<off_t>(picture_file_bytes_max)) return FrameFault::too_large;
    Bytes bytes(static_cast<std::size_t>(about.st_size));
    std::size_t have = 0;
    while (have < bytes.size()) {
        const ssize_t got = ::read(file.fd, bytes.data() + have, bytes.size() - have);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return FrameFault::file_unreadable;
        if (got == 0) break;  // somebody cut it while we read
        have += static_cast<std::size_t>(got);
    }
    bytes.resize(have);
    return bytes;
}

bool begins_with(BytesView bytes, std::initializer_list<Byte> magic) {
    return bytes.size() >= magic.size() && std::equal(magic.begin(), magic.end(), bytes.begin());
}

}  // namespace

Result<LumaFrame, FrameFault> load_picture(const std::filesystem::path& path) {
    const auto bytes = read_file(path);
    if (!bytes) return bytes.error();
    if (begins_with(*bytes, {0x89, 'P', 'N', 'G'})) return luma_from_png(*bytes);
    if (begins_with(*bytes, {0xff, 0xd8, 0xff})) return luma_from_jpeg(*bytes);
    return FrameFault::file_kind_unknown;
}

PictureReport read_picture(const std::filesystem::path& path, const Stopwatch& stopwatch,
                           Symbologies symbologies) {
    PictureReport report{.path = path};
    const auto begun = stopwatch();
    const auto frame = load_picture(path);
    const auto loaded = stopwatch();
    report.load = loaded - begun;
    if (!frame) {
        report.fault = frame.error();
        return report;
    }
    report.width = frame->width;
    report.height = frame->height;
    report.outcome = Pipeline{symbologies}.read(*frame);
    report.search = stopwatch() - loaded;
    return report;
}

bool has_picture_name(const std::filesystem::path& path) {
    const std::string name = path.filename().string();
    if (name.empty() || name.front() == '.') return false;
    std::string ending = path.extension().string();
    std::ranges::transform(ending, ending.begin(), [](unsigned char letter) {
        return static_cast<char>(std::tolower(letter));
    });
    return ending == ".png" || ending == ".jpg" || ending == ".jpeg";
}

std::vector<std::filesystem::path> pictures_in(const std::filesystem::path& file_or_folder) {
    std::error_code failure;
    if (!std::filesystem::is_directory(file_or_folder, failure)) return {file_or_folder};
    std::vector<std::filesystem::path> found;
    std::filesystem::directory_iterator entry{file_or_folder, failure};
    for (; !failure && entry != std::filesystem::directory_iterator{}; entry.increment(failure)) {
        if (has_picture_name(entry->path())) found.push_back(entry->path());
    }
    std::ranges::sort(found);
    return found;
}

std::optional<Look> look_from(Outcome outcome, std::string_view source, SteadyTime at) {
    if (outcome.readings.empty()) return std::nullopt;
    Look look{.at = at};
    for (Reading& reading : outcome.readings) {
        look.codes.push_back({.bytes = std::move(reading.bytes),
                              .source = std::string{source},
                              .strategy = std::string{to_text(reading.strategy)}});
    }
    return look;
}

}  // namespace pf::firmware::scan
