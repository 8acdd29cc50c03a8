#include "tests/support/crash_vfs.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <cassert>
#include <cstring>

namespace pf::tests {
namespace {

/// What one open file of SQLite knows. It outlives its program's life on the disk: SQLite still
/// closes it after the power is gone.
struct Handle {
    CrashVfs* vfs = nullptr;
    CrashDisk* disk = nullptr;
    std::uint64_t life = 0;
    std::string name;
    std::shared_ptr<DiskFile> file;
    int lock = SQLITE_LOCK_NONE;
    bool syncs_directory =
        false;  // a new journal or WAL: its first sync must sync the directory too
    bool delete_on_close = false;
    std::shared_ptr<DiskSharedMemory> shared_memory;
    unsigned shared_slots = 0;
    unsigned exclusive_slots = 0;

    bool usable() const { return disk->usable(life); }
};

struct CrashFile {
    sqlite3_file base;
    Handle* handle;
};

Handle& handle_of(sqlite3_file* file) { return *reinterpret_cast<CrashFile*>(file)->handle; }

int code_of(DiskOutcome outcome, int io_error) {
    switch (outcome) {
        case DiskOutcome::done:
            return SQLITE_OK;
        case DiskOutcome::io_error:
            return io_error;
        case DiskOutcome::full:
            return SQLITE_FULL;
    }
    return SQLITE_INTERNAL;
}

void release_lock(Handle& handle, int down_to) {
    DiskFileLocks& locks = handle.file->locks;
    if (handle.lock == SQLITE_LOCK_EXCLUSIVE) locks.exclusive = false;
    if (handle.lock >= SQLITE_LOCK_PENDING) locks.pending = false;
    if (handle.lock >= SQLITE_LOCK_RESERVED) locks.reserved = false;
    if (handle.lock >= SQLITE_LOCK_SHARED && down_to == SQLITE_LOCK_NONE) --locks.shared;
    handle.lock = down_to;
}

void release_slots(Handle& handle) {
    for (unsigned slot = 0; slot < DiskSharedMemory::slots; ++slot) {
        const unsigned bit = 1U << slot;
        if (handle.shared_slots & bit) --handle.shared_memory->shared[slot];
        if (handle.exclusive_slots & bit) handle.shared_memory->exclusive[slot] = false;
    }
    handle.shared_slots = 0;
    handle.exclusive_slots = 0;
}

}  // namespace

struct CrashVfs::Registration {
    sqlite3_vfs* parent = nullptr;
    sqlite3_vfs vfs{};
};

/// SQLite's C callbacks. A struct so that CrashVfs can name it as its friend.
struct VfsCalls {
    using Guard = std::lock_guard<std::recursive_mutex>;

    static CrashVfs& self(sqlite3_vfs* vfs) { return *static_cast<CrashVfs*>(vfs->pAppData); }
    static sqlite3_vfs* parent_of(CrashVfs& vfs) { return vfs.registration_->parent; }

    // --- files
    // ------------------------------------------------------------------------------------

    static int close(sqlite3_file* file) {
        Handle& handle = handle_of(file);
        const Guard guard(handle.vfs->mutex_);
        if (handle.shared_memory) release_slots(handle);
        if (handle.lock != SQLITE_LOCK_NONE) release_lock(handle, SQLITE_LOCK_NONE);
        if (handle.delete_on_close && handle.usable()) handle.disk->remove(handle.name, false);
        delete &handle;
        file->pMethods = nullptr;
        return SQLITE_OK;
    }

    static int read(sqlite3_file* file, void* out, int size, sqlite3_int64 offset) {
        const Handle& handle = handle_of(file);
        const Guard guard(handle.vfs->mutex_);
        if (!handle.usable()) return SQLITE_IOERR_READ;
        const Bytes& content = handle.file->content;
        const auto at = static_cast<std::size_t>(offset);
        const auto wanted = static_cast<std::size_t>(size);
        const std::size_t there = at < content.size() ? std::min(wanted, content.size() - at) : 0;
        if (there > 0) std::memcpy(out, content.data() + at, there);
        if (there == wanted) return SQLITE_OK;
        std::memset(static_cast<Byte*>(out) + there, 0, wanted - there);
        return SQLITE_IOERR_SHORT_READ;
    }

    static int write(sqlite3_file* file, const void* data, int size, sqlite3_int64 offset) {
        Handle& handle = handle_of(file);
        const Guard guard(handle.vfs->mutex_);
        if (!handle.usable()) return SQLITE_IOERR_WRITE;
        const BytesView bytes(static_cast<const Byte*>(data), static_cast<std::size_t>(size));
        const auto at = static_cast<std::uint64_t>(offset);
        return code_of(handle.disk->write(*handle.file, at, bytes), SQLITE_IOERR_WRITE);
    }

    static int truncate(sqlite3_file* file, sqlite3_int64 size) {
        Handle& handle = handle_of(file);
        const Guard guard(handle.vfs->mutex_);
        if (!handle.usable()) return SQLITE_IOERR_TRUNCATE;
        return code_of(handle.disk->truncate(*handle.file, static_cast<std::uint64_t>(size)),
                       SQLITE_IOERR_TRUNCATE);
    }

    static int sync(sqlite3_file* file, int /*flags*/) {
        Handle& handle = handle_of(file);
        const Guard guard(handle.vfs->mutex_);
        if (!handle.usable()) return SQLITE_IOERR_FSYNC;
        const DiskOutcome outcome = handle.disk->sync(*handle.file, handle.syncs_directory);
        if (outcome == DiskOutcome::done) handle.syncs_directory = false;
        return code_of(outcome, SQLITE_IOERR_FSYNC);
    }

    static int file_size(sqlite3_file* file, sqlite3_int64* out) {
        const Handle& handle = handle_of(file);
        const Guard guard(handle.vfs->mutex_);
        if (!handle.usable()) return SQLITE_IOERR_FSTAT;
        *out = static_cast<sqlite3_int64>(handle.file->content.size());
        return SQLITE_OK;
    }

    // --- locks: SQLite's five levels, as os_unix keeps them
    // ----------------------------------------

    static int lock(sqlite3_file* file, int level) {
        Handle& handle = handle_of(file);
        const Guard guard(handle.vfs->mutex_);
        if (!handle.usable()) return SQLITE_IOERR_LOCK;
        if (level <= handle.lock) return SQLITE_OK;
        DiskFileLocks& locks = handle.file->locks;
        if (level == SQLITE_LOCK_SHARED) {
            if (locks.pending || locks.exclusive) return SQLITE_BUSY;
            ++locks.shared;
            handle.lock = SQLITE_LOCK_SHARED;
            return SQLITE_OK;
        }
        if (level == SQLITE_LOCK_RESERVED) {
            if (locks.reserved) return SQLITE_BUSY;
            locks.reserved = true;
            handle.lock = SQLITE_LOCK_RESERVED;
            return SQLITE_OK;
        }
        assert(level == SQLITE_LOCK_EXCLUSIVE);  // SQLite asks for PENDING only on this way
        const bool others = (locks.reserved && handle.lock < SQLITE_LOCK_RESERVED) ||
                            (locks.pending && handle.lock < SQLITE_LOCK_PENDING);
        if (others) return SQLITE_BUSY;
        // A hot journal is rolled back from SHARED straight to EXCLUSIVE; taking the levels between
        // keeps release_lock() simple and stops nobody who would not be stopped anyway.
        locks.reserved = true;
        locks.pending = true;
        handle.lock = SQLITE_LOCK_PENDING;
        if (locks.shared > 1) return SQLITE_BUSY;  // PENDING stays: no new readers
        locks.exclusive = true;
        handle.lock = SQLITE_LOCK_EXCLUSIVE;
        return SQLITE_OK;
    }

    static int unlock(sqlite3_file* file, int level) {
        Handle& handle = handle_of(file);
        const Guard guard(handle.vfs->mutex_);
        if (handle.lock > level) release_lock(handle, level);
        return SQLITE_OK;
    }

    static int check_reserved_lock(sqlite3_file* file, int* out) {
        const Handle& handle = handle_of(file);
        const Guard guard(handle.vfs->mutex_);
        if (!handle.usable()) return SQLITE_IOERR_CHECKRESERVEDLOCK;
        *out = handle.file->locks.reserved ? 1 : 0;
        return SQLITE_OK;
    }

    static int file_control(sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; }
    static int sector_size(sqlite3_file*) { return 512; }
    static int device_characteristics(sqlite3_file*) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; }

    // --- the WAL's shared memory: gone when the last handle lets go, as after a reboot
    // -------------

    static int shm_map(sqlite3_file* file, int region, int size, int extend, volatile void** out) {
        Handle& handle = handle_of(file);
        const Guard guard(handle.vfs->mutex_);
        *out = nullptr;
        if (!handle.usable()) return SQLITE_IOERR_SHMMAP;
        if (!handle.shared_memory) {
            handle.shared_memory = handle.file->shared_memory.lock();
            if (!handle.shared_memory) {
                handle.shared_memory = std::make_shared<DiskSharedMemory>();
                handle.file->shared_memory = handle.shared_memory;
            }
        }
        auto& regions = handle.shared_memory->regions;
        const auto index = static_cast<std::size_t>(region);
        if (regions.size() <= index) {
            if (!extend) return SQLITE_OK;
            while (regions.size() <= index) {
                regions.push_back(
                    std::make_unique<std::vector<Byte>>(static_cast<std::size_t>(size)));
            }
        }
        *out = regions[index]->data();
        return SQLITE_OK;
    }

    static int shm_lock(sqlite3_file* file, int offset, int count, int flags) {
        Handle& handle = handle_of(file);
        const Guard guard(handle.vfs->mutex_);
        if (!handle.usable()) return SQLITE_IOERR_SHMLOCK;
        assert(handle.shared_memory);
        DiskSharedMemory& memory = *handle.shared_memory;
        const auto first = static_cast<unsigned>(offset);
        const unsigned end = first + static_cast<unsigned>(count);
        const bool exclusive = (flags & SQLITE_SHM_EXCLUSIVE) != 0;
        unsigned& mine = exclusive ? handle.exclusive_slots : handle.shared_slots;
        if (flags & SQLITE_SHM_UNLOCK) {
            for (unsigned slot = first; slot < end; ++slot) {
                if (!(mine & 1U << slot)) continue;
                mine &= ~(1U << slot);
                if (exclusive) {
                    memory.exclusive[slot] = false;
                } else {
                    --memory.shared[slot];
                }
            }
            return SQLITE_OK;
        }
        for (unsigned slot = first; slot < end; ++slot) {
            if (mine & 1U << slot) continue;
            const bool my_share = (handle.shared_slots & 1U << slot) != 0;
            const int other_shares = memory.shared[slot] - (my_share ? 1 : 0);
            if (memory.exclusive[slot] || (exclusive && other_shares > 0)) return SQLITE_BUSY;
        }
        for (unsigned slot = first; slot < end; ++slot) {
            if (mine & 1U << slot) continue;
            mine |= 1U << slot;
            if (exclusive) {
                memory.exclusive[slot] = true;
            } else {
                ++memory.shared[slot];
            }
        }
        return SQLITE_OK;
    }

    static void shm_barrier(sqlite3_file* file) { const Guard guard(handle_of(file).vfs->mutex_); }

    static int shm_unmap(sqlite3_file* file, int /*delete_flag*/) {
        Handle& handle = handle_of(file);
        const Guard guard(handle.vfs->mutex_);
        if (!handle.shared_memory) return SQLITE_OK;
        release_slots(handle);
        handle.shared_memory.reset();
        return SQLITE_OK;
    }

    // --- the file system
    // ----------------------------------------------------------------------------

    static int open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out) {
        CrashVfs& here = self(vfs);
        const Guard guard(here.mutex_);
        file->pMethods = nullptr;
        CrashDisk* disk = name == nullptr ? nullptr : here.disk_of(name);
        if (disk == nullptr) return parent_of(here)->xOpen(parent_of(here), name, file, flags, out);
        if (disk->dead()) return SQLITE_CANTOPEN;
        auto found = disk->find(name);
        const bool fresh = !found;
        if (fresh) {
            if (!(flags & SQLITE_OPEN_CREATE)) return SQLITE_CANTOPEN;
            found = disk->create(name);
            if (!found) return SQLITE_CANTOPEN;
        }
        constexpr int journals =
            SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL | SQLITE_OPEN_WAL;
        auto* opened = reinterpret_cast<CrashFile*>(file);
        opened->handle = new Handle{.vfs = &here,
                                    .disk = disk,
                                    .life = disk->life(),
                                    .name = name,
                                    .file = std::move(found),
                                    .syncs_directory = fresh && (flags & journals) != 0,
                                    .delete_on_close = (flags & SQLITE_OPEN_DELETEONCLOSE) != 0,
                                    .shared_memory = nullptr};
        opened->base.pMethods = &methods;
        if (out != nullptr) *out = flags;
        return SQLITE_OK;
    }

    static int remove(sqlite3_vfs* vfs, const char* name, int sync_directory) {
        CrashVfs& here = self(vfs);
        const Guard guard(here.mutex_);
        CrashDisk* disk = here.disk_of(name);
        if (disk == nullptr) return parent_of(here)->xDelete(parent_of(here), name, sync_directory);
        if (disk->dead()) return SQLITE_IOERR_DELETE;
        if (!disk->find(name)) return SQLITE_IOERR_DELETE_NOENT;
        return code_of(disk->remove(name, sync_directory != 0), SQLITE_IOERR_DELETE);
    }

    static int access(sqlite3_vfs* vfs, const char* name, int flags, int* out) {
        CrashVfs& here = self(vfs);
        const Guard guard(here.mutex_);
        CrashDisk* disk = here.disk_of(name);
        if (disk == nullptr) return parent_of(here)->xAccess(parent_of(here), name, flags, out);
        if (disk->dead()) return SQLITE_IOERR_ACCESS;
        const auto file = disk->find(name);
        // os_unix counts an empty file as absent here; SQLite's recovery is written for that.
        const bool there = file && (flags != SQLITE_ACCESS_EXISTS || !file->content.empty());
        *out = there ? 1 : 0;
        return SQLITE_OK;
    }

    static int full_pathname(sqlite3_vfs* vfs, const char* name, int size, char* out) {
        CrashVfs& here = self(vfs);
        const Guard guard(here.mutex_);
        if (here.disk_of(name) == nullptr) {
            return parent_of(here)->xFullPathname(parent_of(here), name, size, out);
        }
        if (std::strlen(name) >= static_cast<std::size_t>(size)) return SQLITE_CANTOPEN;
        std::strcpy(out, name);
        return SQLITE_OK;
    }

    static int randomness(sqlite3_vfs* vfs, int size, char* out) {
        CrashVfs& here = self(vfs);
        const Guard guard(here.mutex_);
        for (int i = 0; i < size; ++i) out[i] = static_cast<char>(here.rng_.next() & 0xffU);
        return size;
    }

    /// A busy handler's wait: nobody else will run meanwhile, so it passes at once.
    static int sleep(sqlite3_vfs*, int microseconds) { return microseconds; }

    static int current_time_ms(sqlite3_vfs* vfs, sqlite3_int64* out) {
        constexpr std::int64_t unix_epoch_in_julian_ms = 210'866'760'000'000;
        CrashVfs& here = self(vfs);
        const Guard guard(here.mutex_);
        *out = unix_epoch_in_julian_ms + here.wall_ms_;
        return SQLITE_OK;
    }

    static int current_time_days(sqlite3_vfs* vfs, double* out) {
        sqlite3_int64 julian_ms = 0;
        current_time_ms(vfs, &julian_ms);
        *out = static_cast<double>(julian_ms) / 86'400'000.0;
        return SQLITE_OK;
    }

    static int last_error(sqlite3_vfs*, int, char*) { return 0; }

    static const sqlite3_io_methods methods;
};

// Version 2: shared memory, but no memory-mapped reads, which would go round the model.
const sqlite3_io_methods VfsCalls::methods = {2,
                                              close,
                                              read,
                                              write,
                                              truncate,
                                              sync,
                                              file_size,
                                              lock,
                                              unlock,
                                              check_reserved_lock,
                                              file_control,
                                              sector_size,
                                              device_characteristics,
                                              shm_map,
                                              shm_lock,
                                              shm_barrier,
                                              shm_unmap,
                                              nullptr,
                                              nullptr};

CrashVfs::CrashVfs(std::uint64_t seed, std::string name)
    : name_(std::move(name)), rng_(seed), registration_(std::make_unique<Registration>()) {
    sqlite3_vfs* parent = sqlite3_vfs_find("unix");
    assert(parent != nullptr && sqlite3_vfs_find(name_.c_str()) == nullptr);
    registration_->parent = parent;
    sqlite3_vfs& vfs = registration_->vfs;
    vfs = *parent;  // dlopen and the like stay the operating system's
    vfs.iVersion = 2;
    vfs.szOsFile = std::max<int>(parent->szOsFile, sizeof(CrashFile));
    vfs.pNext = nullptr;
    vfs.zName = name_.c_str();
    vfs.pAppData = this;
    vfs.xOpen = VfsCalls::open;
    vfs.xDelete = VfsCalls::remove;
    vfs.xAccess = VfsCalls::access;
    vfs.xFullPathname = VfsCalls::full_pathname;
    vfs.xRandomness = VfsCalls::randomness;
    vfs.xSleep = VfsCalls::sleep;
    vfs.xCurrentTime = VfsCalls::current_time_days;
    vfs.xCurrentTimeInt64 = VfsCalls::current_time_ms;
    vfs.xGetLastError = VfsCalls::last_error;
    sqlite3_vfs_register(&vfs, 1);
    sqlite3_randomness(0, nullptr);
}

CrashVfs::~CrashVfs() {
    assert(disks_.empty());
    sqlite3_vfs_unregister(&registration_->vfs);
    sqlite3_vfs_register(registration_->parent, 1);
    sqlite3_randomness(0, nullptr);
}

void CrashVfs::reseed(std::uint64_t seed) {
    rng_ = Rng(seed);
    sqlite3_randomness(0, nullptr);
}

CrashDisk* CrashVfs::disk_of(std::string_view path) {
    CrashDisk* best = nullptr;
    std::size_t longest = 0;
    for (const auto& [prefix, disk] : disks_) {
        if (path.starts_with(prefix) && prefix.size() > longest) {
            best = disk;
            longest = prefix.size();
        }
    }
    return best;
}

CrashVfs::Mount::Mount(CrashVfs& vfs, std::string prefix, CrashDisk& disk)
    : vfs_(vfs), prefix_(std::move(prefix)) {
    assert(prefix_.ends_with('/') && !vfs_.disks_.contains(prefix_));
    vfs_.disks_[prefix_] = &disk;
}

CrashVfs::Mount::~Mount() { vfs_.disks_.erase(prefix_); }

}  // namespace pf::tests
