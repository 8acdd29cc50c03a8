#pragma once
// One seed: founds the town, lets people come and things go wrong, heals everything, and judges.
#include <deque>
#include <memory>
#include <vector>

#include "tests/simulation/checks.hpp"
#include "tests/simulation/crowd.hpp"
#include "tests/simulation/fault.hpp"
#include "tests/simulation/hub.hpp"
#include "tests/simulation/machine.hpp"
#include "tests/simulation/network.hpp"

namespace pf::simulation {

struct Settings {
    std::uint64_t scans = 520;
    std::uint64_t phases = 3;  // with a night between them
    bool faults = true;
    bool demand_enough = true;  // scans and faults, as few as a seed may have
    bool trace = false;
};

class World {
public:
    World(std::uint64_t seed, const Settings& settings);

    /// Throws Violation.
    void run();

    const Coverage& coverage() const noexcept { return scene_.coverage; }
    const Timeline& timeline() const noexcept { return scene_.timeline; }
    std::string summary() const;

private:
    struct Image {
        tests::DiskImage files;
        DeviceTruth truth;
    };
    struct Envelope {
        std::string topic;
        Bytes payload;
    };

    void found_town();
    void day(std::uint64_t scans);
    void night();
    void heal();
    void settle();
    void replay();
    void take_images();
    void work_at_the_server();

    // faults.cpp
    void closed_season();
    void demand_answers();
    void demand_enough();
    struct Planned {
        Fault fault;
        const tests::CrashDisk* disk;
        std::uint64_t operation;  // 0: the disk is to be full
        std::uint64_t full_before;
    };
    void plan(Fault fault, const tests::CrashDisk& disk, std::uint64_t operation);
    void count_planned();
    void command_all(wire::CommandKind kind);
    bool revoke_one();
    void lose_cache(Machine& machine);
    /// False: not possible now, try again.
    bool strike(Fault fault);
    bool strike_network(Fault fault);
    bool strike_device(Fault fault);
    bool strike_files(Fault fault);
    bool strike_server(Fault fault);
    /// In a start that has to make a file.
    void cut_in_first_start(Machine& machine);
    void strike_next();
    Machine* any_running(bool with_barrier);
    void weather_for_a_while(Weather weather);

    void count_damage(const tests::DiskDamage& damage);
    void run_until(SteadyTime until);
    Day today() const { return Calendar{}.day_of(scene_.wall()); }

    Settings settings_;
    Scene scene_;
    Town town_;
    Checks checks_;
    Hub hub_;
    Network network_;
    std::vector<std::unique_ptr<Machine>> machines_;
    std::unique_ptr<Crowd> crowd_;
    tests::Rng rng_;
    std::deque<Fault> deck_;
    std::map<std::string, std::deque<Image>> images_;
    std::deque<tests::DiskImage> server_images_;
    std::deque<Envelope> batches_;
    std::vector<Planned> planned_;
    tests::DiskImage before_season_;
    std::uint64_t struck_ = 0;
};

}  // namespace pf::simulation
