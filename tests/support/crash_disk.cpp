#include "tests/support/crash_disk.hpp"

#include <algorithm>
#include <cassert>

namespace pf::tests {
namespace {

constexpr std::uint64_t sector_bytes = 512;

void put(Bytes& content, std::uint64_t offset, BytesView data) {
    if (data.empty()) return;
    if (content.size() < offset + data.size()) content.resize(offset + data.size());
    std::copy(data.begin(), data.end(), content.begin() + static_cast<std::ptrdiff_t>(offset));
}

void apply_change(Bytes& content, const DiskFile::Change& change) {
    switch (change.kind) {
        case DiskFile::Change::Kind::write:
            put(content, change.offset, change.data);
            break;
        case DiskFile::Change::Kind::truncate:
            content.resize(change.offset);
            break;
    }
}

/// Each sector of the write arrives or not; bytes outside the write are never touched, which is the
/// "powersafe overwrite" SQLite is told to rely on.
void put_some_sectors(Bytes& content, const DiskFile::Change& change, Rng& rng) {
    const BytesView data = change.data;
    std::uint64_t at = change.offset;
    const std::uint64_t end = change.offset + data.size();
    while (at < end) {
        const std::uint64_t next = std::min(end, (at / sector_bytes + 1) * sector_bytes);
        if (rng.chance(1, 2)) put(content, at, data.subspan(at - change.offset, next - at));
        at = next;
    }
}

}  // namespace

std::string_view to_text(DiskOperation operation) noexcept {
    switch (operation) {
        case DiskOperation::none:
            return "none";
        case DiskOperation::create:
            return "create";
        case DiskOperation::remove:
            return "delete";
        case DiskOperation::write:
            return "write";
        case DiskOperation::truncate:
            return "truncate";
        case DiskOperation::sync:
            return "sync";
    }
    return "?";
}

CrashDisk::Step CrashDisk::begin_operation(DiskOperation operation, const std::string& file) {
    ++operations_;
    last_operation_ = operation;
    last_file_ = file;
    if (operations_ == cut_at_ || (cut_at_remove_ && operation == DiskOperation::remove)) {
        dead_ = true;
        return Step::cut;
    }
    return operations_ == fail_at_ ? Step::fail : Step::go;
}

std::shared_ptr<DiskFile> CrashDisk::find(const std::string& name) const {
    const auto found = entries_.find(name);
    return found == entries_.end() ? nullptr : found->second;
}

std::shared_ptr<DiskFile> CrashDisk::create(const std::string& name) {
    assert(!find(name));
    const Step step = begin_operation(DiskOperation::create, name);
    if (step == Step::fail) return nullptr;
    auto file = std::make_shared<DiskFile>();
    file->name = name;
    entries_[name] = file;
    pending_entries_.push_back({name, file});
    return step == Step::cut ? nullptr : file;
}

DiskOutcome CrashDisk::remove(const std::string& name, bool sync_directory) {
    const Step step = begin_operation(DiskOperation::remove, name);
    if (step == Step::fail) return DiskOutcome::io_error;
    entries_.erase(name);
    pending_entries_.push_back({name, nullptr});
    if (step == Step::cut) return DiskOutcome::io_error;
    if (sync_directory) sync_entries();
    return DiskOutcome::done;
}

DiskOutcome CrashDisk::write(DiskFile& file, std::uint64_t offset, BytesView data) {
    const Step step = begin_operation(DiskOperation::write, file.name);
    if (step == Step::fail) return DiskOutcome::io_error;
    const std::uint64_t end = offset + data.size();
    if (end > file.content.size()) {
        const std::uint64_t growth = end - file.content.size();
        if (bytes_used() + growth > capacity_bytes_) {
            ++full_answers_;
            return DiskOutcome::full;
        }
    }
    put(file.content, offset, data);
    file.pending.push_back({DiskFile::Change::Kind::write, offset, {data.begin(), data.end()}});
    return step == Step::cut ? DiskOutcome::io_error : DiskOutcome::done;
}

DiskOutcome CrashDisk::truncate(DiskFile& file, std::uint64_t size) {
    const Step step = begin_operation(DiskOperation::truncate, file.name);
    if (step == Step::fail) return DiskOutcome::io_error;
    file.content.resize(size);
    file.pending.push_back({DiskFile::Change::Kind::truncate, size, {}});
    return step == Step::cut ? DiskOutcome::io_error : DiskOutcome::done;
}

DiskOutcome CrashDisk::sync(DiskFile& file, bool sync_directory) {
    const Step step = begin_operation(DiskOperation::sync, file.name);
    if (step == Step::cut) return DiskOutcome::io_error;
    if (step == Step::fail) {
        // Linux marks the pages clean after a failed fsync: the next one reports success for data
        // that never reached the disk. SQLite survives that only by writing them again.
        for (DiskFile::Change& change : file.pending) change.sync_failed = true;
        return DiskOutcome::io_error;
    }
    for (const DiskFile::Change& change : file.pending) {
        if (change.sync_failed) {
            apply_by_fate(file, change, rng_);
        } else {
            apply_change(file.durable, change);
        }
    }
    file.pending.clear();
    if (sync_directory) sync_entries();
    ++syncs_;
    return DiskOutcome::done;
}

void CrashDisk::sync_entries() {
    durable_entries_ = entries_;
    pending_entries_.clear();
}

void CrashDisk::apply_by_fate(DiskFile& file, const DiskFile::Change& change, Rng& rng) {
    const bool write = change.kind == DiskFile::Change::Kind::write;
    switch (rng.below(write ? 5 : 2)) {
        case 0:
            apply_change(file.durable, change);
            ++damage_.kept;
            break;
        case 1:
            ++damage_.dropped;
            break;
        case 2:
            put_some_sectors(file.durable, change, rng);
            ++damage_.torn;
            break;
        case 3: {
            const auto length = static_cast<std::size_t>(rng.below(change.data.size() + 1));
            put(file.durable, change.offset, BytesView(change.data).first(length));
            ++damage_.cut_short;
            break;
        }
        case 4: {
            const std::uint64_t end = change.offset + change.data.size();
            if (file.durable.size() < end) file.durable.resize(end);
            ++damage_.zero_filled;
            break;
        }
    }
}

void CrashDisk::settle(DiskFile& file, Rng& rng) {
    std::vector<DiskFile::Change> changes = std::move(file.pending);
    file.pending.clear();
    // The extremes (all lost, all kept, a clean prefix) are rare among independent fates, and they
    // are what real disks do most: each gets a share of its own.
    switch (rng.below(4)) {
        case 0:
            damage_.dropped += changes.size();
            break;
        case 1:
            for (const auto& change : changes) apply_change(file.durable, change);
            damage_.kept += changes.size();
            break;
        case 2: {
            const auto kept = static_cast<std::size_t>(rng.below(changes.size() + 1));
            for (std::size_t i = 0; i < kept; ++i) apply_change(file.durable, changes[i]);
            if (kept < changes.size()) apply_by_fate(file, changes[kept], rng);
            damage_.kept += kept;
            break;
        }
        case 3:
            if (changes.size() > 1 && rng.chance(1, 2)) {
                rng.shuffle(changes);
                ++damage_.reordered;
            }
            for (const auto& change : changes) apply_by_fate(file, change, rng);
            break;
    }
}

void CrashDisk::power_on(Rng& rng) {
    const auto entries_kept = static_cast<std::size_t>(rng.below(pending_entries_.size() + 1));
    damage_.entries_lost += pending_entries_.size() - entries_kept;
    for (std::size_t i = 0; i < entries_kept; ++i) {
        const EntryChange& change = pending_entries_[i];
        if (change.file) {
            durable_entries_[change.name] = change.file;
        } else {
            durable_entries_.erase(change.name);
        }
    }
    pending_entries_.clear();
    entries_.clear();
    for (auto& [name, file] : durable_entries_) {
        settle(*file, rng);
        // A new object: handles of the dead program keep the old one with its locks.
        auto survivor = std::make_shared<DiskFile>();
        survivor->name = name;
        survivor->durable = file->durable;
        survivor->content = survivor->durable;
        file = survivor;
        entries_[name] = survivor;
    }
    cut_at_ = 0;
    cut_at_remove_ = false;
    dead_ = false;
    ++life_;
}

void CrashDisk::kill_process() {
    // The key keeps the old object alive, so that no address comes back while files move on.
    std::map<std::shared_ptr<DiskFile>, std::shared_ptr<DiskFile>> reborn;
    const auto move_on = [&reborn](std::shared_ptr<DiskFile>& file) {
        if (!file) return;
        auto& next = reborn[file];
        if (!next) {
            next = std::make_shared<DiskFile>();
            next->name = file->name;
            next->content = file->content;
            next->durable = file->durable;
            next->pending = file->pending;
        }
        file = next;
    };
    for (auto& [name, file] : entries_) move_on(file);
    for (auto& [name, file] : durable_entries_) move_on(file);
    for (auto& change : pending_entries_) move_on(change.file);
    ++life_;
}

std::uint64_t CrashDisk::bytes_used() const {
    std::uint64_t bytes = 0;
    for (const auto& [name, file] : entries_) bytes += file->content.size();
    return bytes;
}

std::vector<std::string> CrashDisk::files() const {
    std::vector<std::string> names;
    for (const auto& [name, file] : entries_) names.push_back(name);
    return names;
}

DiskImage CrashDisk::image() const {
    DiskImage image;
    for (const auto& [name, file] : entries_) image[name] = file->content;
    return image;
}

void CrashDisk::restore(const DiskImage& image) {
    entries_.clear();
    pending_entries_.clear();
    for (const auto& [name, content] : image) {
        auto file = std::make_shared<DiskFile>();
        file->name = name;
        file->content = content;
        file->durable = content;
        entries_[name] = file;
    }
    durable_entries_ = entries_;
    cut_at_ = 0;
    cut_at_remove_ = false;
    dead_ = false;
    ++life_;
}

void CrashDisk::flip_bits(const std::string& name, std::uint64_t offset, Byte mask) {
    const auto file = find(name);
    assert(file && offset < file->content.size());
    file->content[offset] = static_cast<Byte>(file->content[offset] ^ mask);
    if (offset < file->durable.size()) {
        file->durable[offset] = static_cast<Byte>(file->durable[offset] ^ mask);
    }
}

}  // namespace pf::tests
