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
    damaged = 6,       // what is stored can't be read
    busy = 7,          // a queue is at its limit, or others kept being first
    stopped = 8,
    failed = 9,       // the transaction broke off: a bug; nothing of it is kept
    uncertain = 10,   // the connection ended during COMMIT: kept whole or not at all, ask again
    unsuitable = 11,  // the database is set up in a way this server can't promise anything on
};
std::string_view to_text(Fault fault) noexcept;

enum class Decision : std::uint8_t { keep, undo };

class Store {
public:
    struct Options {
        std::string database;  // path of a SQLite file, or postgresql://…
        std::string vfs;       // SQLite; empty: the system's; simulations name theirs
        bool threaded =
            true;  // false: every write runs and commits on the caller (simulation, tools)
        WallTime now;
        /// False: statements are sent whole each time. For a PgBouncer that pools transactions,
        /// where a statement prepared on one connection is asked for on another.
        bool prepare_on_server = true;
        /// Told what Fault has no room for: a sentence without values and passwords. Any thread.
        std::function<void(std::string_view)> tell = nullptr;
    };
    static Result<std::unique_ptr<Store>, Fault> open(const Options& options);
    virtual ~Store() = default;

    /// Restartable: on PostgreSQL it runs again when others were first. It throws std::exception
    /// only when it can't go on: std::runtime_error for stored data that can't be read.
    using Transaction = std::function<Decision(Repositories&)>;
    /// Nothing on success; called after the COMMIT that holds the transaction (or after it was
    /// undone).
    using Then = std::function<void(std::optional<Fault>)>;
    /// Queues a transaction for a writer. `undo` rolls back only it; so does an exception, which
    /// becomes its own Fault. A failed COMMIT fails every member of that COMMIT (SQLite: up to
    /// group_max share one). `then` runs on a writer's thread (inline when not threaded) and must
    /// only hand on. Beyond queue_max it is called at once with `busy`.
    /// Transactions of one lane run one after another as given; of different lanes in any order.
    /// The empty lane orders nothing.
    virtual void write(Transaction transaction, Then then, std::string_view lane) = 0;
    void write(Transaction transaction, Then then) {
        write(std::move(transaction), std::move(then), {});
    }
    /// The same, waiting. Not from inside a transaction or a `then`.
    std::optional<Fault> write_now(Transaction transaction);
    /// A consistent read on another connection, on the caller's thread. An exception of the reader
    /// becomes a Fault as above.
    virtual std::optional<Fault> read(const std::function<void(Repositories&)>& reader) = 0;

    /// Rows that another process committed and was killed before it gave them their places in an
    /// order (docs/adr/0013) get them now. Does not wait. Where nothing can be left, nothing
    /// happens.
    virtual void place_leftovers() {}

    /// Since the start.
    struct Counts {
        std::uint64_t restarts = 0;     // of transactions, because others were first
        std::uint64_t connections = 0;  // made, beyond the first of each writer and reader
        std::uint64_t uncertain = 0;    // COMMITs whose answer never came
    };
    virtual Counts counts() const { return {}; }

    static constexpr std::size_t queue_max = 10'000;
    static constexpr std::size_t group_max = 256;  // transactions per COMMIT
};

/// The place of a database for logs and errors: without user, password and parameters.
std::string printable(std::string_view database);

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
