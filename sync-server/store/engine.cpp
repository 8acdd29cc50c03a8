#include <fcntl.h>
#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>
#include <sys/file.h>
#include <unistd.h>

#include <condition_variable>
#include <deque>
#include <future>
#include <mutex>
#include <thread>

#include "sync-server/store/migrate.hpp"
#include "sync-server/store/repositories.hpp"

namespace pf::server::store {

std::string_view to_text(Fault fault) noexcept {
    switch (fault) {
        case Fault::unavailable:
            return "the database can't be opened";
        case Fault::disk_full:
            return "the disk of the database is full";
        case Fault::io_error:
            return "the database's disk reports errors";
        case Fault::in_use:
            return "another server process has this database file";
        case Fault::schema_newer:
            return "the database was written by a newer release";
        case Fault::damaged:
            return "the database file is damaged";
        case Fault::busy:
            return "the writer's queue is full";
        case Fault::stopped:
            return "the store is stopping";
    }
    std::abort();
}

namespace {

constexpr int sqlite_busy_ms = 5'000;
/// Of the writer. A season's codes are one transaction that touches a dozen trees at random; with
/// SQLite's 2 MB the pages go to the log and come back several times each.
constexpr int writer_cache_kib = 32 * 1024;

/// SQLite's primary result codes (sqlite.org/rescode.html); soci-sqlite3.h and sqlite3.h can't be
/// included together, so the numbers stand here.
Fault fault_of(const soci::soci_error& error) {
    const auto* sqlite = dynamic_cast<const soci::sqlite3_soci_error*>(&error);
    if (sqlite == nullptr) return Fault::io_error;
    switch (sqlite->result() & 0xff) {
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
        case 10:
            return Fault::io_error;  // SQLITE_IOERR
        default:
            return Fault::io_error;
    }
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
                std::unique_ptr<Connection> writer, bool threaded)
        : target_{std::move(target)},
          lock_{std::move(lock)},
          writer_{std::move(writer)},
          threaded_{threaded} {
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

    void write(Transaction transaction, Then then) override {
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
            return fault_of(error);
        }
    }

private:
    struct Job {
        Transaction transaction;
        Then then;
    };

    static std::optional<Fault> read_on(Connection& connection,
                                        const std::function<void(Repositories&)>& reader) {
        try {
            connection.session << "BEGIN";
            reader(connection.bundle->repositories());
            connection.session << "COMMIT";
            return std::nullopt;
        } catch (const soci::soci_error& error) {
            roll_back(connection.session);
            return fault_of(error);
        }
    }

    static void roll_back(soci::session& session) {
        try {
            session << "ROLLBACK";
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
        std::optional<Fault> fault;
        soci::session& session = writer_->session;
        try {
            session << "BEGIN IMMEDIATE";
            for (Job& job : group) {
                session << "SAVEPOINT member";
                if (job.transaction(writer_->bundle->repositories()) == Decision::undo)
                    session << "ROLLBACK TO member";
                session << "RELEASE member";
            }
            session << "COMMIT";
        } catch (const soci::soci_error& error) {
            fault = fault_of(error);
            roll_back(session);
        }
        for (Job& job : group)
            if (job.then) job.then(fault);
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
        connection->bundle = std::make_unique<Bundle>(connection->session, tenant_default);
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
    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<Job> queue_;
    std::vector<std::unique_ptr<Connection>> readers_;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace

Result<std::unique_ptr<Store>, Fault> Store::open(const Options& options) {
    std::unique_ptr<FileLock> lock;
    std::string target = "db=" + options.path;
    if (options.vfs.empty()) {
        lock = std::make_unique<FileLock>(options.path + ".lock");
        if (!lock->opened()) return Fault::unavailable;
        if (!lock->held()) return Fault::in_use;
    } else {
        // SOCI 4.0 knows no VFS; Debian's SQLite reads file: names.
        target = "db=file:" + options.path + "?vfs=" + options.vfs;
    }
    try {
        auto writer = std::make_unique<Connection>(target);
        set_pragmas(writer->session);
        if (const auto fault = migrate(writer->session, options.now)) return *fault;
        writer->bundle = std::make_unique<Bundle>(writer->session, tenant_default);
        if (writer->bundle->repositories().meta.generation().value == 0) {
            soci::transaction tx{writer->session};
            writer->bundle->repositories().meta.begin_generation(options.now, "first start");
            tx.commit();
        }
        return std::unique_ptr<Store>{std::make_unique<SqliteStore>(
            target, std::move(lock), std::move(writer), options.threaded)};
    } catch (const soci::soci_error& error) {
        return fault_of(error);
    }
}

std::optional<Fault> Store::write_now(Transaction transaction) {
    auto done = std::make_shared<std::promise<std::optional<Fault>>>();
    auto future = done->get_future();
    write(std::move(transaction), [done](std::optional<Fault> fault) { done->set_value(fault); });
    return future.get();
}

}  // namespace pf::server::store
