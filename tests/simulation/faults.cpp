// How each fault is dealt.
#include <fmt/format.h>

#include "tests/simulation/world.hpp"

namespace pf::simulation {
namespace {

using firmware::ports::BarrierEvent;

constexpr std::uint64_t operations_ahead_max = 14;
// A start on sound files does some ten operations, one that has to make a file some forty.
constexpr std::int64_t operations_in_start_max = 12;
constexpr std::int64_t operations_in_first_start_max = 45;
constexpr std::int64_t operations_for_deletions = 6;  // one or two are, and a number seldom hits
constexpr std::int64_t operations_to_begin_generation = 5;

bool is_of(std::string_view file, std::string_view base) {
    return file.find(base) != std::string_view::npos;
}

}  // namespace

Machine* World::any_running(bool with_barrier) {
    std::vector<Machine*> fit;
    for (auto& machine : machines_)
        if (machine->running() && (!with_barrier || machine->has_barrier()))
            fit.push_back(machine.get());
    return fit.empty() ? nullptr : rng_.pick(fit);
}

/// An operation of a disk that is to fail or be the last one: whether it came is seen later.
void World::plan(Fault fault, const tests::CrashDisk& disk, std::uint64_t operation) {
    planned_.push_back({fault, &disk, operation, disk.full_answers()});
}

void World::count_planned() {
    for (const Planned& plan : std::exchange(planned_, {})) {
        const bool came = plan.operation > 0 ? plan.disk->operations() >= plan.operation
                                             : plan.disk->full_answers() > plan.full_before;
        if (came) scene_.coverage.count("fault", to_text(plan.fault));
    }
}

void World::strike_next() {
    const Fault fault = deck_.front();
    if (!strike(fault)) {
        deck_.push_back(fault);
        deck_.pop_front();
        return;
    }
    deck_.pop_front();
    ++struck_;
}

bool World::strike(Fault fault) {
    switch (fault) {
        case Fault::loss:
        case Fault::duplication:
        case Fault::reordering:
        case Fault::tampering:
        case Fault::partition:
        case Fault::broker_restart:
        case Fault::night:
            return strike_network(fault);
        case Fault::power_cut:
        case Fault::power_cut_in_disk_operation:
        case Fault::power_cut_at_pulse:
        case Fault::kill:
        case Fault::clock_step:
        case Fault::boot_at_1970:
        case Fault::sensor_fault:
        case Fault::fire:
            return strike_device(fault);
        case Fault::disk_full:
        case Fault::disk_hiccup:
        case Fault::files_rolled_back:
        case Fault::journal_rolled_back:
        case Fault::cache_lost:
            return strike_files(fault);
        case Fault::server_power_cut:
        case Fault::server_power_cut_in_disk_operation:
        case Fault::server_kill:
        case Fault::server_stop:
        case Fault::server_crash_after_commit:
        case Fault::server_disk_hiccup:
        case Fault::server_disk_full:
        case Fault::server_clock_step:
        case Fault::server_restored:
        case Fault::server_restored_silently:
            return strike_server(fault);
        case Fault::device_revoked:
            return revoke_one();
        case Fault::closed_season:
            return true;  // between two phases
    }
    return true;
}

// --- the network ---------------------------------------------------------------------------------

void World::weather_for_a_while(Weather weather) {
    network_.set_weather(weather);
    scene_.agenda.in(Millis{rng_.between(15'000, 50'000)}, [this] { network_.set_weather({}); });
}

/// Twice while the weather lasts: an "open" that lives as long as some messages are held back, a
/// "resend" of what is confirmed least.
void World::command_all(wire::CommandKind kind) {
    for (const Millis wait : {Millis{2'000}, Millis{9'000}}) {
        scene_.agenda.in(wait, [this, kind] {
            for (auto& machine : machines_) {
                const auto& files = checks_.truth(*machine).file;
                const std::uint64_t end = files.empty() ? 0 : files.back().events.size();
                const auto said =
                    send_command(town_, hub_, rng_, scene_.agenda.now(), machine->spec().id, end,
                                 {.kind = kind,
                                  .span = Millis{kind == wire::CommandKind::open ? 3'000 : 30'000},
                                  .from_seq = end});
                if (said) scene_.say("server", *said);
            }
        });
    }
}

bool World::strike_network(Fault fault) {
    scene_.say("world", fmt::format("fault: {}", to_text(fault)));
    if (fault == Fault::loss)
        weather_for_a_while({.loss = 300, .duplication = 30, .reordering = 50});
    if (fault == Fault::duplication)
        weather_for_a_while({.loss = 20, .duplication = 400, .reordering = 100});
    if (fault == Fault::reordering)
        weather_for_a_while({.loss = 20, .duplication = 50, .reordering = 500});
    if (fault == Fault::reordering) command_all(wire::CommandKind::open);
    if (fault == Fault::loss) command_all(wire::CommandKind::resend);
    if (fault == Fault::tampering) weather_for_a_while({.tampering = 600});
    if (fault == Fault::partition) {
        Machine* const one = any_running(false);
        if (one == nullptr) return false;
        scene_.coverage.count("fault", to_text(fault));
        network_.set_partitioned(*one, true);
        scene_.agenda.in(Millis{rng_.between(3'000, 80'000)},
                         [this, one] { network_.set_partitioned(*one, false); });
    }
    if (fault == Fault::broker_restart) {
        scene_.coverage.count("fault", to_text(fault));
        network_.stop();
        scene_.agenda.in(Millis{rng_.between(500, 12'000)}, [this] { network_.start(); });
    }
    return true;
}

// --- devices -------------------------------------------------------------------------------------

bool World::strike_device(Fault fault) {
    const bool at_the_arm =
        fault == Fault::power_cut_at_pulse || fault == Fault::sensor_fault || fault == Fault::fire;
    Machine* const one = any_running(at_the_arm);
    if (one == nullptr) return false;
    scene_.say("world", fmt::format("fault: {} of {}", to_text(fault), one->name()));
    if (fault != Fault::power_cut_at_pulse && fault != Fault::power_cut_in_disk_operation)
        scene_.coverage.count("fault", to_text(fault));
    const auto barrier = [this](Machine* machine, BarrierEvent event, Millis in) {
        scene_.agenda.in(in, [machine, event] { machine->barrier(event); });
    };
    if (fault == Fault::power_cut) {
        if (rng_.percent(50))
            one->power_cut_in_next_start(
                static_cast<std::uint64_t>(rng_.between(1, operations_in_start_max)));
        one->power_cut("device: between calls");
    }
    if (fault == Fault::power_cut_in_disk_operation) {
        const auto at = one->disk().operations() + 1 + rng_.below(operations_ahead_max);
        one->disk().cut_power_at(at);
        plan(fault, one->disk(), at);
    }
    if (fault == Fault::power_cut_at_pulse) one->power_cut_at_next_pulse();
    if (fault == Fault::kill) one->kill();
    if (fault == Fault::clock_step) {
        const Millis by{rng_.between(3'000, rng_.chance(1, 2) ? 600'000 : 2 * 86'400'000)};
        one->step_clock(rng_.chance(1, 2) ? by : -by);
        // A step that only a restart meets finds no steady clock that contradicts it.
        if (rng_.chance(1, 2)) one->power_cut("device: between calls");
    }
    if (fault == Fault::boot_at_1970) {
        one->empty_battery();
        one->power_cut("device: between calls");
        // Without uplink nobody tells it the time.
        network_.set_partitioned(*one, true);
        scene_.agenda.in(Millis{rng_.between(10'000, 60'000)},
                         [this, one] { network_.set_partitioned(*one, false); });
        scene_.agenda.in(Millis{rng_.between(50'000, 400'000)}, [one] { one->set_clock_right(); });
    }
    if (fault == Fault::sensor_fault) {
        barrier(one, BarrierEvent::fault, Millis{0});
        barrier(one, BarrierEvent::fixed, Millis{rng_.between(8'000, 30'000)});
    }
    if (fault == Fault::fire) {
        for (auto& machine : machines_) {
            if (!machine->has_barrier()) continue;
            barrier(machine.get(), BarrierEvent::fire_on, Millis{0});
            barrier(machine.get(), BarrierEvent::fire_off, Millis{15'000});
        }
    }
    return true;
}

void World::cut_in_first_start(Machine& machine) {
    const std::int64_t operations = rng_.between(1, operations_in_first_start_max);
    if (operations <= operations_for_deletions)
        machine.power_cut_when_it_deletes_a_file();
    else
        machine.power_cut_in_next_start(static_cast<std::uint64_t>(operations));
}

void World::lose_cache(Machine& machine) {
    scene_.say("world", fmt::format("{} loses its cache", machine.name()));
    scene_.coverage.count("fault", to_text(Fault::cache_lost));
    checks_.cache_lost(machine);
    if (rng_.percent(60)) cut_in_first_start(machine);
    machine.come_back_with([](tests::DiskImage now) {
        std::erase_if(now, [](const auto& file) { return is_of(file.first, "cache"); });
        return now;
    });
}

bool World::strike_files(Fault fault) {
    Machine* const one = any_running(false);
    if (one == nullptr) return false;
    auto& images = images_[one->name()];
    const bool goes_back = fault == Fault::files_rolled_back || fault == Fault::journal_rolled_back;
    if (goes_back && images.size() < 2) return false;
    scene_.say("world", fmt::format("fault: {} of {}", to_text(fault), one->name()));
    tests::CrashDisk& disk = one->disk();
    const bool seen_later =
        fault == Fault::disk_full || fault == Fault::disk_hiccup || fault == Fault::cache_lost;
    if (!seen_later) scene_.coverage.count("fault", to_text(fault));
    if (fault == Fault::disk_full) {
        plan(fault, disk, 0);
        disk.set_capacity_bytes(disk.bytes_used() + rng_.below(6'000));
        scene_.agenda.in(Millis{rng_.between(10'000, 50'000)},
                         [&disk] { disk.set_capacity_bytes(UINT64_MAX); });
    }
    if (fault == Fault::disk_hiccup) {
        const auto at = disk.operations() + 1 + rng_.below(operations_ahead_max);
        disk.fail_at(at);
        plan(fault, disk, at);
    }
    if (fault == Fault::cache_lost) {
        // Just after a command was carried out: the journal alone remembers it.
        const auto said =
            one->has_barrier()
                ? send_command(town_, hub_, rng_, scene_.agenda.now(), one->spec().id, 0,
                               {.kind = wire::CommandKind::open, .span = Millis{60'000}})
                : std::nullopt;
        if (said) scene_.say("server", *said);
        scene_.agenda.in(Millis{said ? rng_.between(100, 1'500) : 0}, [this, one] {
            if (one->running()) lose_cache(*one);
        });
    }
    if (!goes_back) return true;
    const Image& old = images[rng_.below(images.size())];
    const bool cache_too = fault == Fault::files_rolled_back;
    checks_.files_rolled_back(*one, old.truth, cache_too);
    one->come_back_with([&](const tests::DiskImage& now) {
        if (cache_too) return old.files;
        tests::DiskImage mixed;
        for (const auto& [name, bytes] : now)
            if (!is_of(name, "events.db")) mixed[name] = bytes;
        for (const auto& [name, bytes] : old.files)
            if (is_of(name, "events.db")) mixed[name] = bytes;
        return mixed;
    });
    // What lies ahead of an image taken earlier is another life by now.
    images.clear();
    return true;
}

// --- the server ----------------------------------------------------------------------------------

bool World::strike_server(Fault fault) {
    if (!hub_.running()) return false;
    const bool restore =
        fault == Fault::server_restored || fault == Fault::server_restored_silently;
    if (restore && server_images_.size() < 2) return false;
    scene_.say("world", fmt::format("fault: {}", to_text(fault)));
    const bool seen_later = fault == Fault::server_crash_after_commit ||
                            fault == Fault::server_power_cut_in_disk_operation ||
                            fault == Fault::server_disk_hiccup || fault == Fault::server_disk_full;
    if (!seen_later) scene_.coverage.count("fault", to_text(fault));
    hub_.set_broker_is_managed(rng_.percent(60));
    tests::CrashDisk& disk = hub_.disk();
    const auto operation = disk.operations() + 1 + rng_.below(operations_ahead_max);
    if (fault == Fault::server_power_cut) {
        if (rng_.percent(50))
            hub_.power_cut_in_next_start(
                static_cast<std::uint64_t>(rng_.between(1, operations_in_start_max)));
        hub_.power_cut("server: between calls");
    }
    if (fault == Fault::server_power_cut_in_disk_operation) {
        disk.cut_power_at(operation);
        plan(fault, disk, operation);
    }
    if (fault == Fault::server_kill) hub_.kill();
    if (fault == Fault::server_stop) hub_.stop_and_start(rng_.percent(60));
    if (fault == Fault::server_crash_after_commit) hub_.crash_after_next_commit();
    if (fault == Fault::server_disk_hiccup) {
        disk.fail_at(operation);
        plan(fault, disk, operation);
    }
    if (fault == Fault::server_disk_full) {
        disk.set_capacity_bytes(disk.bytes_used() + rng_.below(20'000));
        plan(fault, disk, 0);
        scene_.agenda.in(Millis{rng_.between(10'000, 50'000)},
                         [&disk] { disk.set_capacity_bytes(UINT64_MAX); });
    }
    if (fault == Fault::server_clock_step) {
        const Millis by{rng_.between(3'000, rng_.chance(1, 2) ? 60'000 : 1'800'000)};
        hub_.step_clock(rng_.chance(1, 2) ? by : -by);
    }
    if (fault == Fault::server_restored && rng_.percent(50))
        hub_.power_cut_in_next_start(
            static_cast<std::uint64_t>(rng_.between(1, operations_to_begin_generation)));
    if (restore) {
        hub_.restore(server_images_[rng_.below(server_images_.size())],
                     fault == Fault::server_restored);
        server_images_.clear();
    }
    return true;
}

/// Stolen, and known to be: whoever holds it goes on scanning with it.
bool World::revoke_one() {
    Machine& one = *machines_.back();
    checks_.may_be_revoked(one.name());
    if (!checks_.is_revoked(one.name())) {
        if (!one.running() || !revoke_device(hub_, one.spec().id)) return false;
        checks_.revoked(one.name());
    }
    scene_.coverage.count("fault", to_text(Fault::device_revoked));
    scene_.say("world", fmt::format("fault: {} is revoked", one.name()));
    return true;
}

}  // namespace pf::simulation
