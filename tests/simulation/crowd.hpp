#pragma once
// Visitors at the arms and staff with the handheld: what they hold up, and whether they walk.
#include <memory>
#include <vector>

#include "tests/simulation/checks.hpp"
#include "tests/simulation/machine.hpp"
#include "tests/simulation/town.hpp"

namespace pf::simulation {

class Crowd {
public:
    Crowd(Scene& scene, Town& town, Checks& checks,
          std::vector<std::unique_ptr<Machine>>& machines);

    /// Somebody holds something up somewhere. False: nothing runs.
    bool visit();
    /// The same at one device.
    void visit_at(Machine& machine);
    std::uint64_t scans() const noexcept { return scans_; }

private:
    TicketModel& pick_ticket();
    void present(Machine& machine, const TicketModel& ticket);
    std::string broken_code(const std::string& good);
    void hold_up(Machine& machine, const std::string& text);
    void show_document(Machine& machine, const std::string& number);
    void use_handheld(firmware::app::Device& device, const firmware::verify::Answer& preview);
    void walk(Machine& machine);

    Scene& scene_;
    Town& town_;
    Checks& checks_;
    std::vector<std::unique_ptr<Machine>>& machines_;
    tests::Rng rng_;
    std::vector<std::size_t> hot_;  // tickets just used: somebody tries them again elsewhere
    std::uint64_t scans_ = 0;
};

}  // namespace pf::simulation
