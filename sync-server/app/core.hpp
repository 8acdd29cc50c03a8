#pragma once
// The server without sockets, threads and clocks: messages and calls in, committed effects out. The
// program feeds it from MQTT and HTTP; the simulation feeds the same class from its own world, with
// a store that commits on the caller (Store::Options.threaded = false).
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sync-server/api/backend.hpp"
#include "sync-server/fleet/fleet.hpp"
#include "sync-server/leases/leases.hpp"
#include "sync-server/store/store.hpp"
#include "sync-server/store/transaction.hpp"

namespace pf::server::app {

/// Everything the core reaches besides the database. "The executor" is one thread's queue: the
/// program's main loop, the simulation's only loop.
class Outside {
public:
    virtual ~Outside() = default;
    /// Any thread.
    virtual WallTime now() = 0;
    /// Unpredictable; asked once a call. Any thread.
    virtual std::array<Byte, 32> seed() = 0;
    /// Runs a task later on the executor, in the order posted. Any thread, never inside the call.
    virtual void post(std::function<void()> task) = 0;
    /// Hands one message on, on the executor. Losing it is allowed: devices ask again.
    virtual void publish(Outgoing message) = 0;
    /// Devices were paired or revoked and that is committed: let the broker know, throw out the
    /// revoked, then call `done` (any thread, once), saying whether the broker took it; when not,
    /// it is told again until it does. On the executor.
    virtual void devices_changed(std::vector<DeviceId> revoked,
                                 std::function<void(bool taken)> done) = 0;
    /// A message of a device was committed: the sync log may be longer. On the executor.
    virtual void log_moved() {}
    /// Another server acts for a part that this one thought to have: time to ask for leases anew.
    /// On the executor.
    virtual void fenced() {}
};

using Committed = api::Committed;

class Core {
public:
    /// All outlive the core. A core may be destroyed at any moment; what was not committed is gone,
    /// as after a power cut. No task it posted touches it afterwards.
    Core(store::Store& store, const fleet::Keys& keys, Outside& outside);
    ~Core();
    Core(const Core&) = delete;
    Core& operator=(const Core&) = delete;

    /// One message of a device. On the executor. When the store does not keep up it is dropped and
    /// counted: devices send again what was not acknowledged.
    void on_message(std::string_view topic, BytesView payload);

    /// What this server may act for, of a database that it shares. Without this call: everything.
    /// Messages of other partitions are dropped; what is under way for a part that is not held any
    /// more, or under another token, is refused inside its transaction or goes unanswered. On the
    /// executor.
    struct Holding {
        std::string life;
        std::map<std::uint32_t, std::uint64_t> parts;  // part, token
    };
    void hold(Holding holding);

    /// A transaction in somebody's name. Nothing returned: undo. It may run more than once with the
    /// same Call. Any thread.
    using Act = std::function<std::optional<Committed>(Repositories&, const Call&)>;
    /// On the executor, after the COMMIT and after its effects were handed to Outside, once.
    using Then = std::function<void(std::optional<store::Fault>)>;
    void call(std::string actor, Act act, Then then);
    /// What one server does for all, in the name of the system: undone, and `then` told nothing,
    /// when this one does not keep the house (any more). On the executor.
    void keep_house(Act act, Then then);

    /// News to every device that is there, moved or not: whatever was lost on the way is made up
    /// for. The program calls it every remind_every_ms. On the executor.
    void remind();
    static constexpr Millis remind_every_ms{60'000};

    /// A consistent read on the caller's thread; the Call gives `now`. Any thread.
    std::optional<store::Fault> read(std::string actor,
                                     const std::function<void(Repositories&, const Call&)>& reader);

    const fleet::Keys& keys() const noexcept { return keys_; }
    store::Store& store() noexcept { return store_; }

    struct Counts {
        std::uint64_t messages = 0;        // taken from the link
        std::uint64_t dropped_busy = 0;    // thrown away: too many or too much waits for the store
        std::uint64_t dropped_failed = 0;  // lost with a COMMIT that failed
        std::uint64_t not_ours = 0;        // of a partition another server acts for
        std::uint64_t fenced = 0;          // refused in the transaction: another server took over
        std::uint64_t unanswered = 0;      // committed, but the partition went away meanwhile
        std::uint64_t published = 0;
        std::uint64_t news_rounds = 0;
        std::uint64_t reminders = 0;  // messages
    };
    /// On the executor.
    const Counts& counts() const noexcept;

    /// Messages taken and not yet committed.
    static constexpr std::size_t waiting_max = 4'000;
    static constexpr std::size_t waiting_bytes_max = 64UL * 1024 * 1024;

private:
    struct State;
    store::Store& store_;
    const fleet::Keys& keys_;
    Outside& outside_;
    std::shared_ptr<State> state_;  // tasks in flight hold it weakly
};

}  // namespace pf::server::app
