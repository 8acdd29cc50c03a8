#pragma once
// A simulated disk that forgets what was not synced: the model under the SQLite VFS of
// crash_vfs.hpp.
//
// Every file has the content a running program sees, the content that is durable, and the list of
// changes between the two. A sync empties the list; a power cut decides by seed which of its
// changes survive, whole, torn at 512-byte sectors, cut short, or only as a longer file full of
// zeros. Creating and deleting a file are changes of the directory: they survive in order up to
// some point, all of them once the directory was synced (that is what ext4 and f2fs promise).
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/bytes.hpp"
#include "tests/support/rng.hpp"

namespace pf::tests {

/// What a file operation tells its caller.
enum class DiskOutcome { done, io_error, full };

enum class DiskOperation { none, create, remove, write, truncate, sync };
std::string_view to_text(DiskOperation operation) noexcept;

/// How often each kind of damage was dealt; a simulation demands that none of them stays 0.
struct DiskDamage {
    std::uint64_t kept = 0;
    std::uint64_t dropped = 0;
    std::uint64_t torn = 0;          // some sectors of a write, not all
    std::uint64_t cut_short = 0;     // the first bytes of a write
    std::uint64_t zero_filled = 0;   // the file grew, the bytes did not arrive
    std::uint64_t reordered = 0;     // power cuts that applied changes in another order
    std::uint64_t entries_lost = 0;  // creations and deletions of files undone
};

/// The locks and the shared memory of one open file; SQLite's own protocol, kept by crash_vfs.cpp.
struct DiskFileLocks {
    int shared = 0;
    bool reserved = false;
    bool pending = false;
    bool exclusive = false;
};
struct DiskSharedMemory {
    static constexpr int slots = 8;
    std::vector<std::unique_ptr<std::vector<Byte>>> regions;
    std::array<int, slots> shared{};
    std::array<bool, slots> exclusive{};
};

struct DiskFile {
    struct Change {
        enum class Kind { write, truncate } kind = Kind::write;
        std::uint64_t offset = 0;  // truncate: the new size
        Bytes data;
        bool sync_failed = false;  // a failed fsync: no later sync vouches for this change any more
    };

    std::string name;
    Bytes content;
    Bytes durable;
    std::vector<Change> pending;
    DiskFileLocks locks;
    std::weak_ptr<DiskSharedMemory> shared_memory;
};

/// What a copy of the whole disk would hold, for putting an old image back under a device.
using DiskImage = std::map<std::string, Bytes>;

/// One simulated disk. Operations are counted from 1: write, truncate, sync, create, delete. Not
/// thread-safe by itself; CrashVfs locks around it.
class CrashDisk {
public:
    /// `seed` decides what happens to data after a failed sync; power cuts take their own
    /// generator.
    explicit CrashDisk(std::uint64_t seed) : rng_(seed) {}

    // Faults. Operation numbers are absolute; 0 means never.
    /// Operation number `operation` is the last thing that happens, perhaps only in part: it and
    /// everything after it answers with an I/O error until power_on().
    void cut_power_at(std::uint64_t operation) {
        cut_at_ = operation;
        if (operation == 0) cut_at_remove_ = false;
    }
    /// The same for the next deletion of a file, which a number seldom hits.
    void cut_power_at_next_remove() { cut_at_remove_ = true; }
    /// One operation fails without effect; the next works again.
    void fail_at(std::uint64_t operation) { fail_at_ = operation; }
    /// All files together may hold this many bytes; growing beyond answers `full`.
    void set_capacity_bytes(std::uint64_t bytes) { capacity_bytes_ = bytes; }

    /// From here on the program that used this disk is dead: its handles answer with errors for
    /// ever.
    void cut_power() { dead_ = true; }
    /// Decides what survived. Handles opened before stay dead; new ones see the survivors.
    void power_on(Rng& rng);
    void power_cut(Rng& rng) {
        cut_power();
        power_on(rng);
    }
    /// kill -9: handles die, the operating system keeps every write. What was not synced may still
    /// be lost by a later power cut.
    void kill_process();

    bool dead() const { return dead_; }
    std::uint64_t operations() const { return operations_; }
    std::uint64_t syncs() const { return syncs_; }
    /// How often a write was answered with `full`.
    std::uint64_t full_answers() const { return full_answers_; }
    /// The latest operation and its file: after a cut, where it happened (for coverage tables and
    /// the time line of a failing seed).
    DiskOperation last_operation() const { return last_operation_; }
    const std::string& last_file() const { return last_file_; }
    std::uint64_t bytes_used() const;
    const DiskDamage& damage() const { return damage_; }
    std::vector<std::string> files() const;

    /// As seen by a running program.
    DiskImage image() const;
    /// The disk becomes this image, all of it durable; open handles die.
    void restore(const DiskImage& image);
    /// Bit rot: one durable byte changes under everybody's feet. The file exists and is long
    /// enough.
    void flip_bits(const std::string& name, std::uint64_t offset, Byte mask);

    // What the VFS calls. `life` is the value of life() when the handle was opened.
    std::uint64_t life() const { return life_; }
    bool usable(std::uint64_t life) const { return !dead_ && life == life_; }
    std::shared_ptr<DiskFile> find(const std::string& name) const;
    /// Nothing when the power goes or the operation is told to fail.
    std::shared_ptr<DiskFile> create(const std::string& name);
    DiskOutcome remove(const std::string& name, bool sync_directory);
    DiskOutcome write(DiskFile& file, std::uint64_t offset, BytesView data);
    DiskOutcome truncate(DiskFile& file, std::uint64_t size);
    DiskOutcome sync(DiskFile& file, bool sync_directory);

private:
    using Entries = std::map<std::string, std::shared_ptr<DiskFile>>;
    enum class Step { go, fail, cut };
    struct EntryChange {
        std::string name;
        std::shared_ptr<DiskFile> file;  // nothing: deleted
    };

    Step begin_operation(DiskOperation operation, const std::string& file);
    void sync_entries();
    void settle(DiskFile& file, Rng& rng);
    void apply_by_fate(DiskFile& file, const DiskFile::Change& change, Rng& rng);

    Rng rng_;
    Entries entries_;
    Entries durable_entries_;
    std::vector<EntryChange> pending_entries_;
    DiskOperation last_operation_ = DiskOperation::none;
    std::string last_file_;
    std::uint64_t operations_ = 0;
    std::uint64_t syncs_ = 0;
    std::uint64_t full_answers_ = 0;
    std::uint64_t cut_at_ = 0;
    bool cut_at_remove_ = false;
    std::uint64_t fail_at_ = 0;
    std::uint64_t capacity_bytes_ = UINT64_MAX;
    std::uint64_t life_ = 1;
    bool dead_ = false;
    DiskDamage damage_;
};

}  // namespace pf::tests
