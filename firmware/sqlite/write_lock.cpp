#include "firmware/sqlite/write_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace pf::firmware::sqlite {

Result<WriteLock> WriteLock::take(const std::string& database_path) {
    const std::string path = database_path + ".lock";
    constexpr int owner_only = 0600;
    const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, owner_only);
    if (file < 0) return errno == ENOSPC ? Fault::disk_full : Fault::io_error;
    // The lock file is never deleted: a new one could be locked while an old one still is.
    WriteLock lock{file};
    if (::flock(file, LOCK_EX | LOCK_NB) != 0) {
        return errno == EWOULDBLOCK ? Fault::locked : Fault::io_error;
    }
    return lock;
}

WriteLock::WriteLock(WriteLock&& other) noexcept : file_{std::exchange(other.file_, -1)} {}

WriteLock& WriteLock::operator=(WriteLock&& other) noexcept {
    std::swap(file_, other.file_);
    return *this;
}

WriteLock::~WriteLock() {
    if (file_ >= 0) ::close(file_);
}

}  // namespace pf::firmware::sqlite
