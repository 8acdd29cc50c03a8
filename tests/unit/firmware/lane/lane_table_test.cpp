// The whole table: every state with every event.
#include <doctest/doctest.h>

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/unit/firmware/lane/words.hpp"

namespace {

using namespace pf;
using namespace pf::tests;
using lane::Event;
using lane::State;

constexpr lane::Settings sensing{
    .pulse = Millis{200}, .passage_wait = Millis{5'000}, .senses_passage = true};
constexpr lane::Settings blind{
    .pulse = Millis{200}, .passage_wait = Millis{5'000}, .senses_passage = false};

const SteadyTime now = at_ms(10'000);
const State idle = lane::Idle{};
const State faulty = lane::Faulty{};
const State fire = lane::Emergency{.was_faulty = false};
const State fire_faulty = lane::Emergency{.was_faulty = true};
const State two_left = lane::Open{7, 2, 0, at_ms(12'000)};
const State one_left = lane::Open{7, 2, 1, at_ms(12'000), false, 2};
const State run_out = lane::Open{7, 3, 1, at_ms(10'000), false, 2};  // the deadline is now

const State commanded = lane::Open{8, 2, 0, at_ms(12'000), true};
const State commanded_one_left = lane::Open{8, 2, 1, at_ms(12'000), true, 2};
const State commanded_run_out = lane::Open{8, 2, 1, at_ms(10'000), true, 2};

const Event grant = lane::Granted{9, 2};
const Event command = lane::Commanded{9, 1};
const Event command_nobody = lane::Commanded{9, 0};
const Event grant_nobody = lane::Granted{9, 0};
const Event passed = BarrierEvent::passed;
const Event wrong_way = BarrierEvent::wrong_way;
const Event forced = BarrierEvent::forced;
const Event tailgate = BarrierEvent::tailgate;
const Event fault = BarrierEvent::fault;
const Event fixed = BarrierEvent::fixed;
const Event fire_on = BarrierEvent::fire_on;
const Event fire_off = BarrierEvent::fire_off;
const Event tick = lane::Tick{};

struct Row {
    State state;
    Event event;
    std::string expected;
};

const std::vector<Row> table = {
    {idle, grant, "open #9 0/2 until 15000: pulse"},
    {idle, grant_nobody, "idle: unknown #9 passed 0 returned 0"},
    {idle, command, "open by command #9 0/1 until 15000: pulse"},
    {idle, command_nobody, "idle: unknown #9 let in 0"},
    {idle, passed, "idle: alarm forced"},
    {idle, wrong_way, "idle: alarm wrong_way"},
    {idle, forced, "idle: alarm forced"},
    {idle, tailgate, "idle: alarm tailgate"},
    {idle, fault, "faulty: alarm sensor_fault"},
    {idle, fixed, "idle"},
    {idle, fire_on, "emergency: alarm fire"},
    {idle, fire_off, "idle"},
    {idle, tick, "idle"},

    // A grant while open: the caller did not ask ready(). The arm does not open for it.
    {two_left, grant, "open #7 0/2 until 12000: unknown #9 passed 0 returned 0"},
    {two_left, grant_nobody, "open #7 0/2 until 12000: unknown #9 passed 0 returned 0"},
    {two_left, command, "open #7 0/2 until 12000: unknown #9 let in 0"},
    {two_left, command_nobody, "open #7 0/2 until 12000: unknown #9 let in 0"},
    {two_left, passed, "open #7 1/2 until 15000: pulse"},
    {two_left, wrong_way, "open #7 0/2 until 12000: alarm wrong_way #7"},
    {two_left, forced, "open #7 0/2 until 12000: alarm forced #7"},
    {two_left, tailgate, "open #7 0/2 until 12000: alarm tailgate #7"},
    {two_left, fault, "faulty: alarm sensor_fault #7; fault #7 passed 0 returned 0; lock"},
    {two_left, fixed, "open #7 0/2 until 12000"},
    {two_left, fire_on, "emergency: alarm fire #7; emergency #7 passed 0 returned 0"},
    {two_left, fire_off, "open #7 0/2 until 12000"},
    {two_left, tick, "open #7 0/2 until 12000"},
    {one_left, passed, "idle: complete #7 passed 2 returned 0"},
    {one_left, fault, "faulty: alarm sensor_fault #7; fault #7 passed 1 returned 0; lock"},
    {one_left, fire_on, "emergency: alarm fire #7; emergency #7 passed 1 returned 0"},
    {run_out, tick, "idle: lock; timeout #7 passed 1 returned 2"},
    // Who walks through in the very last moment has walked through.
    {run_out, passed, "open #7 2/3 until 15000: pulse"},

    // Let in by a command: booked as that, and nobody is alarmed.
    {commanded, passed, "open by command #8 1/2 until 15000: pulse"},
    {commanded_one_left, passed, "idle: complete #8 let in 2"},
    {commanded_run_out, tick, "idle: lock; timeout #8 let in 1"},
    {commanded, forced, "open by command #8 0/2 until 12000: alarm forced"},
    {commanded, fault, "faulty: alarm sensor_fault; fault #8 let in 0; lock"},
    {commanded, fire_on, "emergency: alarm fire; emergency #8 let in 0"},
    {commanded, grant, "open by command #8 0/2 until 12000: unknown #9 passed 0 returned 0"},

    {faulty, grant, "faulty: unknown #9 passed 0 returned 0"},
    {faulty, grant_nobody, "faulty: unknown #9 passed 0 returned 0"},
    {faulty, command, "faulty: unknown #9 let in 0"},
    {faulty, command_nobody, "faulty: unknown #9 let in 0"},
    {faulty, passed, "faulty"},
    {faulty, wrong_way, "faulty"},
    {faulty, forced, "faulty: alarm forced"},
    {faulty, tailgate, "faulty"},
    {faulty, fault, "faulty"},
    {faulty, fixed, "idle: alarm cleared; lock"},
    {faulty, fire_on, "emergency, was faulty: alarm fire"},
    {faulty, fire_off, "faulty"},
    {faulty, tick, "faulty"},

    {fire, grant, "emergency: emergency #9 passed 0 returned 0"},
    {fire, grant_nobody, "emergency: emergency #9 passed 0 returned 0"},
    {fire, command, "emergency: emergency #9 let in 0"},
    {fire, command_nobody, "emergency: emergency #9 let in 0"},
    {fire, passed, "emergency"},
    {fire, wrong_way, "emergency"},
    {fire, forced, "emergency"},
    {fire, tailgate, "emergency"},
    {fire, fault, "emergency, was faulty"},
    {fire, fixed, "emergency"},
    {fire, fire_on, "emergency"},
    {fire, fire_off, "idle: alarm fire_over; lock"},
    {fire, tick, "emergency"},
    {fire_faulty, fault, "emergency, was faulty"},
    {fire_faulty, fixed, "emergency"},
    {fire_faulty, fire_on, "emergency, was faulty"},
    {fire_faulty, fire_off, "faulty: alarm fire_over; lock"},
};

/// One number per event as the table distinguishes them.
std::size_t kind_of(const Event& event) {
    if (const auto* barrier = std::get_if<BarrierEvent>(&event))
        return static_cast<std::size_t>(*barrier);
    if (const auto* granted = std::get_if<lane::Granted>(&event))
        return granted->persons == 0 ? 101 : 100;
    if (const auto* ordered = std::get_if<lane::Commanded>(&event))
        return ordered->persons == 0 ? 104 : 103;
    return 102;
}

TEST_CASE("every state answers every event as its row says") {
    for (const Row& row : table) {
        CAPTURE(text_of(row.state));
        CAPTURE(kind_of(row.event));
        CHECK(text_of(lane::step(row.state, row.event, now, sensing)) == row.expected);
    }
}

TEST_CASE("the table above is whole") {
    std::set<std::pair<std::size_t, std::size_t>> seen;
    for (const Row& row : table) seen.emplace(row.state.index(), kind_of(row.event));
    const std::size_t states = std::variant_size_v<State>;
    const std::size_t events = 8 + 2 + 2 + 1;  // barrier events, grants, commands, the tick
    CHECK(seen.size() == states * events);
}

TEST_CASE("without a passage sensor") {
    struct Case {
        std::string what;
        State state;
        Event event;
        std::string expected;
    };
    const State one_of_two = lane::Open{7, 2, 0, at_ms(10'000), false, 1};
    const State two_of_two = lane::Open{7, 2, 0, at_ms(10'000), false, 2};
    const std::vector<Case> cases = {
        {"the wait stands for a passage: the next person's turn", one_of_two, tick,
         "open #7 0/2 until 15000 pulses 2: pulse"},
        {"for a command too", lane::Open{8, 2, 0, at_ms(10'000), true, 1}, tick,
         "open by command #8 0/2 until 15000 pulses 2: pulse"},
        {"a wait not over gives nothing", two_left, tick, "open #7 0/2 until 12000"},
        {"nobody can say whether someone went through, so nothing returns", two_of_two, tick,
         "idle: lock; unknown #7 passed 0 returned 0"},
        {"a pulse already given is not given again", two_of_two, passed, "open #7 1/2 until 15000"},
        {"fire ends a grant the same way", two_left, fire_on,
         "emergency: alarm fire #7; emergency #7 passed 0 returned 0"},
        {"nor who a command let in", commanded_run_out, tick, "idle: lock; unknown #8 let in 1"},
        {"opening is the same", idle, grant, "open #9 0/2 until 15000: pulse"},
    };
    for (const Case& c : cases) {
        CAPTURE(c.what);
        CHECK(text_of(lane::step(c.state, c.event, now, blind)) == c.expected);
    }
}

TEST_CASE("a blind lane opens once for each of a group, then ends") {
    lane::Step step = lane::step(idle, lane::Granted{9, 3}, at_ms(0), blind);
    int pulses = 0;
    std::string told;
    for (std::int64_t ms = 0; ms <= 20'000; ms += 500) {
        for (const lane::Action& action : step.actions) {
            if (std::holds_alternative<lane::Pulse>(action)) ++pulses;
            told += text_of(action) + " ";
        }
        step = lane::step(step.state, tick, at_ms(ms), blind);
    }
    CHECK(pulses == 3);
    CHECK(told == "pulse pulse pulse lock unknown #9 passed 0 returned 0 ");
    CHECK(text_of(step) == "idle");
}

TEST_CASE("a wait ends at its deadline, not before and not twice") {
    const State open = lane::Open{7, 1, 0, at_ms(12'000)};
    CHECK(lane::wake_at(open) == at_ms(12'000));
    CHECK(lane::step(open, tick, at_ms(11'999), sensing).actions.empty());
    const lane::Step ended = lane::step(open, tick, at_ms(12'000), sensing);
    CHECK(text_of(ended) == "idle: lock; timeout #7 passed 0 returned 1");
    const lane::Step late = lane::step(ended.state, tick, at_ms(99'000), sensing);
    CHECK(text_of(late) == "idle");
}

TEST_CASE("only an idle lane takes the next scan, and only an open one wants a tick") {
    const std::vector<std::pair<State, bool>> rows = {
        {idle, true}, {two_left, false}, {faulty, false}, {fire, false}, {fire_faulty, false}};
    for (const auto& [state, expected] : rows) {
        CAPTURE(text_of(state));
        CHECK(lane::ready(state) == expected);
        CHECK(lane::wake_at(state).has_value() == std::holds_alternative<lane::Open>(state));
    }
}

TEST_CASE("automatic returns are limited per ticket and day") {
    using How = pf::journal::Outcome::How;
    struct Case {
        std::string what;
        How how;
        std::uint16_t returned;
        int today;
        std::string expected;
    };
    const std::vector<Case> cases = {
        {"the first", How::timeout, 2, 0, "timeout #7 passed 1 returned 2"},
        {"the second", How::timeout, 2, 1, "timeout #7 passed 1 returned 2"},
        {"the third: staff decide", How::timeout, 2, 2, "unknown #7 passed 1 returned 0"},
        {"and every later one", How::timeout, 1, 9, "unknown #7 passed 1 returned 0"},
        {"nothing to return is no return", How::timeout, 0, 9, "timeout #7 passed 1 returned 0"},
        {"staff may always", How::staff_undo, 2, 9, "staff_undo #7 passed 1 returned 2"},
        {"a complete passage stays", How::complete, 0, 9, "complete #7 passed 1 returned 0"},
    };
    for (const Case& c : cases) {
        CAPTURE(c.what);
        const pf::journal::Outcome wanted{
            .grant_seq = 7, .passed = 1, .returned = c.returned, .how = c.how};
        CHECK(text_of(lane::Action{lane::Record{lane::limit_return(wanted, c.today)}}) ==
              c.expected);
    }
}

}  // namespace
