#include "tests/bench/system_calls.hpp"

#include <sqlite3.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include <atomic>

#include "tests/bench/row.hpp"

namespace pf::bench {

namespace {

constexpr std::size_t page_bytes = 4096;  // SQLite's default, which the product keeps
std::atomic<std::uint64_t> pages{0};

void count(std::size_t bytes) {
    if (bytes == page_bytes) ++pages;
}
ssize_t counting_pread(int fd, void* to, std::size_t bytes, off_t at) {
    count(bytes);
    return ::pread(fd, to, bytes, at);
}
ssize_t counting_read(int fd, void* to, std::size_t bytes) {
    count(bytes);
    return ::read(fd, to, bytes);
}
std::atomic<bool> syncing{true};

/// Null puts the system's own back. SQLite has only one of the reading calls, as it was built.
bool set(const char* name, sqlite3_syscall_ptr call) {
    sqlite3_vfs* const vfs = sqlite3_vfs_find(nullptr);
    if (vfs->iVersion < 3 || vfs->xGetSystemCall(vfs, name) == nullptr) return false;
    return vfs->xSetSystemCall(vfs, name, call) == SQLITE_OK;
}

sqlite3_syscall_ptr pointer(auto* call) { return reinterpret_cast<sqlite3_syscall_ptr>(call); }

}  // namespace

PagesRead::PagesRead() {
    pages = 0;
    // off_t has 64 bits here, so both calls take the same arguments.
    static_assert(sizeof(off_t) == 8);
    const bool plain = set("read", pointer(&counting_read));
    const bool at = set("pread", pointer(&counting_pread));
    const bool at64 = set("pread64", pointer(&counting_pread));
    require(plain || at || at64, "SQLite's reads can be counted");
}

PagesRead::~PagesRead() {
    for (const char* name : {"read", "pread", "pread64"}) set(name, nullptr);
}

std::uint64_t PagesRead::count() const { return pages; }

NothingSynced::NothingSynced() { syncing = false; }
NothingSynced::~NothingSynced() { syncing = true; }

}  // namespace pf::bench

// SQLite has no door for these two, so they stand before the C library's.
extern "C" int fdatasync(int fd) {
    if (!pf::bench::syncing) return 0;
    return static_cast<int>(::syscall(SYS_fdatasync, fd));
}
extern "C" int fsync(int fd) {
    if (!pf::bench::syncing) return 0;
    return static_cast<int>(::syscall(SYS_fsync, fd));
}
