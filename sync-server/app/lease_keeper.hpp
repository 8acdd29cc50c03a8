#pragma once
// This server among others on one database: joins before anything listens, renews on a thread and a
// connection of its own (a renewal must not wait behind an import), and tells the loop what it may
// act for. docs/adr/0015.
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <variant>

#include "sync-server/app/data_dir.hpp"
#include "sync-server/app/log.hpp"
#include "sync-server/app/program.hpp"
#include "sync-server/leases/leases.hpp"
#include "sync-server/store/store.hpp"

namespace pf::server::app {

/// What the loop is told.
struct Tenure {
    leases::Round round;              // nothing held: nobody could be asked in time
    std::uint64_t fleet_changes = 0;  // fleet::changes
};

class LeaseKeeper {
public:
    /// A store of its own, not threaded.
    LeaseKeeper(std::unique_ptr<store::Store> store, leases::Life life, Log& log);
    /// Leaves, so that others need not wait for the lease to end.
    ~LeaseKeeper();
    LeaseKeeper(const LeaseKeeper&) = delete;
    LeaseKeeper& operator=(const LeaseKeeper&) = delete;

    /// The first turn. Another server in the way may be one that was killed a moment ago: waits
    /// until its lease is over, and refuses at once when it renews.
    std::variant<Tenure, StartFailure> join(const DataDir& directory);
    /// From then on; both are called on the keeper's thread and must only hand on. `refused`: this
    /// server slept, and another took its place in a way that leaves none for it.
    void start(std::function<void(Tenure)> tell, std::function<void(leases::Refusal)> refused);
    /// Renews now. Any thread.
    void hurry();

    const std::string& life() const noexcept { return life_.id; }

private:
    using Turned = std::variant<Tenure, leases::Refusal, store::Fault>;
    Turned turn();
    void run();
    /// How long until the next turn, after this one.
    std::chrono::milliseconds take(Turned turned, std::chrono::steady_clock::time_point asked);
    void end_life(const std::string& life);

    std::unique_ptr<store::Store> store_;
    const leases::Life life_;
    Log& log_;
    std::function<void(Tenure)> tell_;
    std::function<void(leases::Refusal)> refused_;
    std::chrono::steady_clock::time_point renewed_{};
    Tenure last_;
    bool over_ = false;  // nobody could be asked for too long, and the loop knows

    std::mutex mutex_;
    std::condition_variable changed_;
    bool hurry_ = false;
    bool quit_ = false;
    std::thread thread_;
};

/// Of a run of the program, for leases::Life.
leases::Life new_life(Entropy& entropy, const std::string& host, bool managed_broker);

}  // namespace pf::server::app
