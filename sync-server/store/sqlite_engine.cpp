#include <fcntl.h>
#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "sync-server/store/engine.hpp"
#include "sync-server/store/migrate.hpp"
#include "sync-server/store/repositories.hpp"

namespace pf::server::store {

namespace {

constexpr int sqlite_busy_ms = 5'000;
/// Of the writer. A season's codes are one transaction that touches a dozen trees at random; with
/// SQLite's 2 MB the pages go to the log and come back several times each.
constexpr int writer_cache_kib = 32 * 1024;

/// SQLite's primary result codes (sqlite.org/rescode.html); soci-sqlite3.h and sqlite3.h can't be
/// included together, so the numbers stand here. 0: not SQLite's.
int code_of(const soci::soci_error& error) {
    const auto* sqlite = dynamic_cast<const soci::sqlite3_soci_error*>(&error);
    return sqlite == nullptr ? 0 : sqlite->result() & 0xff;
}

Fault fault_of(const soci::soci_error& error) {
    switch (code_of(error)) {
        case 13:
            return Fault::disk_full;  // SQLITE_FULL
        case 11:                      // SQLITE_CORRUPT
        case 26:
            return Fault::damaged;  // SQLITE_NOTADB
        case 14:
            return Fault::unavailable;  // SQLITE_CANTOPEN
        case 5:                         // SQLITE_BUSY
        case 6:
            return Fault::in_use;  // SQLITE_LOCKED
        case 1:                    // SQLITE_ERROR: a statement that is none
        case 18:                   // SQLITE_TOOBIG
        case 19:                   // SQLITE_CONSTRAINT
        case 20:                   // SQLITE_MISMATCH
        case 21:                   // SQLITE_MISUSE
        case 25:                   // SQLITE_RANGE
            return Fault::failed;
        default:
            return Fault::io_error;
    }
}

/// Whether everybody who shares the COMMIT is lost with the member that met this: the disk and what
/// is beneath it fail all alike. A damaged page is only its readers' trouble.
bool ends_group(const soci::soci_error& error) {
    const Fault fault = fault_of(error);
    return fault != Fault::failed && fault != Fault::damaged;
}

/// Held for the life of the process: two servers on one SQLite file would each hold half the truth.
class FileLock {
public:
    explicit FileLock(const std::string& path)
        : fd_{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)} {
        held_ = fd_ >= 0 && ::flock(fd_, LOCK_EX | LOCK_NB) == 0;
    }
    ~FileLock() {
        if (fd_ >= 0) ::close(fd_);
    }
    FileLock(const FileLock&) = delete;
    FileLock& operator=(const FileLock&) = delete;
    bool opened() const { return fd_ >= 0; }
    bool held() const { return held_; }

private:
    int fd_;
    bool held_ = false;
};

void set_pragmas(soci::session& session) {
    std::string mode;
    session << "PRAGMA journal_mode = WAL", soci::into(mode);
    session << "PRAGMA synchronous = FULL";
    session << "PRAGMA foreign_keys = ON";
    session << "PRAGMA busy_timeout = " << sqlite_busy_ms;
    session << "PRAGMA cache_size = " << -writer_cache_kib;
    long long synchronous = 0;
    session << "PRAGMA synchronous", soci::into(synchronous);
    // Acknowledgements promise durability (invariant 2): without these two there is none.
    if (mode != "wal" || synchronous != 2)
        throw std::runtime_error{"the database refuses WAL with synchronous FULL"};
}

struct Connection {
    explicit Connection(const std::string& target) : session{"sqlite3", target} {}
    soci::session session;
    std::unique_ptr<Bundle> bundle;  // after the schema is there
};

class SqliteStore final : public Store {
public:
    SqliteStore(std::string target, std::unique_ptr<FileLock> lock,
                std::unique_ptr<Connection> writer, const Options& options)
        : target_{std::move(target)},
          lock_{std::move(lock)},
          writer_{std::move(writer)},
          threaded_{options.threaded},
          tell_{options.tell} {
        if (threaded_) thread_ = std::thread{[this] { run(); }};
    }

    ~SqliteStore() override {
        {
            const std::lock_guard guard{mutex_};
            stopping_ = true;
        }
        wake_.notify_all();
        if (thread_.joinable()) thread_.join();
    }

    /// One writer takes everything in the order given: lanes have nothing to add.
    void write(Transaction transaction, Then then, std::string_view) override {
        if (!threaded_) {
            std::vector<Job> one;
            one.push_back({std::move(transaction), std::move(then)});
            commit_group(one);
            return;
        }
        std::optional<Fault> refused;
        {
            const std::lock_guard guard{mutex_};
            if (stopping_)
                refused = Fault::stopped;
            else if (queue_.size() >= queue_max)
                refused = Fault::busy;
            else
                queue_.push_back({std::move(transaction), std::move(then)});
        }
        if (refused)
            then(refused);
        else
            wake_.notify_one();
    }

    std::optional<Fault> read(const std::function<void(Repositories&)>& reader) override {
        try {
            // Inline stores read on the writer's connection: the caller is the only thread there
            // is.
            if (!threaded_) return read_on(*writer_, reader);
            std::unique_ptr<Connection> connection = borrow();
            const auto fault = read_on(*connection, reader);
            if (!fault) give_back(std::move(connection));
            return fault;
        } catch (const soci::soci_error& error) {
            return told(error);
        }
    }

private:
    struct Job {
        Transaction transaction;
        Then then;
    };

    std::optional<Fault> read_on(Connection& connection,
                                 const std::function<void(Repositories&)>& reader) {
        Unless all{[&] { roll_back(connection); }};
        try {
            connection.session << "BEGIN";
            reader(connection.bundle->repositories());
            connection.session << "COMMIT";
            all.well();
            return std::nullopt;
        } catch (const soci::soci_error& error) {
            return told(error);
        } catch (const std::exception& error) {
            return told(error);
        }
    }

    Fault told(const soci::soci_error& error) const {
        tell_(first_line(error.get_error_message()));
        return fault_of(error);
    }
    Fault told(const std::exception& error) const {
        tell_(first_line(error.what()));
        return fault_of_own(error);
    }

    static void roll_back(Connection& connection) {
        connection.bundle->sql().forget_broken();
        try {
            connection.session << "ROLLBACK";
        } catch (const soci::soci_error&) {
            // SQLite has already rolled back by itself after some errors; then there is nothing to
            // undo.
        }
    }

    void run() {
        std::vector<Job> group;
        for (;;) {
            {
                std::unique_lock guard{mutex_};
                wake_.wait(guard, [this] { return stopping_ || !queue_.empty(); });
                if (queue_.empty()) return;  // stopping, and everything accepted is done
                while (!queue_.empty() && group.size() < group_max) {
                    group.push_back(std::move(queue_.front()));
                    queue_.pop_front();
                }
            }
            commit_group(group);
            group.clear();
        }
    }

    /// Many transactions, one COMMIT: the disk's sync is the price, so it is shared.
    void commit_group(std::vector<Job>& group) {
        std::vector<std::optional<Fault>> faults(group.size());
        if (const auto fault = run_group(group, faults)) std::ranges::fill(faults, fault);
        for (std::size_t i = 0; i < group.size(); ++i)
            if (group[i].then) group[i].then(faults[i]);
    }

    /// Each member's own fault, or the one that is everybody's.
    std::optional<Fault> run_group(std::vector<Job>& group,
                                   std::vector<std::optional<Fault>>& faults) {
        Unless all{[&] { roll_back(*writer_); }};
        try {
            writer_->session << "BEGIN IMMEDIATE";
            for (std::size_t i = 0; i < group.size(); ++i)
                faults[i] = run_member(group[i].transaction);
            writer_->session << "COMMIT";
            all.well();
            return std::nullopt;
        } catch (const soci::soci_error& error) {
            return told(error);
        }
    }

    /// Throws the error that ends the whole group.
    std::optional<Fault> run_member(const Transaction& transaction) {
        soci::session& session = writer_->session;
        session << "SAVEPOINT member";
        std::optional<Fault> fault;
        bool keep = false;
        try {
            keep = transaction(writer_->bundle->repositories()) == Decision::keep;
        } catch (const soci::soci_error& error) {
            if (ends_group(error)) throw;
            fault = told(error);
        } catch (const std::exception& error) {
            fault = told(error);
        }
        writer_->bundle->sql().forget_broken();
        // After some errors SQLite has rolled back everything by itself; then this throws, as it
        // should: nobody's work is left.
        if (!keep) session << "ROLLBACK TO member";
        session << "RELEASE member";
        return fault;
    }

    std::unique_ptr<Connection> borrow() {
        {
            const std::lock_guard guard{mutex_};
            if (!readers_.empty()) {
                auto connection = std::move(readers_.back());
                readers_.pop_back();
                return connection;
            }
        }
        auto connection = std::make_unique<Connection>(target_);
        connection->session << "PRAGMA busy_timeout = " << sqlite_busy_ms;
        // Only the writer writes and checkpoints: SQLite 3.40 can lose WAL content when two do.
        connection->session << "PRAGMA query_only = ON";
        connection->session << "PRAGMA wal_autocheckpoint = 0";
        connection->bundle =
            std::make_unique<Bundle>(connection->session, tenant_default, Sql::Manner{});
        return connection;
    }

    void give_back(std::unique_ptr<Connection> connection) {
        const std::lock_guard guard{mutex_};
        if (readers_.size() < readers_kept_max) readers_.push_back(std::move(connection));
    }

    static constexpr std::size_t readers_kept_max = 8;

    std::string target_;
    std::unique_ptr<FileLock> lock_;
    std::unique_ptr<Connection> writer_;
    bool threaded_;
    Teller tell_;
    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<Job> queue_;
    std::vector<std::unique_ptr<Connection>> readers_;
    bool stopping_ = false;
    std::thread thread_;
};

/// SOCI splits what it is given at blanks, equals signs and quotes; a file: name has none of them.
std::string file_name(const std::string& path) {
    constexpr std::string_view plain =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/._-~";
    std::string out = path.starts_with('/') ? "file://" : "file:";
    for (const char c : path) {
        if (plain.find(c) != std::string_view::npos)
            out += c;
        else
            out += '%' + to_hex(std::array<Byte, 1>{static_cast<Byte>(c)});
    }
    return out;
}

}  // namespace

std::string sqlite_target(const Store::Options& options) {
    // SOCI 4.0 knows no VFS; Debian's SQLite reads file: names.
    return "db=" + file_name(options.database) + (options.vfs.empty() ? "" : "?vfs=" + options.vfs);
}

Result<std::unique_ptr<Store>, Fault> open_sqlite(const Store::Options& options) {
    std::unique_ptr<FileLock> lock;
    const std::string target = sqlite_target(options);
    if (options.vfs.empty()) {
        lock = std::make_unique<FileLock>(options.database + ".lock");
        if (!lock->opened()) return Fault::unavailable;
        if (!lock->held()) return Fault::in_use;
    }
    const Teller tell{options.tell};
    try {
        auto writer = std::make_unique<Connection>(target);
        set_pragmas(writer->session);
        if (const auto fault = migrate(writer->session, options.now, Dialect::sqlite))
            return *fault;
        writer->bundle = std::make_unique<Bundle>(writer->session, tenant_default, Sql::Manner{});
        if (writer->bundle->repositories().meta.generation().value == 0) {
            soci::transaction tx{writer->session};
            writer->bundle->repositories().meta.begin_generation(options.now, "first start");
            tx.commit();
        }
        return std::unique_ptr<Store>{
            std::make_unique<SqliteStore>(target, std::move(lock), std::move(writer), options)};
    } catch (const soci::soci_error& error) {
        tell(first_line(error.get_error_message()));
        return fault_of(error);
    } catch (const std::exception& error) {
        tell(first_line(error.what()));
        return Fault::unsuitable;
    }
}

}  // namespace pf::server::store
