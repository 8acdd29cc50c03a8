#pragma once
// States, events and actions as words, so that a row of the table reads like the rule it holds.
#include <string>

#include "firmware/lane/lane.hpp"

namespace pf::tests {

namespace lane = pf::firmware::lane;
using pf::firmware::ports::BarrierEvent;

inline SteadyTime at_ms(std::int64_t ms) { return SteadyTime{Millis{ms}}; }

inline std::string text_of(const lane::State& state) {
    if (std::holds_alternative<lane::Idle>(state)) return "idle";
    if (std::holds_alternative<lane::Faulty>(state)) return "faulty";
    if (const auto* emergency = std::get_if<lane::Emergency>(&state))
        return emergency->was_faulty ? "emergency, was faulty" : "emergency";
    const auto& open = std::get<lane::Open>(state);
    return std::string{open.by_command ? "open by command #" : "open #"} +
           std::to_string(open.grant_seq) + " " + std::to_string(open.passed) + "/" +
           std::to_string(open.granted) + " until " + std::to_string(to_ms(open.deadline)) +
           (open.pulses > open.passed + 1 ? " pulses " + std::to_string(open.pulses) : "");
}

inline std::string text_of(pf::journal::Outcome::How how) {
    using How = pf::journal::Outcome::How;
    switch (how) {
        case How::complete:
            return "complete";
        case How::timeout:
            return "timeout";
        case How::fault:
            return "fault";
        case How::unknown:
            return "unknown";
        case How::staff_undo:
            return "staff_undo";
        case How::emergency:
            return "emergency";
    }
    return "?";
}

inline std::string text_of(pf::journal::LaneAlarm::What what) {
    using What = pf::journal::LaneAlarm::What;
    switch (what) {
        case What::forced:
            return "forced";
        case What::tailgate:
            return "tailgate";
        case What::wrong_way:
            return "wrong_way";
        case What::jammed:
            return "jammed";
        case What::sensor_fault:
            return "sensor_fault";
        case What::cleared:
            return "cleared";
        case What::fire:
            return "fire";
        case What::fire_over:
            return "fire_over";
    }
    return "?";
}

inline std::string text_of(const lane::Action& action) {
    if (std::holds_alternative<lane::Pulse>(action)) return "pulse";
    if (std::holds_alternative<lane::Lock>(action)) return "lock";
    const auto& body = std::get<lane::Record>(action).body;
    if (const auto* outcome = std::get_if<pf::journal::Outcome>(&body))
        return text_of(outcome->how) + " #" + std::to_string(outcome->grant_seq) + " passed " +
               std::to_string(outcome->passed) + " returned " + std::to_string(outcome->returned);
    if (const auto* let_in = std::get_if<pf::journal::LetIn>(&body))
        return text_of(let_in->how) + " #" + std::to_string(let_in->opened_seq) + " let in " +
               std::to_string(let_in->passed);
    const auto& alarm = std::get<pf::journal::LaneAlarm>(body);
    return "alarm " + text_of(alarm.what) +
           (alarm.grant_seq ? " #" + std::to_string(*alarm.grant_seq) : std::string{});
}

/// "idle: lock; timeout #7 passed 0 returned 1"
inline std::string text_of(const lane::Step& step) {
    std::string out = text_of(step.state);
    std::string_view between = ": ";
    for (const lane::Action& action : step.actions) {
        out += std::string{between} + text_of(action);
        between = "; ";
    }
    return out;
}

}  // namespace pf::tests
