// Wrong clocks, from the first boot to the barrier (docs/adr/0007).
#include "tests/unit/firmware/app/bench.hpp"

namespace {

using namespace pf;
using namespace pf::tests;
using admission::Reason;
using std::chrono::hours;

constexpr hours a_day{24};
constexpr auto a_year = a_day * 365;

/// A gate as it boots, again and again, on one disk.
struct Boots {
    void boot(WallTime wall) {
        device.reset();
        bench.clock.wall_now = wall;
        device = bench.start();
    }
    void server_says(WallTime wall) {
        const fw::verify::Reading now{bench.clock.wall(), bench.clock.steady()};
        static_cast<fw::sync::Host&>(*device).server_time(wall, now.steady, now);
    }
    /// A new ticket of today, which is noon's day.
    Reason scan() {
        const Reason out = reason(device->on_code(bench.code(++tickets)));
        // Nobody of this file is slow: who was admitted has passed.
        if (out == Reason::ok) device->on_barrier(fw::ports::BarrierEvent::passed);
        return out;
    }

    Bench bench{wire::DeviceKind::gate};
    std::unique_ptr<Device> device;
    std::uint64_t tickets = 0;
};

TEST_CASE("a gate that boots with a wrong clock") {
    struct Row {
        const char* what;
        WallTime wall;
        Reason alone;         // before anybody told it the time
        Reason after_server;  // the server said noon
        Reason next_boot;     // the clock is right, the server away
    };
    const Row rows[] = {
        {"right", noon, Reason::ok, Reason::ok, Reason::ok},
        {"1970", wall_from_ms(0), Reason::clock_unsure, Reason::ok, Reason::ok},
        {"older than the program", noon - a_year, Reason::clock_unsure, Reason::ok, Reason::ok},
        // Nothing on the device can tell; what it wrote meanwhile must not matter afterwards.
        {"two days behind", noon - 2 * a_day, Reason::not_yet_valid, Reason::ok, Reason::ok},
        {"a day ahead", noon + a_day, Reason::expired, Reason::ok, Reason::ok},
        {"ten years ahead", noon + 10 * a_year, Reason::expired, Reason::ok, Reason::ok},
    };
    for (const Row& row : rows) {
        CAPTURE(row.what);
        Boots gate;
        gate.boot(row.wall);
        CHECK(gate.scan() == row.alone);
        CHECK(gate.bench.barrier.pulses == (row.alone == Reason::ok ? 1 : 0));
        gate.server_says(noon);
        CHECK(gate.scan() == row.after_server);
        gate.boot(noon + hours{1});
        CHECK(gate.scan() == row.next_boot);
        CHECK(gate.device->timekeeper().quality() == pf::journal::ClockQuality::unconfirmed);
    }
}

TEST_CASE("a clock that was ahead once and that no server put right") {
    struct Row {
        const char* what;
        std::chrono::hours ahead;
        WallTime then;
        Reason expected;
    };
    const Row rows[] = {
        {"it is behind what it said: one of the two is wrong", a_day, noon, Reason::clock_unsure},
        {"by years", 10 * a_year, noon, Reason::clock_unsure},
        {"by less than the day has left", hours{2}, noon, Reason::ok},
        {"time has passed it", hours{2}, noon + hours{3}, Reason::ok},
        {"and the battery is dead", a_day, wall_from_ms(0), Reason::clock_unsure},
    };
    for (const Row& row : rows) {
        CAPTURE(row.what);
        Boots gate;
        gate.boot(noon + row.ahead);
        (void)gate.scan();
        gate.boot(row.then);
        CHECK(gate.scan() == row.expected);
        // A restart more changes nothing, the server's word does, and for good.
        gate.boot(row.then);
        CHECK(gate.scan() == row.expected);
        gate.server_says(noon);
        CHECK(gate.scan() == Reason::ok);
        gate.boot(noon + hours{1});
        CHECK(gate.scan() == Reason::ok);
    }
}

TEST_CASE("a clock stepped while the gate runs") {
    struct Row {
        const char* what;
        Millis step;
        bool confirmed;
        Reason during;
        Reason after;
    };
    const Row rows[] = {
        {"a second: drift", Millis{1'000}, false, Reason::ok, Reason::ok},
        {"an hour of the same day", hours{1}, false, Reason::ok, Reason::ok},
        {"a day ahead", a_day, false, Reason::ok, Reason::clock_unsure},
        {"a day back", -a_day * 2, false, Reason::ok, Reason::clock_unsure},
        {"to 1970", -to_ms(noon) * Millis{1}, false, Reason::ok, Reason::clock_unsure},
        {"a day ahead, after the server's word", a_day, true, Reason::ok, Reason::ok},
        {"to 1970, after the server's word", -to_ms(noon) * Millis{1}, true, Reason::ok,
         Reason::ok},
    };
    for (const Row& row : rows) {
        CAPTURE(row.what);
        Boots gate;
        gate.boot(noon);
        if (row.confirmed) gate.server_says(noon);
        // Inside the scan: the decision's one reading is taken, everything later reads the new
        // time.
        gate.bench.clock.step_after_next_reading(row.step);
        CHECK(gate.scan() == row.during);
        CHECK(gate.scan() == row.after);
        CHECK(gate.bench.events<pf::journal::ClockChanged>(*gate.device).size() ==
              (row.step == Millis{1'000} ? 0U : 1U) + (row.confirmed ? 1U : 0U));
    }
}

}  // namespace
