#include "firmware/verify/timekeeper.hpp"

#include <algorithm>

namespace pf::firmware::verify {

using pf::journal::ClockChanged;
using pf::journal::ClockQuality;

namespace {
Millis offset_of(Reading now) {
    return now.wall.time_since_epoch() - now.steady.time_since_epoch();
}
WallTime wall_at(Millis offset, SteadyTime steady) {
    return WallTime{offset + steady.time_since_epoch()};
}
Millis magnitude(Millis span) { return span < Millis{0} ? -span : span; }
}  // namespace

Timekeeper::Timekeeper(WallTime floor, Reading at_boot, std::optional<WallTime> certain,
                       std::optional<WallTime> doubtful)
    : floor_{floor},
      certain_{std::min(certain.value_or(floor), floor)},
      doubtful_{doubtful},
      last_{at_boot},
      quality_{ClockQuality::unset} {
    if (at_boot.wall >= floor_) believe(at_boot);
}

void Timekeeper::believe(Reading now) {
    quality_ = ClockQuality::unconfirmed;
    if (!doubtful_ || now.wall >= *doubtful_) return;
    // The clock was ahead then or is behind now: whatever it is, it lies between the two.
    quality_ = ClockQuality::unsure;
    doubted_offset_ = offset_of({*doubtful_, now.steady});
}

std::optional<ClockChanged> Timekeeper::observe(Reading now) {
    const Millis moved = offset_of(now) - offset_of(last_);
    const Reading before = last_;
    last_ = now;
    if (magnitude(moved) <= step_ms) return std::nullopt;

    if (server_offset_) {
        // The server's word, carried on by the steady clock, does not depend on the wall clock at
        // all.
        return ClockChanged{ClockChanged::Source::stepped, moved.count()};
    }
    // Either the old or the new reading is wrong. The first doubt is kept over later ones, also by
    // way of a reading that is impossible.
    if (!doubted_offset_ && quality_ != ClockQuality::unset) doubted_offset_ = offset_of(before);
    if (now.wall < floor_)
        quality_ = ClockQuality::unset;
    else if (doubted_offset_)
        quality_ = ClockQuality::unsure;
    else  // from impossible to possible: somebody set the clock
        believe(now);
    return ClockChanged{ClockChanged::Source::stepped, moved.count()};
}

std::optional<ClockChanged> Timekeeper::server_said(WallTime server, SteadyTime asked,
                                                    Reading answered) {
    const Millis round = answered.steady - asked;
    if (round < Millis{0} || round > server_round_ms_max || server < certain_) return std::nullopt;
    // Half the round trip is the best guess of how old the answer is; the error is at most that
    // half.
    const WallTime server_now = server + round / 2;
    const Millis before = best(answered) - server_now;
    const bool first = quality_ != ClockQuality::confirmed;
    server_offset_ = server_now.time_since_epoch() - answered.steady.time_since_epoch();
    doubted_offset_.reset();
    floor_ = std::min(floor_, server_now);
    quality_ = ClockQuality::confirmed;
    last_ = answered;
    if (magnitude(before) > step_ms || first)
        return ClockChanged{ClockChanged::Source::server, -before.count()};
    return std::nullopt;
}

WallTime Timekeeper::best(Reading now) const {
    if (server_offset_) return wall_at(*server_offset_, now.steady);
    return std::max(now.wall, floor_);
}

admission::TimeRange Timekeeper::range(Reading now) const {
    switch (quality_) {
        case ClockQuality::confirmed:
        case ClockQuality::unconfirmed:
            return {best(now), best(now)};
        case ClockQuality::unset:
            return {floor_, floor_ + unset_span_ms};
        case ClockQuality::unsure: {
            const WallTime doubted =
                std::max(wall_at(doubted_offset_.value_or(Millis{0}), now.steady), floor_);
            const WallTime shown = std::max(now.wall, floor_);
            return {std::min(doubted, shown), std::max(doubted, shown)};
        }
    }
    return {floor_, floor_ + unset_span_ms};
}

ClockQuality Timekeeper::quality() const noexcept { return quality_; }
WallTime Timekeeper::floor() const noexcept { return floor_; }

}  // namespace pf::firmware::verify
