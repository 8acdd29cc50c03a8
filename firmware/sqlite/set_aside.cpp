#include "firmware/sqlite/set_aside.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <memory>
#include <system_error>
#include <vector>

#include "common/base/bytes.hpp"

namespace pf::firmware::sqlite {

namespace {

namespace fs = std::filesystem;

std::string damaged_name(const std::string& path, int number) {
    return path + ".damaged-" + std::to_string(number);
}

/// One file of a VFS, opened the way SQLite demands: the name with an empty parameter list behind.
class VfsFile {
public:
    VfsFile(sqlite3_vfs& vfs, const std::string& path, int flags)
        : name_{sqlite3_create_filename(path.c_str(), "", "", 0, nullptr), &sqlite3_free_filename},
          room_(static_cast<std::size_t>(vfs.szOsFile) / sizeof(std::max_align_t) + 1) {
        int got = 0;
        code_ = vfs.xOpen(&vfs, name_.get(), file(), flags | SQLITE_OPEN_MAIN_DB, &got);
    }
    VfsFile(const VfsFile&) = delete;
    VfsFile& operator=(const VfsFile&) = delete;
    ~VfsFile() {
        if (file()->pMethods != nullptr) file()->pMethods->xClose(file());
    }

    int code() const { return code_; }
    sqlite3_file* file() { return reinterpret_cast<sqlite3_file*>(room_.data()); }

private:
    std::unique_ptr<const char, decltype(&sqlite3_free_filename)> name_;
    std::vector<std::max_align_t> room_;
    int code_ = SQLITE_OK;
};

int copy(sqlite3_vfs& vfs, const std::string& from, const std::string& to) {
    VfsFile source{vfs, from, SQLITE_OPEN_READONLY};
    VfsFile target{vfs, to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE};
    int code = std::max(source.code(), target.code());
    if (code != SQLITE_OK) return code;
    const sqlite3_io_methods& in = *source.file()->pMethods;
    const sqlite3_io_methods& out = *target.file()->pMethods;
    sqlite3_int64 size = 0;
    code = in.xFileSize(source.file(), &size);
    if (code == SQLITE_OK) code = out.xTruncate(target.file(), 0);
    std::array<Byte, 64 * 1024> piece{};
    for (sqlite3_int64 at = 0; at < size && code == SQLITE_OK;) {
        const auto count = static_cast<int>(std::min<sqlite3_int64>(piece.size(), size - at));
        code = in.xRead(source.file(), piece.data(), count, at);
        if (code == SQLITE_OK) code = out.xWrite(target.file(), piece.data(), count, at);
        at += count;
    }
    if (code == SQLITE_OK) code = out.xSync(target.file(), SQLITE_SYNC_NORMAL);
    return code;
}

bool exists(sqlite3_vfs& vfs, const std::string& path) {
    int found = 0;
    return vfs.xAccess(&vfs, path.c_str(), SQLITE_ACCESS_EXISTS, &found) == SQLITE_OK && found != 0;
}

int move_in_vfs(sqlite3_vfs& vfs, const std::string& from, const std::string& to) {
    if (!exists(vfs, from)) return SQLITE_OK;
    int code = copy(vfs, from, to);
    if (code == SQLITE_OK) code = vfs.xDelete(&vfs, from.c_str(), 1);
    return code;
}

Fault fault_of_code(int code) {
    return (code & 0xff) == SQLITE_FULL ? Fault::disk_full : Fault::io_error;
}

Result<std::string> set_aside_in_vfs(const Place& place) {
    sqlite3_vfs* const vfs = sqlite3_vfs_find(place.vfs.empty() ? nullptr : place.vfs.c_str());
    if (vfs == nullptr) return Fault::io_error;
    int number = 1;
    while (number < damaged_copies_max && exists(*vfs, damaged_name(place.path, number))) ++number;
    const std::string to = damaged_name(place.path, number);
    // The database goes first: SQLite discards a WAL that has none, but a database without its WAL
    // would open as an older one.
    int code = move_in_vfs(*vfs, place.path, to);
    if (code == SQLITE_OK) code = move_in_vfs(*vfs, place.path + "-wal", to + "-wal");
    if (code != SQLITE_OK) return fault_of_code(code);
    return to;
}

Result<std::string> set_aside_in_files(const Place& place) {
    int number = 1;
    while (number < damaged_copies_max && fs::exists(damaged_name(place.path, number))) ++number;
    const std::string to = damaged_name(place.path, number);
    std::error_code failed;
    fs::rename(place.path, to, failed);
    if (!failed) fs::remove(to + "-wal", failed);
    if (!failed && fs::exists(place.path + "-wal")) {
        fs::rename(place.path + "-wal", to + "-wal", failed);
    }
    if (!failed) fs::remove(place.path + "-shm", failed);
    if (failed) return Fault::io_error;
    return to;
}

}  // namespace

Result<std::string> set_aside(const Place& place) {
    return place.vfs.empty() ? set_aside_in_files(place) : set_aside_in_vfs(place);
}

}  // namespace pf::firmware::sqlite
