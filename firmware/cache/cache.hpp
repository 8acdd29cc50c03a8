#pragma once
// What the device was told: cache.v2.db. Rebuildable; a new schema is a new file name.
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/entropy.hpp"
#include "common/base/result.hpp"
#include "common/wire/documents.hpp"
#include "common/wire/lists.hpp"
#include "common/wire/messages.hpp"

namespace pf::firmware::cache {

enum class Fault : std::uint8_t {
    disk_full = 1,
    io_error = 2,
    damaged = 3,          // rebuild: the file is set aside and lists are fetched anew
    digest_mismatch = 4,  // the list would not be what the manifest signs: nothing was applied
    wrong_base = 5,       // the update does not start or end where ours does, or goes back
    locked = 6,           // another process has the file
};
std::string_view to_text(Fault fault) noexcept;
template <class T>
using Result = pf::Result<T, Fault>;

/// Thrown by the reads below when the file can't be read any more. `app` catches it, ends and
/// starts again: opening then finds the damage and begins anew.
class ReadFailed final : public std::runtime_error {
public:
    ReadFailed(Fault fault, const std::string& detail)
        : std::runtime_error{detail}, fault_{fault} {}
    Fault fault() const noexcept { return fault_; }

private:
    Fault fault_;
};

/// A list update under way, kept over restarts so that a snapshot resumes where the link was cut.
struct Stage {
    wire::Want::What what = wire::Want::What::snapshot;  // snapshot, difference or bucket
    Generation generation;
    std::uint64_t from_version = 0;
    std::uint64_t to_version = 0;
    std::uint8_t bucket = 0;
    Bytes after;  // last key stored
    friend bool operator==(const Stage&, const Stage&) = default;
};

struct ListMeta {
    wire::ListState state;
    WallTime fresh_until;  // epoch start when there is none: stale
    std::uint64_t rows = 0;
};

struct KnownUse {
    wire::UseItem item;
};

/// One connection writes; every mutating call is one transaction and durable when it returns,
/// except pages of a stage: they are durable with the next other call at the latest (a lost page is
/// asked for again). A fault leaves everything as it was.
class Cache {
public:
    /// What secrets rest sealed with; `entropy` outlives the cache.
    struct Sealing {
        std::array<Byte, 32> key{};
        Entropy* entropy = nullptr;
    };
    struct Options {
        std::string path;
        std::string vfs;
        /// The key sits in the key vault (invariant 7). Without one secrets stay in memory and are
        /// asked for again after a restart.
        std::optional<Sealing> sealing = std::nullopt;
        /// Looks through the whole file: for a start after a failure. Otherwise the rows of
        /// `tickets` are left to the reads that meet them, or a start would read all of a million;
        /// a page that lost some refuses their tickets. What could admit is proven at every start:
        /// the revoked list by its digest, the uses by SQLite's check.
        bool check_all = false;
    };
    /// A damaged or foreign file is set aside and a new one begun; `rebuilt()` then says so.
    static Result<std::unique_ptr<Cache>> open(const Options& options);
    virtual ~Cache() = default;
    virtual bool rebuilt() const = 0;

    // --- lists (invariant 4: a list is whole or not there) ---
    virtual ListMeta list(wire::ListScope scope) const = 0;
    virtual wire::ListDigest digest(wire::ListScope scope) const = 0;
    virtual std::optional<wire::Revoked> revoked(TicketId ticket) const = 0;
    virtual std::vector<wire::Carried> carried(admission::CarrierKind kind,
                                               const wire::CarrierHash& hash) const = 0;

    virtual std::optional<Stage> stage(wire::ListScope scope) const = 0;
    /// Begins an update, dropping one under way. wrong_base when a difference does not start at our
    /// list, when there is no list to repair a bucket of, or when it goes back within a generation.
    virtual Result<void> begin_stage(wire::ListScope scope, const Stage& stage) = 0;
    /// Stores one page and remembers its last key. Rows up to the last key are skipped: a page that
    /// comes twice is stored once. A row that no list can hold ends the stage with digest_mismatch;
    /// without a stage: wrong_base.
    virtual Result<void> stage_rows(wire::ListScope scope,
                                    const std::vector<wire::ListRow>& rows) = 0;
    /// Applies the staged update in one transaction if the digest then equals the manifest's root;
    /// the manifest's signature was checked by the caller. On digest_mismatch the stage is dropped;
    /// wrong_base when the stage is for something else. A snapshot's size costs nothing here.
    virtual Result<ListMeta> apply_stage(wire::ListScope scope, const wire::ListManifest& manifest,
                                         Generation generation, std::uint64_t version) = 0;
    virtual Result<void> drop_stage(wire::ListScope scope) = 0;
    /// A manifest for the version we already have: only freshness moves. wrong_base for any other
    /// version, digest_mismatch when it signs another list than ours.
    virtual Result<void> refresh(wire::ListScope scope, const wire::ListManifest& manifest,
                                 Generation generation, std::uint64_t version) = 0;
    /// Removes a slice of what no list needs any more; true while there is more. For idle moments;
    /// staging a page tidies a little too, so leftovers never exceed one list.
    virtual Result<bool> tidy() = 0;

    // --- uses told by the server (own grants of lost epochs among them) ---
    virtual std::vector<wire::UseItem> uses_of(TicketId ticket) const = 0;  // by time
    struct UsesPosition {
        Generation generation;
        std::uint64_t position = 0;
    };
    virtual UsesPosition uses_position() const = 0;
    /// Upserts by grant and moves the position, in one transaction. On a new generation the uses
    /// stay (they are facts) and only the position starts again.
    virtual Result<void> apply_uses(const std::vector<wire::UseItem>& items,
                                    UsesPosition position) = 0;
    /// A slice; true while there is more.
    virtual Result<bool> forget_uses_before(Day day) = 0;

    // --- documents as received (signed bytes), newest of each type; secrets rest sealed ---
    virtual std::optional<Bytes> document(wire::DocumentType type) const = 0;
    virtual Result<void> put_document(wire::DocumentType type, BytesView signed_bytes) = 0;

    // --- what the server has confirmed of our journal, per epoch ---
    virtual std::vector<pf::journal::Cursor> confirmed() const = 0;
    virtual Generation confirmed_generation() const = 0;
    /// Replaces what was known of that epoch; with a new generation all others are forgotten.
    virtual Result<void> set_confirmed(Generation generation,
                                       const pf::journal::Cursor& cursor) = 0;
    /// A new generation: what was confirmed before counts no more.
    virtual Result<void> forget_confirmed(Generation generation) = 0;

    // --- commands seen, so that each is done once ---
    virtual bool command_seen(const std::array<Byte, 16>& id) const = 0;
    virtual Result<void> remember_command(const std::array<Byte, 16>& id, WallTime expires_at) = 0;

    // --- small values: saved time, connect counter ---
    virtual std::int64_t number(std::string_view name, std::int64_t otherwise) const = 0;
    virtual Result<void> put_number(std::string_view name, std::int64_t value) = 0;
};

inline constexpr std::string_view file_name = "cache.v2.db";

}  // namespace pf::firmware::cache
