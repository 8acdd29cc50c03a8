#pragma once
// The way of a reading from a source's thread to the lane: source → LookQueue → LaneScanner.
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "common/base/time.hpp"
#include "firmware/ports/scanner.hpp"
#include "firmware/scan/sighting.hpp"

namespace pf::firmware::scan {

/// What one look delivered: the codes of one frame, or one code from a line. Never without codes.
struct Look {
    SteadyTime at{};           // when the frame was taken or the line ended
    bool will_repeat = false;  // a camera: the next frame shows the same, so losing one is harmless
    std::vector<ports::ScannedCode> codes{};
};

/// Longer than any pause of the executor that is not a fault: half a second of camera frames.
inline constexpr std::size_t looks_queued_max = 16;

/// Carries looks from any thread to the executor. When full, the oldest camera frame goes first; a
/// code that nobody will repeat goes only when there is nothing else, and is counted.
class LookQueue {
public:
    /// @param wake called on the pushing thread when looks wait and none did before; it posts a
    ///             `take()` to the executor and returns
    explicit LookQueue(std::function<void()> wake, std::size_t looks_max = looks_queued_max);

    void push(Look look);
    std::vector<Look> take();  // oldest first

    struct Dropped {
        std::uint64_t frames = 0;
        std::uint64_t codes = 0;  // scans somebody has to repeat
    };
    Dropped dropped() const;

private:
    const std::function<void()> wake_;
    const std::size_t looks_max_;
    mutable std::mutex mutex_;
    std::deque<Look> looks_;
    Dropped dropped_;
};

/// The lane's one scanner over all its sources: takes looks, hands on scans until one of a look has
/// answered for it. Executor only.
class LaneScanner final : public ports::Scanner {
public:
    void on_code(Handler handler) override { handler_ = std::move(handler); }
    void see(Look look);

private:
    Sightings sightings_;
    Handler handler_;
};

}  // namespace pf::firmware::scan
