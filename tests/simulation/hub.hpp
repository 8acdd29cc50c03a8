#pragma once
// The simulated server: its disk, its database, the shipped core, and how it dies and comes back.
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "sync-server/app/core.hpp"
#include "tests/simulation/network.hpp"
#include "tests/simulation/scene.hpp"
#include "tests/support/crash_vfs.hpp"

namespace pf::simulation {

/// Who wants to know what the server did.
class HubWatcher {
public:
    virtual ~HubWatcher() = default;
    /// Committed and on its way.
    virtual void published(const server::Outgoing& message) = 0;
    /// The database is open; `new_life`: after a restart.
    virtual void server_started(server::Repositories& r, bool restored) = 0;
    virtual void server_acted(server::Repositories& r) = 0;
    /// Whether this message may have moved what is watched.
    virtual bool wants_a_look(std::string_view topic) const = 0;
};

class Hub final : public server::app::Outside {
public:
    Hub(Scene& scene, HubWatcher& watcher);
    ~Hub() override;

    void attach(Network& network) { network_ = &network; }
    void start();
    bool running() const noexcept { return core_ != nullptr; }
    const server::fleet::Keys& keys() const noexcept { return keys_; }
    tests::CrashDisk& disk() noexcept { return disk_; }

    void message(const std::string& topic, const Bytes& payload);
    using Act = std::function<std::optional<server::app::Committed>(server::Repositories&,
                                                                    const server::Call&)>;
    /// Somebody works at the server. False: it did not happen (the server is down, or refused).
    bool act(const std::string& actor, const Act& what);
    /// The town wrote down what it did.
    void look();
    /// A read that must succeed.
    void demand_read(const std::function<void(server::Repositories&, const server::Call&)>& reader);

    void power_cut(std::string_view point);
    /// In the `operations`-th operation of its disk counted from the next start.
    void power_cut_in_next_start(std::uint64_t operations) { cut_in_start_ = operations; }
    void crash_after_next_commit(bool planned = true) { crash_after_commit_ = planned; }
    /// Back to an older image of the disk. `said`: the keeper begins a new generation.
    void restore(const tests::DiskImage& image, bool said);
    /// kill -9 of the program: the disk keeps what was written.
    void kill();
    /// SIGTERM, and a start some seconds later. `cut`: the power goes while it cleans up.
    void stop_and_start(bool cut);
    void step_clock(Millis by) {
        clock_offset_ += by;
        clock_moved_at_ = scene_.agenda.now();
    }
    Millis clock_offset() const noexcept { return clock_offset_; }
    /// When its clock moved last; nothing: never.
    std::optional<SteadyTime> clock_moved_at() const noexcept { return clock_moved_at_; }
    /// With the server goes its managed broker; an external one stays.
    void set_broker_is_managed(bool managed) { broker_is_managed_ = managed; }

    // server::app::Outside
    WallTime now() override { return scene_.wall() + clock_offset_; }
    std::array<Byte, 32> seed() override;
    void post(std::function<void()> task) override { posted_.push_back(std::move(task)); }
    void publish(server::Outgoing message) override;
    void devices_changed(std::vector<DeviceId> revoked, std::function<void(bool)> done) override;

private:
    /// Runs what the core posted; ends the server when its disk lost power.
    bool settle(std::string_view what);
    void die(std::string_view point);
    void end();
    void start_later(bool power_was_cut);
    /// The shipped program's timers (sync-server/app/program.cpp).
    void every(Millis span, void (Hub::*task)());
    void remind();
    void tick_lists();
    bool crashes_after_commit();

    Scene& scene_;
    HubWatcher& watcher_;
    Network* network_ = nullptr;
    tests::Rng rng_;
    tests::SeededEntropy entropy_;
    server::fleet::Keys keys_;
    tests::CrashDisk disk_;
    tests::CrashVfs::Mount mount_;
    std::unique_ptr<server::store::Store> store_;
    std::unique_ptr<server::app::Core> core_;
    std::deque<std::function<void()>> posted_;
    bool crash_after_commit_ = false;
    std::uint64_t cut_in_start_ = 0;  // 0: not planned
    bool broker_is_managed_ = true;
    bool restored_ = false;
    bool say_new_generation_ = false;
    std::uint64_t run_ = 0;
    Millis clock_offset_{0};
    std::optional<SteadyTime> clock_moved_at_;
};

}  // namespace pf::simulation
