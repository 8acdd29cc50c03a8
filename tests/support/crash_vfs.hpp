#pragma once
// Real SQLite on simulated disks that lose what was not synced.
//
// A CrashVfs becomes SQLite's default VFS while it lives, so shipped code that opens a plain path
// runs on it unchanged (SQLiteCpp and SOCI alike). A path that begins with a disk's mount belongs
// to that disk; every other path goes to the operating system as before. Example:
//
//     CrashVfs vfs(seed);
//     CrashDisk disk(seed);
//     const auto mounted = vfs.mount("/gate-1/", disk);
//     { Journal journal("/gate-1/events.db"); … disk.cut_power(); }   // the program dies
//     disk.power_on(rng);                                             // what survived
//
// Time and randomness of the VFS are seeded: SQLite's salts and `now` repeat with the seed.
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "tests/support/crash_disk.hpp"
#include "tests/support/rng.hpp"

namespace pf::tests {

class CrashVfs {
public:
    /// Several may live at once under different names; the latest is the default. Connections
    /// opened through it are closed before it goes.
    explicit CrashVfs(std::uint64_t seed, std::string name = "pf-crash");
    ~CrashVfs();
    CrashVfs(const CrashVfs&) = delete;
    CrashVfs& operator=(const CrashVfs&) = delete;

    /// A disk is reachable while its Mount lives. `prefix` ends with '/'; the longest one wins.
    class Mount {
    public:
        Mount(CrashVfs& vfs, std::string prefix, CrashDisk& disk);
        ~Mount();
        Mount(const Mount&) = delete;
        Mount& operator=(const Mount&) = delete;

    private:
        CrashVfs& vfs_;
        std::string prefix_;
    };
    [[nodiscard]] Mount mount(std::string prefix, CrashDisk& disk) {
        return Mount(*this, std::move(prefix), disk);
    }

    const std::string& name() const { return name_; }
    /// What SQLite's `now` says, Unix milliseconds; it stands still until set again.
    void set_wall_ms(std::int64_t unix_ms) { wall_ms_ = unix_ms; }
    /// SQLite draws its salts from a generator seeded once; a repeatable run seeds it at its start.
    void reseed(std::uint64_t seed);

private:
    friend struct VfsCalls;

    CrashDisk* disk_of(std::string_view path);

    std::string name_;
    Rng rng_;
    std::int64_t wall_ms_ = 1'780'000'000'000;  // a day in 2026
    std::map<std::string, CrashDisk*, std::less<>> disks_;
    std::recursive_mutex mutex_;  // the server's writer thread and readers share one VFS
    // SQLite's own types stay out of this header: SOCI brings its own copy of sqlite3.h.
    struct Registration;
    std::unique_ptr<Registration> registration_;
};

}  // namespace pf::tests
