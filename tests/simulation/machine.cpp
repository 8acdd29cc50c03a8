#include "tests/simulation/machine.hpp"

#include <fmt/format.h>

#include "common/wire/topics.hpp"
#include "tests/simulation/fault.hpp"

namespace pf::simulation {
namespace {

constexpr Millis restart_min{300};
constexpr Millis restart_max{8'000};
constexpr Millis start_again{10'000};
constexpr Millis tick_at_least_every{300'000};
constexpr Millis tick_at_most_every{5};

namespace journal = firmware::journal;
namespace cache = firmware::cache;

/// The same number on every machine, or recorded seeds would not travel.
std::uint64_t number_of(std::string_view name) {
    std::uint64_t value = 0xcbf29ce484222325U;
    for (const char c : name) value = (value ^ static_cast<Byte>(c)) * 0x100000001b3U;
    return value;
}

std::optional<wire::Command> command_in(const std::string& topic, const Bytes& payload,
                                        const crypto::PublicKey& authority) {
    if (!topic.ends_with("dn/document")) return std::nullopt;
    const auto document = wire::open_document(payload, authority);
    if (document.has_error() || document->type != wire::DocumentType::command) return std::nullopt;
    const auto command = wire::decode_command(document->body);
    return command.has_value() ? std::optional{*command} : std::nullopt;
}

}  // namespace

Machine::Machine(Scene& scene, Network& network, MachineWatcher& watcher, MachineSpec spec)
    : scene_{scene},
      network_{network},
      watcher_{watcher},
      spec_{std::move(spec)},
      rng_{scene.rng.fork(number_of(spec_.id.text()))},
      entropy_{rng_.fork(1).next()},
      folder_{"/" + spec_.id.text()},
      built_at_{scene.begins_at - std::chrono::days{30}},
      disk_{rng_.fork(2).next()},
      mount_{scene.vfs.mount(folder_ + "/", disk_)} {
    network_.add(*this);
}

Machine::~Machine() = default;

firmware::app::Keeper Machine::make_keeper() {
    const auto start =
        [this, boot = BootId{entropy_.next_u64()}](firmware::app::Keeper::Beginning beginning) {
            firmware::app::Ports ports{.clock = *this,
                                       .barrier = has_barrier() ? this : nullptr,
                                       .cue = *this,
                                       .entropy = entropy_,
                                       .publish =
                                           [this](std::string topic, Bytes payload) {
                                               return !disk_.dead() &&
                                                      network_.up(*this, std::move(topic),
                                                                  std::move(payload));
                                           },
                                       .vault = &vault_};
            auto started =
                firmware::app::Device::start({.data_dir = folder_,
                                              .vfs = scene_.vfs.name(),
                                              .identity = {.device = spec_.id,
                                                           .site = spec_.site,
                                                           .topic_root = spec_.topic_root,
                                                           .site_authority = spec_.site_authority,
                                                           .key = spec_.key,
                                                           .kind = spec_.kind,
                                                           .firmware = "sim-1",
                                                           .boot = boot},
                                              .build_time = built_at_,
                                              .lost = std::move(beginning.lost),
                                              .journal_damaged = beginning.journal_damaged},
                                             std::move(ports));
            // The keeper would set such a file aside and go on: right on a street, a defect here,
            // where nothing but the power ever harmed it.
            if (started.has_error() && started.error() == journal::Fault::damaged && !disk_.dead())
                throw Violation("the device's files survive a power cut",
                                std::string{journal::to_text(started.error())}, {name()});
            return started;
        };
    return {{.clock = *this, .barrier = has_barrier() ? this : nullptr, .cue = *this},
            start,
            {.started = [this] { began(); },
             .ended =
                 [this] {
                     ++run_;
                     if (!disk_.dead()) scene_.coverage.count("device", "ended by its keeper");
                     network_.lost(*this);
                 },
             .notice =
                 [this](const firmware::app::Notice& notice) { scene_.say(name(), notice.text); }}};
}

/// A device runs: of a new process, or the keeper started another.
void Machine::began() {
    ++run_;
    heard_at_.reset();
    if (disk_.dead()) return;
    scene_.say(name(), fmt::format("runs, its clock says {}", to_rfc3339(wall())));
    watcher_.started(*this);
    network_.want(*this);
}

void Machine::start() {
    starting_ = false;
    if (switched_off_) return;
    booted_at_ = scene_.agenda.now();
    scene_.vfs.set_wall_ms(to_ms(scene_.wall()));
    if (const auto operations = std::exchange(cut_in_start_, 0); operations != 0)
        disk_.cut_power_at(disk_.operations() + operations);
    if (std::exchange(cut_at_deletion_, false)) disk_.cut_power_at_next_remove();
    keeper_ = std::make_unique<firmware::app::Keeper>(make_keeper());
    const auto fault = keeper_->start();
    if (disk_.dead()) {
        scene_.coverage.count("crash point",
                              fmt::format("device: in {}", to_text(disk_.last_operation())));
        return die("device: in start");
    }
    if (fault) {
        if (*fault == journal::Fault::not_ours)
            throw Violation("the device's files survive a power cut",
                            std::string{journal::to_text(*fault)}, {name()});
        scene_.say(name(), fmt::format("does not start: {}", journal::to_text(*fault)));
        keeper_.reset();
        starting_ = true;
        scene_.agenda.in(start_again, [this] { start(); });
        return;
    }
    arm_timer();
}

bool Machine::call(std::string_view what, const std::function<void(firmware::app::Device&)>& f) {
    if (!running()) return false;
    return enter(what, [&](firmware::app::Keeper& keeper) { (void)keeper.call(f); });
}

void Machine::on_code(std::string_view text) {
    (void)enter("a scan", [&](firmware::app::Keeper& keeper) {
        keeper.on_code({to_bytes(text), "camera-0", {}});
    });
}

void Machine::on_document(std::string_view number) {
    (void)enter("a document", [&](firmware::app::Keeper& keeper) {
        keeper.on_document({std::string{number}, "reader-0"});
    });
}

void Machine::barrier(firmware::ports::BarrierEvent event) {
    if (running()) watcher_.at_barrier(*this, event);
    (void)enter("a barrier event",
                [&](firmware::app::Keeper& keeper) { keeper.on_barrier(event); });
}

/// Into the program. False: there is none, or it or its device did not survive this.
bool Machine::enter(std::string_view what, const std::function<void(firmware::app::Keeper&)>& f) {
    if (!keeper_) return false;
    const std::uint64_t run = run_;
    try {
        f(*keeper_);
    } catch (const Violation&) {
        throw;
    } catch (const std::exception& exception) {
        if (!disk_.dead())
            throw Violation("a device never falls over its own bug",
                            fmt::format("{} during {}", exception.what(), what), {name()});
    }
    if (disk_.dead()) {
        const auto operation = disk_.last_operation();
        scene_.say(name(), fmt::format("the power goes during {}", what));
        die(fmt::format("device: in {}", to_text(operation)));
        return false;
    }
    const bool same = running() && run == run_;
    if (running()) watcher_.called(*this);
    arm_timer();
    return same;
}

void Machine::arm_timer() {
    if (!keeper_) return;
    Millis wait = tick_at_least_every;
    if (const auto at = keeper_->wake_at())
        wait = std::clamp(*at - steady(), tick_at_most_every, wait);
    scene_.agenda.in(wait, [this, number = ++timer_] {
        if (number == timer_) enter("a tick", [](firmware::app::Keeper& k) { k.tick(); });
    });
}

// --- death ---------------------------------------------------------------------------------------

void Machine::power_cut(std::string_view point) {
    if (!keeper_) return;
    disk_.cut_power();
    die(point);
}

void Machine::die(std::string_view point) {
    if (cut_at_pulse_ && point == "device: at the pulse") cut_at_pulse_ = false;
    scene_.coverage.count("crash point", point);
    scene_.say(name(), fmt::format("loses power ({})", point));
    end_process();
    restart_later(true);
}

void Machine::end_process() {
    keeper_.reset();
    ++timer_;
    ++run_;
    heard_at_.reset();
    network_.lost(*this);
}

void Machine::switch_off() {
    switched_off_ = true;
    if (keeper_) end_process();
}

void Machine::switch_on() {
    switched_off_ = false;
    if (!starting_ && !keeper_) start();
}

void Machine::kill() {
    if (!keeper_) return;
    scene_.coverage.count("crash point", "device: kill -9");
    stop_process();
}

void Machine::stop_process() {
    scene_.say(name(), "its program is killed");
    disk_.kill_process();
    end_process();
    restart_later(false);
}

void Machine::restart_later(bool power_was_cut) {
    if (starting_) return;
    starting_ = true;
    scene_.agenda.in(Millis{rng_.between(restart_min.count(), restart_max.count())},
                     [this, power_was_cut] {
                         if (power_was_cut) disk_.power_on(rng_);
                         start();
                     });
}

void Machine::come_back_with(const std::function<tests::DiskImage(tests::DiskImage)>& change) {
    if (!keeper_) return;
    end_process();
    disk_.restore(change(disk_.image()));
    restart_later(false);
}

// --- the link ------------------------------------------------------------------------------------

Will Machine::connecting() {
    Will will;
    call("connecting", [&](firmware::app::Device& d) {
        auto next = d.next_will();
        will = {std::move(next.topic), std::move(next.payload)};
    });
    return will;
}

void Machine::link_up() {
    call("link up", [](firmware::app::Device& d) { d.on_link_up(); });
}
void Machine::link_down() {
    call("link down", [](firmware::app::Device& d) { d.on_link_down(); });
}

void Machine::heard(const std::string& topic, const Bytes& payload) {
    if (topic.ends_with("dn/chunk") && wire::decode_chunk(payload).has_error()) return;
    heard_at_ = ever_heard_at_ = scene_.agenda.now();
    if (topic.ends_with("dn/time")) time_heard_at_ = scene_.agenda.now();
}

void Machine::message(const std::string& topic, const Bytes& payload) {
    heard(topic, payload);
    firmware::cache::Cache::UsesPosition before;
    command_ = command_in(topic, payload, spec_.site_authority);
    if (command_) watcher_.commanded(*this, *command_);
    const bool survived = call(topic, [&](firmware::app::Device& d) {
        before = d.cache().uses_position();
        d.on_message(topic, payload);
        // Inside the call: a read of the cache may fail here as anywhere.
        watcher_.handled(*this, topic, payload, before);
    });
    static_cast<void>(survived);
    command_.reset();
}

// --- ports ---------------------------------------------------------------------------------------

WallTime Machine::wall() const {
    const Millis running = scene_.agenda.now() - booted_at_;
    if (battery_dead_) return wall_from_ms(running.count());
    return scene_.wall() + clock_offset_;
}

SteadyTime Machine::steady() const { return SteadyTime{scene_.agenda.now() - booted_at_}; }

void Machine::pulse(Millis) {
    if (disk_.dead()) return;  // the arm has no power either
    scene_.say(name(), "the arm opens");
    watcher_.pulsed(*this);
    if (cut_at_pulse_) {
        cut_at_pulse_ = false;
        scene_.coverage.count("crash point", "device: at the pulse");
        scene_.coverage.count("fault", to_text(Fault::power_cut_at_pulse));
        disk_.cut_power();
        return;
    }
    if (pulse_handler_) pulse_handler_();
}

void Machine::show(const firmware::ports::Display& display) {
    shown_ = display.reason;
    if (!disk_.dead()) scene_.coverage.count("reason", admission::words(display.reason).key);
}

}  // namespace pf::simulation
