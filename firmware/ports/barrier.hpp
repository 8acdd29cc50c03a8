#pragma once
#include <cstdint>
#include <functional>

#include "common/base/time.hpp"

namespace pf::firmware::ports {

/// What the lane's sensors and the fire relay report. Delivered on the device's executor, in order.
enum class BarrierEvent : std::uint8_t {
    passed = 1,     // one person through in the granted direction
    wrong_way = 2,  // somebody came through against it
    forced = 3,     // through without a grant
    tailgate = 4,   // a second person on one grant (wing gates)
    fault = 5,      // the barrier or a sensor does not answer
    fixed = 6,
    fire_on = 7,  // the hardware is already open; this is only the report (invariant 9)
    fire_off = 8,
};

/// One walkway. Real ones live in boards/<name>.
class Barrier {
public:
    using Handler = std::function<void(BarrierEvent)>;
    virtual ~Barrier() = default;
    virtual void on_event(Handler handler) = 0;
    /// Unlocks for one person, with a pulse of `pulse`; it locks itself after the passage.
    virtual void pulse(Millis pulse) = 0;
    /// Ends a grant early: nobody else may pass. Never called while the fire relay is on.
    virtual void lock() = 0;
    /// Does a sensor see passages at all? Without one nothing is ever returned to a ticket by
    /// itself.
    virtual bool senses_passage() const = 0;
};

}  // namespace pf::firmware::ports
