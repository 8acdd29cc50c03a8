#pragma once
// One walkway as a pure function: step(state, event, now) -> state and actions. Tripod and wing are
// two tables.
#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "common/base/time.hpp"
#include "common/journal/event.hpp"
#include "firmware/ports/barrier.hpp"

namespace pf::firmware::lane {

struct Settings {
    Millis pulse{200};
    Millis passage_wait{5'000};
    bool senses_passage = true;
};

// --- states ---
struct Idle {
    friend bool operator==(const Idle&, const Idle&) = default;
};
/// Unlocked for somebody: more may pass before `deadline`, which starts anew with each pulse.
struct Open {
    std::uint64_t grant_seq = 0;
    std::uint16_t granted = 0;
    std::uint16_t passed = 0;
    SteadyTime deadline;
    bool by_command = false;   // grant_seq is an Opened event's: nobody's ticket is counted
    std::uint16_t pulses = 1;  // given so far: one a person
    friend bool operator==(const Open&, const Open&) = default;
};
struct Faulty {
    friend bool operator==(const Faulty&, const Faulty&) = default;
};
/// Fire relay on: everything is open, nothing is counted, nothing is refused (invariant 9).
struct Emergency {
    bool was_faulty = false;
    friend bool operator==(const Emergency&, const Emergency&) = default;
};
using State = std::variant<Idle, Open, Faulty, Emergency>;

// --- events ---
/// The grant is on disk already (invariant 1).
struct Granted {
    std::uint64_t seq = 0;
    std::uint16_t persons = 1;
};
/// A command opens for people without a ticket; that is on disk already too.
struct Commanded {
    std::uint64_t seq = 0;
    std::uint16_t persons = 1;
};
struct Tick {};
using Event = std::variant<Granted, Commanded, ports::BarrierEvent, Tick>;

// --- actions, in the order they must happen ---
struct Pulse {
    friend bool operator==(const Pulse&, const Pulse&) = default;
};
struct Lock {
    friend bool operator==(const Lock&, const Lock&) = default;
};
struct Record {
    pf::journal::Body body;  // Outcome, LetIn or LaneAlarm
    friend bool operator==(const Record&, const Record&) = default;
};
using Action = std::variant<Pulse, Lock, Record>;

struct Step {
    State state;
    std::vector<Action> actions;
};

/// Total: every pair has an answer; one that changes nothing returns the state and no action.
Step step(const State& state, const Event& event, SteadyTime now, const Settings& settings);

/// May a new scan be decided now? While open: no (a second scan must not open twice).
bool ready(const State& state) noexcept;
/// When step() wants a Tick; nothing: not at all.
std::optional<SteadyTime> wake_at(const State& state) noexcept;

/// Somebody who steps back again and again from an open arm, while others walk in beside it, must
/// not do so for ever: beyond this many automatic returns of a ticket and day nothing returns by
/// itself.
inline constexpr int automatic_returns_max = 2;

/// The outcome to write, given how often this ticket was given back today. Called inside the
/// journal's transaction, where that number is known.
pf::journal::Outcome limit_return(pf::journal::Outcome wanted,
                                  int automatic_returns_today) noexcept;

}  // namespace pf::firmware::lane
