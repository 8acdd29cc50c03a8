#pragma once
// What every part of one run shares.
#include <map>
#include <string>
#include <vector>

#include "tests/simulation/agenda.hpp"
#include "tests/simulation/coverage.hpp"
#include "tests/simulation/timeline.hpp"
#include "tests/support/crash_vfs.hpp"
#include "tests/support/fixed_entropy.hpp"
#include "tests/support/rng.hpp"

namespace pf::simulation {

struct Scene {
    Scene(std::uint64_t with_seed, bool trace)
        : seed{with_seed}, timeline{trace}, vfs{with_seed}, rng{with_seed} {
        vfs.reseed(with_seed);
    }

    /// True time. 08:00 on a day of May at the sites when a run begins.
    WallTime wall() const { return begins_at + agenda.now().time_since_epoch(); }
    void say(std::string who, std::string text) {
        timeline.add(agenda.now(), std::move(who), std::move(text));
    }

    std::uint64_t seed;
    Agenda agenda;
    Timeline timeline;
    Coverage coverage;
    tests::CrashVfs vfs;
    tests::Rng rng;
    WallTime begins_at = wall_from_ms(1'777'593'600'000);  // 2026-05-01T00:00Z, 08:00 in China
};

}  // namespace pf::simulation
