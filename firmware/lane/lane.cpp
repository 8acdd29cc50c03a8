#include "firmware/lane/lane.hpp"

namespace pf::firmware::lane {

using pf::journal::LaneAlarm;
using pf::journal::LetIn;
using pf::journal::Outcome;
using ports::BarrierEvent;
using What = LaneAlarm::What;
using How = Outcome::How;

namespace {

Record alarm(What what, const State& state) {
    const auto* open = std::get_if<Open>(&state);
    const bool grant = open != nullptr && !open->by_command;
    return {LaneAlarm{what, grant ? std::optional{open->grant_seq} : std::nullopt}};
}

Step unchanged(const State& state) { return {state, {}}; }

/// Ends a grant: one Outcome, ever. Only a wait that ran out on a working sensor gives persons
/// back. What a command opened ends in a LetIn: there is no ticket to give anything back to.
Record outcome(const Open& open, How how, const Settings& settings) {
    if (open.by_command) {
        const bool blind = how == How::timeout && !settings.senses_passage;
        return {LetIn{.opened_seq = open.grant_seq,
                      .passed = open.passed,
                      .how = blind ? How::unknown : how}};
    }
    Outcome body{.grant_seq = open.grant_seq, .passed = open.passed, .returned = 0, .how = how};
    if (how == How::timeout) {
        if (settings.senses_passage)
            body.returned = static_cast<std::uint16_t>(open.granted - open.passed);
        else
            body.how = How::unknown;  // nobody can say whether someone went through
    }
    return {body};
}

Step to_emergency(const State& state, const Settings& settings) {
    Step next{Emergency{.was_faulty = std::holds_alternative<Faulty>(state)},
              {alarm(What::fire, state)}};
    if (const auto* open = std::get_if<Open>(&state))
        next.actions.push_back(outcome(*open, How::emergency, settings));
    return next;
}

// --- one overload per state: the rows of the table
// --------------------------------------------------

Step from(const Idle& state, BarrierEvent event) {
    switch (event) {
        case BarrierEvent::passed:
        case BarrierEvent::forced:
            return {state, {alarm(What::forced, state)}};  // nobody was granted
        case BarrierEvent::tailgate:
            return {state, {alarm(What::tailgate, state)}};
        case BarrierEvent::wrong_way:
            return {state, {alarm(What::wrong_way, state)}};
        case BarrierEvent::fault:
            return {Faulty{}, {alarm(What::sensor_fault, state)}};
        case BarrierEvent::fixed:
        case BarrierEvent::fire_on:  // a rule for every state: step()
        case BarrierEvent::fire_off:
            return unchanged(state);
    }
    return unchanged(state);
}

Step from(const Open& state, BarrierEvent event, SteadyTime now, const Settings& settings) {
    switch (event) {
        case BarrierEvent::passed: {
            Open next = state;
            ++next.passed;
            if (next.passed >= next.granted)
                return {Idle{}, {outcome(next, How::complete, settings)}};
            next.deadline = now + settings.passage_wait;
            if (next.pulses > next.passed) return {next, {}};  // the next one's was given already
            // One pulse a person: the arm has locked behind the last one.
            ++next.pulses;
            return {next, {Pulse{}}};
        }
        case BarrierEvent::forced:
            return {state, {alarm(What::forced, state)}};
        case BarrierEvent::tailgate:
            return {state, {alarm(What::tailgate, state)}};
        case BarrierEvent::wrong_way:
            return {state, {alarm(What::wrong_way, state)}};
        case BarrierEvent::fault:
            return {
                Faulty{},
                {alarm(What::sensor_fault, state), outcome(state, How::fault, settings), Lock{}}};
        case BarrierEvent::fixed:
        case BarrierEvent::fire_on:
        case BarrierEvent::fire_off:
            return unchanged(state);
    }
    return unchanged(state);
}

Step from(const Faulty& state, BarrierEvent event) {
    switch (event) {
        case BarrierEvent::fixed:
            return {Idle{}, {alarm(What::cleared, state), Lock{}}};
        case BarrierEvent::forced:
            return {state, {alarm(What::forced, state)}};
        case BarrierEvent::passed:  // a faulty sensor says nothing we could believe
        case BarrierEvent::tailgate:
        case BarrierEvent::wrong_way:
        case BarrierEvent::fault:
        case BarrierEvent::fire_on:
        case BarrierEvent::fire_off:
            return unchanged(state);
    }
    return unchanged(state);
}

Step from(const Emergency& state, BarrierEvent event) {
    switch (event) {
        case BarrierEvent::fire_off: {
            const State next = state.was_faulty ? State{Faulty{}} : State{Idle{}};
            return {next, {alarm(What::fire_over, state), Lock{}}};
        }
        case BarrierEvent::fault:
            return {Emergency{.was_faulty = true}, {}};
        case BarrierEvent::fixed:
            return {Emergency{.was_faulty = false}, {}};
        case BarrierEvent::passed:  // people leave; nothing is counted
        case BarrierEvent::forced:
        case BarrierEvent::tailgate:
        case BarrierEvent::wrong_way:
        case BarrierEvent::fire_on:
            return unchanged(state);
    }
    return unchanged(state);
}

Step on_barrier(const State& state, BarrierEvent event, SteadyTime now, const Settings& settings) {
    if (event == BarrierEvent::fire_on && !std::holds_alternative<Emergency>(state))
        return to_emergency(state, settings);
    if (const auto* idle = std::get_if<Idle>(&state)) return from(*idle, event);
    if (const auto* open = std::get_if<Open>(&state)) return from(*open, event, now, settings);
    if (const auto* faulty = std::get_if<Faulty>(&state)) return from(*faulty, event);
    return from(std::get<Emergency>(state), event);
}

/// A grant in any state but Idle comes from a caller that did not ask ready(): the arm stays as it
/// is and the grant ends as unknown, so that staff look at it.
Step on_open(const State& state, Open open, SteadyTime now, const Settings& settings) {
    open.deadline = now + settings.passage_wait;
    if (std::holds_alternative<Idle>(state) && open.granted > 0) return {open, {Pulse{}}};
    const How how = std::holds_alternative<Emergency>(state) ? How::emergency : How::unknown;
    return {state, {outcome(open, how, settings)}};
}

Step on_tick(const State& state, SteadyTime now, const Settings& settings) {
    const auto* open = std::get_if<Open>(&state);
    if (open == nullptr || now < open->deadline) return unchanged(state);
    if (!settings.senses_passage && open->pulses < open->granted) {
        // Nobody reports a passage here, so the wait stands for it: the next person's turn.
        Open next = *open;
        ++next.pulses;
        next.deadline = now + settings.passage_wait;
        return {next, {Pulse{}}};
    }
    return {Idle{}, {Lock{}, outcome(*open, How::timeout, settings)}};
}

}  // namespace

Step step(const State& state, const Event& event, SteadyTime now, const Settings& settings) {
    if (const auto* granted = std::get_if<Granted>(&event))
        return on_open(state, {granted->seq, granted->persons, 0, {}, false}, now, settings);
    if (const auto* commanded = std::get_if<Commanded>(&event))
        return on_open(state, {commanded->seq, commanded->persons, 0, {}, true}, now, settings);
    if (const auto* barrier = std::get_if<BarrierEvent>(&event))
        return on_barrier(state, *barrier, now, settings);
    return on_tick(state, now, settings);
}

bool ready(const State& state) noexcept { return std::holds_alternative<Idle>(state); }

std::optional<SteadyTime> wake_at(const State& state) noexcept {
    const auto* open = std::get_if<Open>(&state);
    return open ? std::optional{open->deadline} : std::nullopt;
}

Outcome limit_return(Outcome wanted, int automatic_returns_today) noexcept {
    const bool automatic = wanted.how == How::timeout && wanted.returned > 0;
    if (automatic && automatic_returns_today >= automatic_returns_max) {
        wanted.returned = 0;
        wanted.how = How::unknown;  // staff decide
    }
    return wanted;
}

}  // namespace pf::firmware::lane
