#pragma once
// Greys asked for one by one, and an end to it.
#include <cstdint>
#include <functional>
#include <utility>

#include "firmware/scan/frame.hpp"
#include "firmware/scan/warp.hpp"

namespace pf::firmware::scan {

/// A frame, and how many of its greys may still be asked for: what a stranger holds before the
/// camera must not decide how long the gate looks at it.
class Sampler {
public:
    /// @param may_go_on asked beside the count; empty means yes
    Sampler(const LumaFrame& frame, std::int64_t samples_max, std::function<bool()> may_go_on = {})
        : frame_(frame), samples_max_(samples_max), may_go_on_(std::move(may_go_on)) {}

    const LumaFrame& frame() const { return frame_; }
    float at(Spot spot) {
        ++taken_;
        return grey_at(frame_, spot);
    }
    /// For pixels that are written or decoded instead, which cost about as much.
    void count(std::int64_t samples) { taken_ += samples; }
    /// Ask before taking so many. After one no, it is no for ever.
    bool room_for(std::int64_t samples) {
        if (ended_) return false;
        ended_ = taken_ + samples > samples_max_ || (may_go_on_ && !may_go_on_());
        return !ended_;
    }
    std::int64_t taken() const { return taken_; }

private:
    const LumaFrame& frame_;
    std::int64_t samples_max_;
    std::function<bool()> may_go_on_;
    std::int64_t taken_ = 0;
    bool ended_ = false;
};

}  // namespace pf::firmware::scan
