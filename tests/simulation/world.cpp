#include "tests/simulation/world.hpp"

#include <fmt/format.h>

#include "sync-server/fleet/fleet.hpp"

namespace pf::simulation {
namespace {

constexpr Millis between_scans_max{2'600};
constexpr Millis between_faults_min{4'000};
constexpr Millis between_faults_max{32'000};
constexpr Millis between_acts_max{30'000};
constexpr Millis between_images{25'000};
constexpr Millis morning_offline{40'000};
constexpr Millis heal_within{45LL * 60 * 1000};
constexpr std::size_t images_max = 4;
constexpr std::size_t batches_max = 120;
constexpr std::uint64_t scans_min = 500;
constexpr std::uint64_t fault_kinds_min = 20;
constexpr std::int64_t operations_in_server_birth_max = 60;
constexpr std::uint64_t cut_in_create_in_seeds = 7;
constexpr std::uint64_t season_in_seeds = 4;  // every fourth seed has a closed season

}  // namespace

World::World(std::uint64_t seed, const Settings& settings)
    : settings_{settings},
      scene_{seed, settings.trace},
      checks_{scene_, town_},
      hub_{scene_, checks_},
      network_{scene_,
               [this](const std::string& topic, const Bytes& payload) {
                   if (topic.ends_with("up/events")) {
                       batches_.push_back({topic, payload});
                       if (batches_.size() > batches_max) batches_.pop_front();
                   }
                   hub_.message(topic, payload);
               }},
      rng_{scene_.rng.fork(50)} {
    checks_.attach(hub_);
}

void World::run_until(SteadyTime until) {
    while (scene_.agenda.run_next(until)) {}
}

void World::run() {
    found_town();
    for (std::uint64_t phase = 0; phase < settings_.phases; ++phase) {
        if (phase > 0) night();
        if (phase + 1 == settings_.phases && phase > 0 && scene_.seed % season_in_seeds == 0)
            closed_season();
        day(settings_.scans / settings_.phases + 1);
    }
    heal();
    settle();
    checks_.check_end(machines_);
    demand_answers();
    replay();
    demand_enough();
    for (auto& machine : machines_) count_damage(machine->disk().damage());
    count_damage(hub_.disk().damage());
}

void World::count_damage(const tests::DiskDamage& damage) {
    auto& coverage = scene_.coverage;
    coverage.count("disk", "kept", damage.kept);
    coverage.count("disk", "dropped", damage.dropped);
    coverage.count("disk", "torn", damage.torn);
    coverage.count("disk", "cut_short", damage.cut_short);
    coverage.count("disk", "zero_filled", damage.zero_filled);
    coverage.count("disk", "reordered", damage.reordered);
    coverage.count("disk", "entries_lost", damage.entries_lost);
}

void World::found_town() {
    // Whoever installs it plugs and unplugs.
    if (settings_.faults && rng_.percent(50))
        hub_.power_cut_in_next_start(
            static_cast<std::uint64_t>(rng_.between(1, operations_in_server_birth_max)));
    // Most operations of a first start write, so some seeds aim at one that makes a file.
    if (settings_.faults && scene_.seed % cut_in_create_in_seeds == cut_in_create_in_seeds - 1)
        hub_.power_cut_in_next_start(1 + scene_.seed % 2);
    hub_.start();
    while (!hub_.running()) run_until(scene_.agenda.now() + Millis{1'000});
    hub_.disk().cut_power_at(0);
    auto specs = found(town_, hub_, scene_);
    hub_.attach(network_);
    for (auto& spec : specs)
        machines_.push_back(std::make_unique<Machine>(scene_, network_, checks_, std::move(spec)));
    crowd_ = std::make_unique<Crowd>(scene_, town_, checks_, machines_);
    for (auto& machine : machines_) {
        // Whoever mounts it plugs and unplugs.
        if (settings_.faults && rng_.percent(50)) cut_in_first_start(*machine);
        machine->start();
        crowd_->visit_at(*machine);  // before it knows what it stands for
    }
    scene_.say("world", fmt::format("{} tickets are sold", town_.tickets.size()));
    if (settings_.faults) {
        for (const Fault fault : all_faults)
            if (fault != Fault::night && fault != Fault::closed_season) deck_.push_back(fault);
        rng_.shuffle(deck_);
    }
    run_until(scene_.agenda.now() + Millis{10'000});
}

void World::day(std::uint64_t scans) {
    const std::uint64_t until = crowd_->scans() + scans;
    const std::size_t faults_left = deck_.size() * (settings_.phases - 1) / settings_.phases;
    const std::size_t keep = struck_ == 0 ? faults_left : struck_ < 12 ? deck_.size() / 2 : 0;
    SteadyTime scan_at = scene_.agenda.now();
    SteadyTime fault_at = scan_at + Millis{rng_.between(3'000, 10'000)};
    SteadyTime act_at = scan_at + Millis{rng_.between(1, between_acts_max.count())};
    SteadyTime image_at = scan_at;
    while (crowd_->scans() < until || deck_.size() > keep) {
        const SteadyTime next = std::min({scan_at, fault_at, act_at, image_at});
        run_until(next);
        const SteadyTime now = scene_.agenda.now();
        if (now >= scan_at) {
            (void)crowd_->visit();
            scan_at = now + Millis{rng_.between(100, between_scans_max.count())};
        }
        if (now >= act_at) {
            work_at_the_server();
            act_at = now + Millis{rng_.between(3'000, between_acts_max.count())};
        }
        if (now >= image_at) {
            take_images();
            image_at = now + between_images;
        }
        if (now >= fault_at) {
            if (deck_.size() > keep) strike_next();
            fault_at =
                now + Millis{rng_.between(between_faults_min.count(), between_faults_max.count())};
        }
    }
}

/// Hours without uplink; in the morning people come before it is back.
void World::night() {
    if (!settings_.faults) return;
    scene_.say("world", "night: the uplink is gone for hours");
    scene_.coverage.count("fault", to_text(Fault::night));
    network_.stop();
    hub_.set_broker_is_managed(false);
    run_until(scene_.agenda.now() + std::chrono::minutes{rng_.between(7 * 60, 9 * 60)});
    scene_.say("world", "morning, still without uplink");
    const SteadyTime until = scene_.agenda.now() + morning_offline;
    while (scene_.agenda.now() < until) {
        run_until(scene_.agenda.now() + Millis{rng_.between(300, 3'000)});
        (void)crowd_->visit();
    }
    network_.start();
}

/// Everything is off for weeks. When it opens the devices let go of what is old, and then the
/// server is lost and comes back from a copy of before: what both have lost is lost, and said
/// (Begins).
void World::closed_season() {
    if (!settings_.faults || !hub_.running()) return;
    run_until(scene_.agenda.now() + Millis{30'000});
    scene_.say("world", "the season is over: everything is switched off");
    scene_.coverage.count("fault", to_text(Fault::closed_season));
    network_.set_weather({});
    for (auto& machine : machines_) {
        network_.set_partitioned(*machine, false);
        machine->switch_off();
    }
    batches_.clear();
    images_.clear();
    server_images_.clear();
    hub_.stop_and_start(false);
    scene_.begins_at += std::chrono::days{rng_.between(31, 40)};
    run_until(scene_.agenda.now() + Millis{20'000});
    scene_.say("world", "the season begins");
    network_.start();
    for (auto& machine : machines_) machine->switch_on();
    // Twice what a device waits before it tidies, so that all of it is gone.
    run_until(scene_.agenda.now() + firmware::app::Device::tidy_every_ms * 2);
    if (hub_.running() && !before_season_.empty()) hub_.restore(before_season_, rng_.percent(50));
    run_until(scene_.agenda.now() + Millis{60'000});
    for (int i = 0; i < 30; ++i) (void)issue_ticket(town_, hub_, rng_, today());
    run_until(scene_.agenda.now() + Millis{60'000});
}

void World::take_images() {
    for (auto& machine : machines_) {
        if (!machine->running()) continue;
        auto& images = images_[machine->name()];
        images.push_back({machine->disk().image(), checks_.truth(*machine)});
        if (images.size() > images_max) images.pop_front();
    }
    if (!hub_.running()) return;
    server_images_.push_back(hub_.disk().image());
    if (before_season_.empty() && server_images_.size() == images_max)
        before_season_ = server_images_.back();
    if (server_images_.size() > images_max) server_images_.pop_front();
}

void World::work_at_the_server() {
    std::optional<std::string> said;
    const std::uint64_t roll = rng_.below(100);
    if (roll < 22) {
        said = issue_ticket(town_, hub_, rng_, today());
    } else if (roll < 27) {
        said = issue_two_on_one_document(town_, hub_, rng_, today());
    } else if (roll < 40) {
        said = revoke_ticket(town_, hub_, rng_);
    } else if (roll < 53) {
        said = reissue_ticket(town_, hub_, rng_);
    } else if (roll < 60) {
        said = add_product(town_, hub_, rng_, today());
    } else if (roll < 65) {
        said = rotate_keys(town_, hub_, rng_);
    } else {
        const Machine& machine = *rng_.pick(machines_);
        const auto& files = checks_.truth(machine).file;
        said = send_command(town_, hub_, rng_, scene_.agenda.now(), machine.spec().id,
                            files.empty() ? 0 : files.back().events.size());
    }
    if (said) scene_.say("server", *said);
}

void World::heal() {
    scene_.say("world", "everything is healed");
    network_.set_weather({});
    for (auto& machine : machines_) {
        network_.set_partitioned(*machine, false);
        machine->disk().cut_power_at(0);
        machine->power_cut_in_next_start(0);
        machine->power_cut_at_next_pulse(false);
        machine->disk().fail_at(0);
        machine->disk().set_capacity_bytes(UINT64_MAX);
        machine->set_clock_right();
    }
    count_planned();
    hub_.step_clock(-hub_.clock_offset());
    hub_.disk().cut_power_at(0);
    hub_.power_cut_in_next_start(0);
    hub_.crash_after_next_commit(false);
    hub_.disk().fail_at(0);
    hub_.disk().set_capacity_bytes(UINT64_MAX);
    hub_.set_broker_is_managed(true);
    network_.start();
    run_until(scene_.agenda.now() + Millis{60'000});
    // One more cut for everybody: what was promised and not yet seen again must be there.
    for (auto& machine : machines_) machine->power_cut("device: between calls");
    hub_.power_cut("server: between calls");
    run_until(scene_.agenda.now() + Millis{60'000});
    network_.reconnect_all();
}

void World::settle() {
    const SteadyTime until = scene_.agenda.now() + heal_within;
    std::optional<Unsettled> why;
    do {
        run_until(scene_.agenda.now() + Millis{30'000});
        why = checks_.unsettled(machines_);
    } while (why && scene_.agenda.now() < until);
    if (why) throw Violation("liveness: after healing all agree", why->what, why->about);
    scene_.say("world", "all agree");
}

/// Everybody can be reached, so a command is done and answered.
void World::demand_answers() {
    std::vector<std::pair<Machine*, std::array<Byte, 16>>> asked;
    for (auto& machine : machines_) {
        if (checks_.is_revoked(machine->name())) continue;
        const auto id = ask_device(hub_, machine->spec());
        if (!id) throw Violation("liveness: commands", "can't be sent", {machine->name()});
        asked.emplace_back(machine.get(), *id);
    }
    run_until(scene_.agenda.now() + Millis{20'000});
    for (const auto& [machine, id] : asked) {
        hub_.demand_read([&](server::Repositories& r, const server::Call&) {
            const auto record = server::fleet::command(r, id);
            if (record && record->state == wire::CommandState::done) return;
            throw Violation(
                "liveness: commands",
                fmt::format("{} was asked and answered {} ({})", machine->name(),
                            record && record->state ? static_cast<int>(*record->state) : 0,
                            record ? record->detail : "unknown"),
                {machine->name(), to_hex(id).substr(0, 6)});
        });
    }
}

/// A seed that met little proves little.
void World::demand_enough() {
    if (!settings_.faults || !settings_.demand_enough) return;
    std::uint64_t kinds = 0;
    for (const Fault fault : all_faults)
        if (scene_.coverage.of("fault", to_text(fault)) > 0) ++kinds;
    if (crowd_->scans() < scans_min || kinds < fault_kinds_min)
        throw Violation("a seed meets enough",
                        fmt::format("{} scans of {}, {} kinds of faults of {}", crowd_->scans(),
                                    scans_min, kinds, fault_kinds_min),
                        {});
}

/// Old batches once more: nothing may change (invariant 3).
void World::replay() {
    const auto batches = batches_;
    for (const Envelope& old : batches) hub_.message(old.topic, old.payload);
    hub_.demand_read(
        [&](server::Repositories& r, const server::Call&) { checks_.check_server(r); });
    if (const auto why = checks_.unsettled(machines_))
        throw Violation("invariant 3: once is once", "after old batches came again " + why->what,
                        why->about);
}

std::string World::summary() const {
    return fmt::format(
        "{} scans, {} admissions, {} faults, {} tickets, {} over-admissions found, {} forked "
        "events, {} h virtual",
        crowd_->scans(), checks_.admissions(), struck_, town_.tickets.size(),
        checks_.over_admissions(), checks_.forks(),
        std::chrono::duration_cast<std::chrono::hours>(scene_.agenda.now().time_since_epoch())
            .count());
}

}  // namespace pf::simulation
