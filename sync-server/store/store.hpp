#pragma once
// The database. SQL lives in this room only (SOCI); domain rooms see Repositories.
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/ids.hpp"
#include "common/base/result.hpp"
#include "sync-server/store/transaction.hpp"

namespace pf::server::store {

enum class Fault : std::uint8_t {
    unavailable = 1,  // can't be reached or opened
    disk_full = 2,
    io_error = 3,
    in_use = 4,        // another server process has this SQLite file
    schema_newer = 5,  // written by a newer release
    damaged = 6,
    busy = 7,  // the writer's queue is at its limit
    stopped = 8,
};
std::string_view to_text(Fault fault) noexcept;

enum class Decision : std::uint8_t { keep, undo };

class Store {
public:
    struct Options {
        std::string path;  // SQLite file
        std::string vfs;   // empty: the system's; simulations name theirs
        bool threaded =
            true;  // false: every write runs and commits on the caller (simulation, tools)
        WallTime now;
    };
    static Result<std::unique_ptr<Store>, Fault> open(const Options& options);
    virtual ~Store() = default;

    using Transaction = std::function<Decision(Repositories&)>;
    /// Nothing on success; called after the COMMIT that holds the transaction (or after it was
    /// undone).
    using Then = std::function<void(std::optional<Fault>)>;
    /// Queues a transaction for the writer: its own SAVEPOINT, many per COMMIT. `undo` rolls back
    /// only its savepoint; a failed COMMIT fails every member. `then` runs on the writer thread
    /// (inline when not threaded) and must only hand on. Beyond queue_max it is called at once with
    /// `busy`.
    virtual void write(Transaction transaction, Then then) = 0;
    /// The same, waiting. Not from inside a transaction or a `then`.
    std::optional<Fault> write_now(Transaction transaction);
    /// A consistent read on another connection, on the caller's thread.
    virtual std::optional<Fault> read(const std::function<void(Repositories&)>& reader) = 0;

    static constexpr std::size_t queue_max = 10'000;
    static constexpr std::size_t group_max = 256;  // transactions per COMMIT
};

/// Facts about the database itself.
class Meta {
public:
    virtual ~Meta() = default;
    virtual Generation generation() = 0;
    /// Begins a new generation after a restore or a proven loss; rises always.
    virtual Generation begin_generation(WallTime now, std::string_view why) = 0;
    virtual std::optional<std::string> value(std::string_view name) = 0;
    virtual void put(std::string_view name, std::string_view value) = 0;
};

}  // namespace pf::server::store
