#pragma once
// The device's memory: events.db. Append only, schema frozen, hash-chained
// (docs/protocol/sync-v1.md 3).
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "common/base/entropy.hpp"
#include "common/journal/event.hpp"

namespace pf::firmware::journal {

/// The world failed us. The lane then refuses with storage_failed.
enum class Fault : std::uint8_t {
    disk_full = 1,
    io_error = 2,
    damaged = 3,   // the file is not what we wrote
    not_ours = 4,  // the file belongs to another device or a newer schema
    locked = 5,    // another process has it
};
std::string_view to_text(Fault fault) noexcept;
template <class T>
using Result = pf::Result<T, Fault>;

/// Thrown by the reads below when the file can't be read any more: a device without its memory
/// can't go on. `app` (Keeper) catches it, ends the device and starts one again from the file;
/// inside transact() it becomes the result.
class ReadFailed final : public std::runtime_error {
public:
    ReadFailed(Fault fault, const std::string& detail)
        : std::runtime_error{detail}, fault_{fault} {}
    Fault fault() const noexcept { return fault_; }

private:
    Fault fault_;
};

/// When, by both clocks, and how good the wall clock was.
struct Stamp {
    WallTime wall;
    SteadyTime steady;
    BootId boot;
    pf::journal::ClockQuality clock = pf::journal::ClockQuality::unset;
};

/// One own grant as the journal tells it: what was granted, what came back.
struct OwnUse {
    GrantId grant;
    SiteId site;
    ProductId product;
    Day day;
    std::uint16_t granted = 0;
    std::uint16_t returned = 0;
    std::uint16_t passed =
        0;  // seen to pass, 0 without an outcome; the rest is unknown or returned
    /// Nobody can say whether those who neither passed nor returned went in: a restart, a faulty or
    /// absent sensor, a fire, or an epoch that ended first. They count as used until staff say
    /// otherwise.
    bool outcome_unknown = false;
    bool automatic_return = false;  // returned after a timeout: at most two a ticket and day
    WallTime at;
};

/// What a decision may read while it is being made: the same transaction that will append.
class View {
public:
    virtual ~View() = default;
    virtual std::vector<OwnUse> uses_of(TicketId ticket) const = 0;
};

struct Appended {
    pf::journal::Cursor cursor;  // seq of the appended event
};

struct EpochState {
    Epoch epoch;
    pf::journal::Cursor end;
    /// Events up to here may be gone; seq 0 and genesis: none is.
    pf::journal::Cursor begin;
};

struct Stored {
    std::uint64_t seq;
    Bytes event;
};

/// A grant no outcome was written for: the lane was waiting when the device stopped.
struct OpenGrant {
    std::uint64_t seq;
    pf::journal::Admitted admitted;
};

/// What the newest event of a command says of it.
struct CommandTrace {
    /// Of its CommandDone. Without one it was interrupted after the arm was, or may have been,
    /// opened for it.
    std::optional<std::uint8_t> state = std::nullopt;
};

struct ClockEvidence {
    std::optional<WallTime> confirmed;  // of the last event written under a confirmed clock
    /// The latest a plausible clock said since then. Nobody vouched for it.
    std::optional<WallTime> unconfirmed;
};

class Journal {
public:
    struct Options {
        std::string path;  // events.db
        std::string vfs;   // empty: the system's; simulations name theirs
        DeviceId device;
        /// What the first epoch of a new file says; `damaged` after set_aside().
        pf::journal::EpochOpened::Why why_new = pf::journal::EpochOpened::Why::first;
        /// Looks through the whole file and not at its end only: for a start after a failure.
        bool check_all = false;
    };
    /// Opens or creates the file, reads its pragmas back (WAL, synchronous FULL), checks the last
    /// events against their chain. A new file gets a new epoch (event EpochOpened) with `stamp`.
    /// One process has a file open (Fault::locked); with a named VFS the caller sees to that.
    static Result<std::unique_ptr<Journal>> open(const Options& options, Entropy& entropy,
                                                 const Stamp& stamp);
    virtual ~Journal() = default;

    /// One BEGIN IMMEDIATE transaction: `decide` reads, and may return what to append. Durable when
    /// this returns a value (invariant 1); on a fault nothing was appended. An empty optional
    /// appends nothing. What `decide` throws ends the transaction and goes on to the caller. A lane
    /// that ends a grant twice or ends none is a bug: std::logic_error, nothing appended.
    using Decide = std::function<std::optional<pf::journal::Body>(const View&)>;
    virtual Result<std::optional<Appended>> transact(const Stamp& stamp, const Decide& decide) = 0;
    Result<Appended> append(const Stamp& stamp, pf::journal::Body body);

    /// Starts a new epoch whose parent is the present end. The old epochs' events stay and are sent
    /// too.
    virtual Result<Appended> open_epoch(pf::journal::EpochOpened::Why why, const Stamp& stamp,
                                        Entropy& entropy) = 0;

    virtual pf::journal::Cursor end() const = 0;         // of the present epoch
    virtual std::vector<EpochState> epochs() const = 0;  // oldest first, present last
    /// The chain head at `seq` of an epoch; genesis at 0; nothing when this file has no such event.
    virtual std::optional<Digest> head_at(Epoch epoch, std::uint64_t seq) const = 0;
    /// Encoded events after `seq`, oldest first, at most `events_max` and about `bytes_max`.
    /// Without holes: below what prune() dropped it begins after that, so look at the first number.
    virtual std::vector<Stored> after(Epoch epoch, std::uint64_t seq, std::size_t events_max,
                                      std::size_t bytes_max) const = 0;
    virtual std::vector<OpenGrant> open_grants() const = 0;
    virtual std::optional<pf::journal::Admitted> admitted(std::uint64_t grant_seq) const = 0;
    /// What became of a command. Walks back over the events of commands alone, to the first one
    /// that a confirmed clock dates before `since`, so name an instant before which it can't have
    /// been carried out. Nothing: no event tells of it.
    virtual std::optional<CommandTrace> trace_of(const std::array<Byte, 16>& command,
                                                 WallTime since) const = 0;
    /// The latest wall time ever written, however wrong the clock was. Not for the clock floor: one
    /// bad clock would stand in it for ever.
    virtual WallTime latest_wall() const = 0;
    /// What the events say of the time (docs/adr/0007). Read once a start: it walks back to the
    /// last confirmed event.
    virtual ClockEvidence clock_evidence() const = 0;

    /// Drops acknowledged events older than `before`, never those of an unconfirmed range and never
    /// the admissions of tickets whose last day is `today` or later. Returns how many went: a
    /// bounded slice, so call again until it says 0. An event counts as old when a confirmed clock
    /// proves it, and never before keep_days_min by the latest wall time here.
    virtual Result<std::uint64_t> prune(WallTime before, Day today,
                                        const std::vector<pf::journal::Cursor>& confirmed) = 0;
};

/// Moves a damaged file out of the way, as evidence; returns its new name. No journal may have it
/// open.
Result<std::string> set_aside(const std::string& path, const std::string& vfs);

/// Acknowledged events stay at least this long, because servers get restored (invariant 2).
inline constexpr int keep_days_min = 30;
inline constexpr int automatic_returns_per_day_max = 2;

}  // namespace pf::firmware::journal
