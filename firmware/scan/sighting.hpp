#pragma once
// When seeing a code is a scan, and when it is the same telephone still held before the camera.
#include <optional>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/base/time.hpp"

namespace pf::firmware::scan {

/// A code unseen for this long has left; seen again, it is a second entry.
inline constexpr Millis out_of_sight_after{1500};
/// A code that was in the look of another one's answer is asked about after this long: who was let
/// in has passed by then, and has put the telephone away.
inline constexpr Millis put_off_for{5000};

/// Pure and small: holds no more codes than one look delivered.
///
/// A code is a scan when it was not in sight. It stays in sight while it is seen again within
/// `out_of_sight_after`, and until another code comes into sight without it. Two codes seen
/// together do not end each other, though the camera may read only one of them in the next frame.
class Sightings {
public:
    /// Which of the codes of one look (one frame, one serial line) are scans: their indices, in
    /// order. `at` never runs backwards.
    std::vector<std::size_t> fresh(SteadyTime at, const std::vector<BytesView>& codes);

    /// This scan of fresh() was not asked about, because another of the same look had answered. Who
    /// still holds it after `put_off_for` is a scan then: nobody need guess that a telephone
    /// the gate said nothing about has to go and come back.
    void put_off(SteadyTime at, BytesView code);

private:
    struct InSight {
        Bytes bytes;
        SteadyTime last;
        std::optional<SteadyTime> ask_at{};  // put off until then
    };
    std::vector<InSight> in_sight_;
};

}  // namespace pf::firmware::scan
