#pragma once
// A keeper with its device, on a disk that can die.
#include <functional>

#include "firmware/app/keeper.hpp"
#include "tests/unit/firmware/app/bench.hpp"

namespace pf::tests {

using admission::Reason;
using firmware::app::Keeper;
using firmware::app::Notice;

struct Kept {
    explicit Kept(wire::DeviceKind kind = wire::DeviceKind::gate) : bench{kind} {
        REQUIRE_FALSE(keeper.start().has_value());
    }
    /// A program that ran before and ended; `meanwhile` something happened to its disk.
    explicit Kept(const std::function<void(Bench&)>& meanwhile) : bench{wire::DeviceKind::gate} {
        bench.start().reset();
        meanwhile(bench);
        REQUIRE_FALSE(keeper.start().has_value());
    }
    Device& device() {
        REQUIRE(keeper.device() != nullptr);
        return *keeper.device();
    }
    /// The handles of the program's files answer with errors from here on.
    void kill_files() { bench.disk.kill_process(); }
    void pass(Millis span) {
        bench.clock.pass(span);
        keeper.tick();
    }
    Reason shown() const {
        REQUIRE_FALSE(bench.cue.shown.empty());
        return bench.cue.shown.back().reason;
    }
    std::vector<pf::journal::Finding> findings() {
        return bench.events<pf::journal::Finding>(device());
    }

    Bench bench;
    int starts = 0, ended = 0;
    std::vector<std::string> said;
    Keeper keeper{{bench.clock, &bench.barrier, bench.cue},
                  [this](Keeper::Beginning beginning) {
                      return bench.try_start(std::move(beginning.lost), beginning.journal_damaged);
                  },
                  {.started = [this] { ++starts; },
                   .ended = [this] { ++ended; },
                   .notice =
                       [this](const Notice& notice) {
                           if (notice.what == Notice::What::storage) said.push_back(notice.text);
                       }}};
};

}  // namespace pf::tests
