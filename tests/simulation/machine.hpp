#pragma once
// One simulated device: the shipped firmware with its keeper between a disk that forgets, clocks
// that jump, an arm and a link. It may die in any call, at any operation of its disk, and starts
// again from its files.
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "firmware/app/keeper.hpp"
#include "tests/simulation/network.hpp"
#include "tests/simulation/scene.hpp"
#include "tests/simulation/town.hpp"
#include "tests/support/memory_vault.hpp"

namespace pf::simulation {

class Machine;

/// Who wants to know what a device did.
class MachineWatcher {
public:
    virtual ~MachineWatcher() = default;
    /// The firmware runs on what the disk gave back.
    virtual void started(Machine& machine) = 0;
    /// Between two calls into the device.
    virtual void called(Machine& machine) = 0;
    /// The arm got its pulse, inside a call.
    virtual void pulsed(Machine& machine) = 0;
    /// A message was handled: where the device stood in the log of uses before.
    virtual void handled(Machine& machine, const std::string& topic, const Bytes& payload,
                         firmware::cache::Cache::UsesPosition before) = 0;
    /// The sensor or the fire alarm speaks, before the device hears it.
    virtual void at_barrier(Machine& machine, firmware::ports::BarrierEvent event) = 0;
    /// A command arrives, before the device hears it.
    virtual void commanded(Machine& machine, const wire::Command& command) = 0;
};

class Machine final : public LinkUser,
                      public firmware::ports::Clock,
                      public firmware::ports::Barrier,
                      public firmware::ports::Cue {
public:
    Machine(Scene& scene, Network& network, MachineWatcher& watcher, MachineSpec spec);
    ~Machine() override;

    const MachineSpec& spec() const noexcept { return spec_; }
    firmware::app::Device& device() { return *keeper_->device(); }
    tests::CrashDisk& disk() noexcept { return disk_; }
    bool has_barrier() const noexcept { return spec_.kind == wire::DeviceKind::gate; }
    /// Rises with every start: what was planned for an earlier run is void.
    std::uint64_t run() const noexcept { return run_; }

    void start();
    /// Every call into the device. False: it does not run, or did not survive this.
    bool call(std::string_view what, const std::function<void(firmware::app::Device&)>& f);
    /// Somebody holds something up; also while the keeper has no device.
    void on_code(std::string_view text);
    void on_document(std::string_view number);
    void barrier(firmware::ports::BarrierEvent event);

    void power_cut(std::string_view point);
    void power_cut_at_next_pulse(bool planned = true) { cut_at_pulse_ = planned; }
    /// In the `operations`-th operation of its disk counted from the next start, so most likely
    /// while it opens, creates or recovers its files. 0: not at all.
    void power_cut_in_next_start(std::uint64_t operations) { cut_in_start_ = operations; }
    void power_cut_when_it_deletes_a_file() { cut_at_deletion_ = true; }
    void kill();
    /// Files of an older time come back; `change` turns the disk's present files into those.
    void come_back_with(const std::function<tests::DiskImage(tests::DiskImage)>& change);
    void step_clock(Millis by) {
        clock_offset_ += by;
        clock_was_ever_wrong_ = true;
    }
    void set_clock_right() {
        clock_offset_ = Millis{0};
        battery_dead_ = false;
    }
    void empty_battery() { battery_dead_ = clock_was_ever_wrong_ = true; }
    bool clock_was_ever_wrong() const noexcept { return clock_was_ever_wrong_; }
    /// When it last handled a message of the server: since it started, and ever.
    std::optional<SteadyTime> heard_at() const noexcept { return heard_at_; }
    std::optional<SteadyTime> ever_heard_at() const noexcept { return ever_heard_at_; }
    SteadyTime time_heard_at() const noexcept { return time_heard_at_; }
    bool linked() const { return network_.connected(*this); }
    /// The reason shown last.
    admission::Reason shown() const noexcept { return shown_; }
    /// Off for a season, and on again.
    void switch_off();
    void switch_on();
    void on_pulse(std::function<void()> handler) { pulse_handler_ = std::move(handler); }

    /// The command the device is handling now, as the message says.
    const std::optional<wire::Command>& command() const noexcept { return command_; }

    // LinkUser
    const std::string& name() const override { return spec_.id.text(); }
    bool running() const override { return keeper_ && keeper_->device() != nullptr; }
    Will connecting() override;
    void link_up() override;
    void link_down() override;
    void message(const std::string& topic, const Bytes& payload) override;

    // firmware::ports
    WallTime wall() const override;
    SteadyTime steady() const override;
    void on_event(Handler) override {}
    void pulse(Millis) override;
    void lock() override {}
    bool senses_passage() const override { return true; }
    void show(const firmware::ports::Display& display) override;

private:
    bool enter(std::string_view what, const std::function<void(firmware::app::Keeper&)>& f);
    firmware::app::Keeper make_keeper();
    void began();
    void heard(const std::string& topic, const Bytes& payload);
    void end_process();
    void die(std::string_view point);
    void stop_process();
    void restart_later(bool power_was_cut);
    void arm_timer();

    Scene& scene_;
    Network& network_;
    MachineWatcher& watcher_;
    MachineSpec spec_;
    tests::Rng rng_;
    tests::SeededEntropy entropy_;
    tests::MemoryVault vault_;
    std::string folder_;
    WallTime built_at_;
    tests::CrashDisk disk_;
    tests::CrashVfs::Mount mount_;
    std::unique_ptr<firmware::app::Keeper> keeper_;
    std::optional<wire::Command> command_;
    std::function<void()> pulse_handler_;
    SteadyTime booted_at_{};
    Millis clock_offset_{0};
    bool battery_dead_ = false;
    bool cut_at_pulse_ = false;
    std::uint64_t cut_in_start_ = 0;  // 0: not planned
    bool cut_at_deletion_ = false;
    bool starting_ = false;
    bool switched_off_ = false;
    bool clock_was_ever_wrong_ = false;
    std::optional<SteadyTime> heard_at_;
    std::optional<SteadyTime> ever_heard_at_;
    SteadyTime time_heard_at_{};
    admission::Reason shown_ = admission::Reason::device_not_ready;
    std::uint64_t run_ = 0;
    std::uint64_t timer_ = 0;
};

}  // namespace pf::simulation
