#pragma once
#include "common/base/time.hpp"

namespace pf::firmware::ports {

/// Two times on purpose: wall time comes from outside and may jump, steady time never.
class Clock {
public:
    virtual ~Clock() = default;
    virtual WallTime wall() const = 0;      // validity, journal. May be 1970 on a dead battery.
    virtual SteadyTime steady() const = 0;  // deadlines, debouncing. Milliseconds since boot.
};

}  // namespace pf::firmware::ports
