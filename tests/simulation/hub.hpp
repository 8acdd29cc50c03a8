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
    /// Something published says that more moved than a message should.
    virtual bool wants_a_look() const = 0;
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
    bool read(const std::function<void(server::Repositories&, const server::Call&)>& reader);
    void tell_news(const std::vector<SiteId>& sites);

    void power_cut(std::string_view point);
    /// In the `operations`-th operation of its disk counted from the next start.
    void power_cut_in_next_start(std::uint64_t operations) { cut_in_start_ = operations; }
    void crash_after_next_commit() { crash_after_commit_ = true; }
    /// Back to an older image of the disk. `said`: the keeper begins a new generation.
    void restore(const tests::DiskImage& image, bool said);
    /// With the server goes its managed broker; an external one stays.
    void set_broker_is_managed(bool managed) { broker_is_managed_ = managed; }

    // server::app::Outside
    WallTime now() override { return scene_.wall(); }
    std::array<Byte, 32> seed() override;
    void post(std::function<void()> task) override { posted_.push_back(std::move(task)); }
    void publish(server::Outgoing message) override;
    void devices_changed(std::vector<DeviceId>, std::function<void(bool)> done) override {
        done(true);
    }

private:
    /// Runs what the core posted; ends the server when its disk lost power.
    bool settle(std::string_view what);
    void die(std::string_view point);

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
};

}  // namespace pf::simulation
