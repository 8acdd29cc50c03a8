// PostgreSQL: several writers, each transaction by itself at SERIALIZABLE, run again when others
// were first. docs/adr/0013.
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <random>
#include <thread>

#include "sync-server/store/migrate.hpp"
#include "sync-server/store/postgres_sealer.hpp"
#include "sync-server/store/postgres_session.hpp"
#include "sync-server/store/turns.hpp"

namespace pf::server::store {
namespace {

using Steady = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr std::size_t writers_max = 8;  // threads, each with a connection
constexpr std::size_t readers_max = 16;
constexpr auto reader_patience = 5s;  // for a connection, when all are in use

/// A transaction that others keep overtaking: from the fourth time on it runs alone in this
/// process, and only other processes can be first. Some hundred milliseconds in all, then `busy`.
constexpr int restarts_until_alone = 4;
constexpr int restarts_max = 30;
/// A key that is there already is somebody else's for once or twice; then it is a bug.
constexpr int duplicates_max = 3;
/// Connections one transaction may outlive.
constexpr int losses_max = 3;
constexpr auto restart_pause_min = 500us;
constexpr auto restart_pause_max = 30ms;

/// Without a connection, a transaction waits this long since the loss; later ones are told at once.
constexpr auto reconnect_patience = 5s;
constexpr auto reconnect_pause_min = 50ms;
constexpr auto reconnect_pause_max = 2s;

constexpr auto seal_again = 1s;
/// For rows without a place that nobody here knows of: of a COMMIT whose answer never came and that
/// went through later, of a server that was stopped or killed between COMMIT and sealing.
constexpr auto leftovers_looked_for_every = 10s;

class PostgresStore final : public Store {
public:
    PostgresStore(std::string url, const Options& options)
        : url_{std::move(url)},
          prepare_on_server_{options.prepare_on_server},
          tell_{options.tell},
          sealer_{tell_} {
        const std::size_t count = options.threaded ? writers_max : 1;
        for (std::size_t i = 0; i < count; ++i) writers_.push_back(std::make_unique<Writer>());
        if (!options.threaded) return;
        for (auto& writer : writers_)
            writer->thread = std::thread{[this, own = writer.get()] { run(*own); }};
        sealing_thread_ = std::thread{[this] { run_sealer(); }};
    }

    ~PostgresStore() override {
        {
            const std::lock_guard guard{mutex_};
            stopping_ = true;
        }
        ending_.notify_all();
        for (auto& writer : writers_) writer->wake.notify_one();
        for (auto& writer : writers_)
            if (writer->thread.joinable()) writer->thread.join();
        {
            const std::lock_guard guard{mutex_};
            writers_ended_ = true;
        }
        to_seal_.notify_one();
        if (sealing_thread_.joinable()) sealing_thread_.join();
    }

    void write(Transaction transaction, Then then, std::string_view lane) override {
        if (!writers_.front()->thread.joinable()) {
            Writer& only = *writers_.front();
            const Outcome outcome = perform(only, transaction);
            if (only.connection && (outcome.unplaced != 0 || sealer_.leftover()) &&
                !sealer_.seal(*only.connection, outcome.unplaced))
                drop(only);
            if (then) then(outcome.fault);
            return;
        }
        std::optional<Fault> refused;
        Writer* writer = nullptr;
        {
            const std::lock_guard guard{mutex_};
            if (stopping_)
                refused = Fault::stopped;
            else if (queued_ + sealing_.size() >= queue_max)
                refused = Fault::busy;
            else {
                writer = &writer_for(lane);
                writer->queue.emplace_back(std::move(transaction), std::move(then));
                ++queued_;
            }
        }
        if (refused) {
            if (then) then(*refused);
        } else {
            writer->wake.notify_one();
        }
    }

    std::optional<Fault> read(const std::function<void(Repositories&)>& reader) override {
        if (!writers_.front()->thread.joinable()) {
            auto& own = writers_.front()->connection;
            return read_on(own, reader);
        }
        std::unique_ptr<PostgresSession> connection;
        {
            std::unique_lock guard{mutex_};
            if (!reader_back_.wait_for(guard, reader_patience,
                                       [this] { return readers_out_ < readers_max; }))
                return Fault::busy;
            ++readers_out_;
            if (!readers_.empty()) {
                connection = std::move(readers_.back());
                readers_.pop_back();
            }
        }
        const auto fault = read_on(connection, reader);
        {
            const std::lock_guard guard{mutex_};
            --readers_out_;
            if (connection) readers_.push_back(std::move(connection));
        }
        reader_back_.notify_one();
        return fault;
    }

    void place_leftovers() override {
        {
            const std::lock_guard guard{mutex_};
            sealer_.owe();
        }
        if (sealing_thread_.joinable())
            to_seal_.notify_one();
        else
            write([](Repositories&) { return Decision::keep; }, nullptr, {});
    }

    Counts counts() const override {
        return {.restarts = restarts_, .connections = connections_, .uncertain = uncertain_};
    }

private:
    struct Job {
        Job(Transaction what, Then after) : transaction{std::move(what)}, then{std::move(after)} {}
        Transaction transaction;
        Then then;
    };
    struct Writer {
        std::deque<Job> queue;         // under mutex_
        std::condition_variable wake;  // something is queued, or the end
        std::thread thread;
        std::unique_ptr<PostgresSession> connection;  // the thread's own
        std::size_t sealing = 0;  // under mutex_: of its jobs, those that wait for the sealer
        bool connected_before = false;
        std::optional<Steady::time_point> lost_at;
        Steady::time_point try_again{};
        Steady::duration pause = reconnect_pause_min;
    };

    // --- queues ---------------------------------------------------------------------------------

    /// Under mutex_. A lane stays with its writer; what has none goes where least waits.
    Writer& writer_for(std::string_view lane) {
        if (!lane.empty()) return *writers_[std::hash<std::string_view>{}(lane) % writers_.size()];
        Writer* best = writers_[next_++ % writers_.size()].get();
        for (auto& writer : writers_)
            if (writer->queue.size() < best->queue.size()) best = writer.get();
        return *best;
    }

    void run(Writer& writer) {
        for (;;) {
            std::optional<Job> job;
            {
                std::unique_lock guard{mutex_};
                writer.wake.wait(guard, [&] { return stopping_ || !writer.queue.empty(); });
                if (writer.queue.empty()) return;  // the end, and everything accepted is done
                job = std::move(writer.queue.front());
                writer.queue.pop_front();
                --queued_;
            }
            finish(writer, std::move(job->then), perform(writer, job->transaction));
        }
    }

    // --- after COMMIT ---------------------------------------------------------------------------

    struct Outcome {
        std::optional<Fault> fault;
        std::uint8_t unplaced = 0;  // orders it left stand-ins in
    };
    /// A transaction that is over and whose caller is told when its rows have their places.
    struct Sealing {
        Writer* writer;
        Then then;
        Outcome outcome;
    };

    /// The writer goes on with its next transaction while the sealer works. What has nothing to be
    /// sealed is told at once, but not before what the same writer did earlier.
    void finish(Writer& writer, Then then, Outcome outcome) {
        {
            const std::lock_guard guard{mutex_};
            if (outcome.unplaced != 0 || writer.sealing > 0 || sealer_.leftover()) {
                ++writer.sealing;
                sealing_.push_back({&writer, std::move(then), outcome});
                to_seal_.notify_one();
                return;
            }
        }
        if (then) then(outcome.fault);
    }

    /// Whatever was committed while the last sealing went on is sealed together.
    void run_sealer() {
        Writer own;
        // One more try at the end: the connection may have ended unnoticed.
        for (bool last = false, once_more = true; !last;) {
            std::deque<Sealing> together;
            {
                std::unique_lock guard{mutex_};
                const auto something = [&] { return writers_ended_ || !sealing_.empty(); };
                // What could not be sealed is tried again also when nobody writes any more.
                if (sealer_.leftover())
                    to_seal_.wait_for(guard, seal_again, something);
                else
                    to_seal_.wait_until(guard, looked_at_ + leftovers_looked_for_every,
                                        [&] { return sealer_.leftover() || something(); });
                last = writers_ended_;
                together.swap(sealing_);
            }
            std::uint8_t orders = 0;
            for (const Sealing& one : together) orders |= one.outcome.unplaced;
            if (last || Steady::now() - looked_at_ >= leftovers_looked_for_every) {
                looked_at_ = Steady::now();
                orders = Sealer::all_orders;
            }
            if (!connect(own))
                sealer_.owe();
            else if (!sealer_.seal(*own.connection, orders))
                drop(own);
            if (last && sealer_.leftover() && std::exchange(once_more, false)) last = false;
            for (Sealing& one : together) {
                if (one.then) one.then(one.outcome.fault);
                const std::lock_guard guard{mutex_};
                --one.writer->sealing;
            }
        }
    }

    // --- one transaction ------------------------------------------------------------------------

    struct Attempt {
        std::optional<Ending> ending;  // nothing: it is over, with `fault` or without
        std::optional<Fault> fault;
        std::uint8_t unplaced = 0;
    };

    Outcome perform(Writer& writer, const Transaction& transaction) {
        int restarts = 0;
        int duplicates = 0;
        int losses = 0;
        for (;;) {
            if (!connect(writer)) return {Fault::unavailable};
            const Attempt attempt = try_once(writer, transaction, restarts >= restarts_until_alone);
            if (!attempt.ending) return {attempt.fault, attempt.unplaced};
            switch (*attempt.ending) {
                case Ending::fault:
                    return {attempt.fault};
                case Ending::lost:
                    // Before COMMIT: nothing was kept, so it is run again on the next connection.
                    if (++losses > losses_max) return {attempt.fault};
                    continue;
                case Ending::duplicate:
                    if (++duplicates > duplicates_max) return {attempt.fault};
                    break;
                case Ending::restart:
                    if (++restarts > restarts_max) return {Fault::busy};
                    break;
            }
            ++restarts_;
            pause_for(jitter(restarts + duplicates));
        }
    }

    Attempt try_once(Writer& writer, const Transaction& transaction, bool alone) {
        PostgresSession& connection = *writer.connection;
        const Turns::Turn turn{turns_, alone};
        bool committing = false;
        bool lost = false;
        Unless all{[&] {
            if (lost || !connection.roll_back()) drop(writer);
        }};
        try {
            connection.begin_write();
            if (transaction(connection.repositories()) == Decision::undo) return {};
            committing = true;
            connection.commit();
            all.well();
            return {std::nullopt, std::nullopt, connection.bundle().sql().take_unplaced()};
        } catch (const soci::soci_error& error) {
            const Diagnosis diagnosis = connection.diagnose(error);
            lost = diagnosis.ending == Ending::lost;
            if (lost || diagnosis.ending == Ending::fault)
                tell_(first_line(error.get_error_message()));
            if (!lost || !committing) return {diagnosis.ending, diagnosis.fault};
            ++uncertain_;
            sealer_.owe();  // it may have been kept
            return {std::nullopt, Fault::uncertain};
        } catch (const std::exception& error) {
            tell_(first_line(error.what()));
            return {std::nullopt, fault_of_own(error)};
        }
    }

    Steady::duration jitter(int restarts) {
        const auto limit = std::min<Steady::duration>(
            restart_pause_min * (1 << std::min(restarts, 10)), restart_pause_max);
        thread_local std::minstd_rand random{std::random_device{}()};
        return limit / 4 + limit * static_cast<int>(random() % 768) / 1024;
    }

    /// Cut short by the end of the store.
    void pause_for(Steady::duration duration) {
        std::unique_lock guard{mutex_};
        (void)ending_.wait_for(guard, duration, [this] { return stopping_; });
    }

    // --- connections ----------------------------------------------------------------------------

    void drop(Writer& writer) {
        writer.connection.reset();
        if (!writer.lost_at) writer.lost_at = Steady::now();
        writer.try_again = {};
        writer.pause = reconnect_pause_min;
    }

    /// True: there is a connection. Waits with growing pauses until reconnect_patience is over.
    bool connect(Writer& writer) {
        while (!writer.connection) {
            const auto now = Steady::now();
            if (now < writer.try_again) {
                if (writer.lost_at && now - *writer.lost_at > reconnect_patience) return false;
                pause_for(writer.try_again - now);
                const std::lock_guard guard{mutex_};
                if (stopping_ && writer.lost_at && Steady::now() < writer.try_again) return false;
            }
            writer.connection = try_connect();
            if (writer.connection) break;
            if (!writer.lost_at) writer.lost_at = now;
            writer.try_again = Steady::now() + writer.pause;
            writer.pause = std::min<Steady::duration>(writer.pause * 2, reconnect_pause_max);
        }
        if (std::exchange(writer.connected_before, true) && writer.lost_at) ++connections_;
        writer.lost_at.reset();
        return true;
    }

    std::unique_ptr<PostgresSession> try_connect() {
        std::string trouble;
        std::unique_ptr<PostgresSession> out;
        try {
            out = std::make_unique<PostgresSession>(url_, prepare_on_server_);
        } catch (const soci::soci_error& error) {
            trouble = connect_trouble(error);
        }
        // Every writer and reader meets the same trouble, again and again: once is enough.
        const bool news = [&] {
            const std::lock_guard guard{mutex_};
            return std::exchange(connect_trouble_, trouble) != trouble;
        }();
        if (news && !trouble.empty()) tell_(trouble);
        return out;
    }

    // --- reading --------------------------------------------------------------------------------

    /// `connection` is empty afterwards when it is of no use any more.
    std::optional<Fault> read_on(std::unique_ptr<PostgresSession>& connection,
                                 const std::function<void(Repositories&)>& reader) {
        if (!begin_read(connection)) return Fault::unavailable;
        Unless all{[&] {
            if (!connection->roll_back()) connection.reset();
        }};
        try {
            reader(connection->repositories());
            connection->commit();
            all.well();
            return std::nullopt;
        } catch (const soci::soci_error& error) {
            tell_(first_line(error.get_error_message()));
            return connection->diagnose(error).fault;
        } catch (const std::exception& error) {
            tell_(first_line(error.what()));
            return fault_of_own(error);
        }
    }

    /// An idle connection may have ended unnoticed; nothing is read yet, so one more is tried.
    bool begin_read(std::unique_ptr<PostgresSession>& connection) {
        for (const bool last : {false, true}) {
            if (!connection) connection = try_connect();
            if (!connection) return false;
            try {
                connection->begin_read();
                return true;
            } catch (const soci::soci_error& error) {
                tell_(first_line(error.get_error_message()));
                connection.reset();
                if (!last) ++connections_;
            }
        }
        return false;
    }

    const std::string url_;
    const bool prepare_on_server_;
    const Teller tell_;
    Sealer sealer_;
    Turns turns_;
    std::atomic<std::uint64_t> restarts_{0}, connections_{0}, uncertain_{0};

    std::mutex mutex_;
    std::condition_variable ending_;       // the end
    std::condition_variable reader_back_;  // a reader's connection is free
    bool stopping_ = false;
    std::string connect_trouble_;  // of the last connect; empty: it worked
    std::size_t queued_ = 0, next_ = 0;
    std::deque<Sealing> sealing_;
    std::condition_variable to_seal_;  // something is, or the end
    bool writers_ended_ = false;
    Steady::time_point looked_at_ = Steady::now();  // for leftovers; the sealing thread's
    std::thread sealing_thread_;
    std::vector<std::unique_ptr<Writer>> writers_;
    std::vector<std::unique_ptr<PostgresSession>> readers_;
    std::size_t readers_out_ = 0;
};

/// Two servers that start together may both make the first table; the loser is told in one of these
/// ways, and finds it there at the next try.
constexpr int starts_max = 5;

std::optional<Fault> migrate_together(PostgresSession& first, const Store::Options& options) {
    for (int tries = 1;; ++tries) {
        try {
            return migrate(first.session(), options.now, Dialect::postgresql);
        } catch (const soci::soci_error& error) {
            (void)first.roll_back();
            if (!first.connected() || tries == starts_max) throw;
        }
    }
}

}  // namespace

Result<std::unique_ptr<Store>, Fault> open_postgres(const Store::Options& options) {
    const Teller tell{options.tell};
    const std::string url = with_defaults(options.database);
    std::unique_ptr<PostgresSession> first;
    try {
        first = std::make_unique<PostgresSession>(url, options.prepare_on_server);
    } catch (const soci::soci_error& error) {
        tell(connect_trouble(error));
        return Fault::unavailable;
    }
    try {
        if (const auto why = unsuitable(*first)) {
            tell(*why);
            return Fault::unsuitable;
        }
        if (const auto fault = migrate_together(*first, options)) return *fault;
    } catch (const soci::soci_error& error) {
        tell(first_line(error.get_error_message()));
        return first->diagnose(error).fault;
    }
    first.reset();
    auto store = std::make_unique<PostgresStore>(url, options);
    const auto fault = store->write_now([&](Repositories& r) {
        if (r.meta.generation().value == 0) r.meta.begin_generation(options.now, "first start");
        // Its COMMIT also gives places to what a crash left without.
        if (!r.meta.value(Sealer::lock_row)) r.meta.put(Sealer::lock_row, "locked by the sealer");
        return Decision::keep;
    });
    if (fault) return *fault;
    return std::unique_ptr<Store>{std::move(store)};
}

}  // namespace pf::server::store
