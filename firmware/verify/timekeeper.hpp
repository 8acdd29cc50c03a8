#pragma once
// How much the device believes its clocks. Architecture, "Two clocks"; docs/adr/0007.
#include <optional>

#include "common/admission/decide.hpp"
#include "common/base/time.hpp"
#include "common/journal/event.hpp"

namespace pf::firmware::verify {

/// One reading of both clocks, taken once per decision.
struct Reading {
    WallTime wall;
    SteadyTime steady;
};

/// Judges the wall clock from evidence: the floor (build time, last event, saved time), steps
/// against the steady clock, and what the server said. Pure; one per boot.
class Timekeeper {
public:
    /// Nothing before `floor` can be now, as far as this device can tell. `certain` is the part of
    /// that which no clock of its own made, the build time: only the server may say an instant
    /// between the two, because an earlier boot may have written its events with a clock that was
    /// ahead. `doubtful` is the latest an earlier boot's unconfirmed clock said: a clock behind it
    /// contradicts it, and one of the two is wrong.
    Timekeeper(WallTime floor, Reading at_boot, std::optional<WallTime> certain = {},
               std::optional<WallTime> doubtful = {});

    /// Call with every reading before it is used. Returns a change worth an event: the clock
    /// stepped by more than step_ms against the steady one.
    std::optional<pf::journal::ClockChanged> observe(Reading now);
    /// The server's time, asked at `asked` and answered at `answered` (both steady): its error is
    /// the round trip, and answers slower than server_round_ms_max teach nothing. Nor does an
    /// instant before the certain floor; one before the other floor lowers that. Returns a change
    /// when wall and server disagree by more than step_ms, or on the first confirmation after
    /// doubt.
    std::optional<pf::journal::ClockChanged> server_said(WallTime server, SteadyTime asked,
                                                         Reading answered);

    /// What "now" may be, for decisions. Confirmed: a point (the server's time carried on by the
    /// steady clock beats a wall clock that disagrees). Unset: from the floor to far in the future.
    /// Stepped: both readings.
    admission::TimeRange range(Reading now) const;
    /// The best single guess, for stamps and the screen.
    WallTime best(Reading now) const;
    pf::journal::ClockQuality quality() const noexcept;
    WallTime floor() const noexcept;

    static constexpr Millis step_ms{2'000};
    static constexpr Millis server_round_ms_max{5'000};
    static constexpr Millis unset_span_ms{1000LL * 60 * 60 * 24 * 365 * 10};

private:
    /// What a possible reading that no step explains is worth.
    void believe(Reading now);

    WallTime floor_;
    WallTime certain_;
    std::optional<WallTime> doubtful_;
    Reading last_;
    std::optional<Millis> server_offset_;   // server wall minus steady
    std::optional<Millis> doubted_offset_;  // wall minus steady before an unexplained step
    pf::journal::ClockQuality quality_;
};

}  // namespace pf::firmware::verify
