#pragma once
// From one grey picture to the codes in it. Pure: no camera, no clock, no thread.
#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <string_view>
#include <vector>

#include "common/base/bytes.hpp"
#include "firmware/scan/frame.hpp"

namespace pf::firmware::scan {

/// More than a QR code holds in byte or alphanumeric mode is not a code of any ticket.
inline constexpr std::size_t code_bytes_max = 4296;
inline constexpr int codes_per_frame_max = 8;

/// How a picture was looked at, in the order of trying: docs/adr/0014-order-of-tries.md.
enum class Strategy {
    plain,               // as it is
    downscaled,          // every row, and again at half sizes: noise, very large codes
    inverted,            // light on dark, with more contrast
    contrast_stretched,  // weak light, a weak screen, glass
    sharpened,           // out of focus, moved
    smoothed,            // much noise, scratches and dirt
    enlarged,            // the busiest quarter at twice its size: far away
    straightened,        // module by module (grid.hpp): bent, scratched
};
inline constexpr std::array strategies{
    Strategy::plain,     Strategy::downscaled, Strategy::inverted, Strategy::contrast_stretched,
    Strategy::sharpened, Strategy::smoothed,   Strategy::enlarged, Strategy::straightened};
/// "plain", "downscaled", …: in journals, in `paifangctl scan`, in tests.
std::string_view to_text(Strategy strategy) noexcept;
/// What a try costs for each pixel of the frame, in units of what the plain one costs; measured,
/// and rounded up. So a budget is counted, not timed, and the same on every machine.
int cost_of(Strategy strategy) noexcept;

enum class Symbology { qr, aztec, data_matrix, pdf417 };
std::string_view to_text(Symbology symbology) noexcept;

/// Which kinds of code are looked for. Linear codes are not offered: ZXing 1.4 aborts on some
/// photographs when it compares two of them (docs: firmware/scan/README.md).
struct Symbologies {
    bool aztec = false;
    bool data_matrix = false;
    bool pdf417 = false;  // QR is always looked for
};

struct Point {
    int x = 0;
    int y = 0;
    friend bool operator==(const Point&, const Point&) = default;
};

/// One code, exactly as encoded: no character set is assumed and nothing is trimmed.
struct Reading {
    Bytes bytes{};  // 1 to code_bytes_max
    Symbology symbology = Symbology::qr;
    Strategy strategy = Strategy::plain;
    std::array<Point, 4> corners{};  // pixels of the frame: top left of the code, then clockwise
};

/// Steady microseconds since anywhere; passed in, so the room has no clock.
using Stopwatch = std::function<std::chrono::microseconds()>;

/// In pixels of plain tries: cost_of × the pixels of the frame.
using Work = std::int64_t;

/// How much one frame may cost. `plain` is always tried.
struct Budget {
    /// No further try begins after this much, but for one that goes on with what it read before.
    Work work_max = std::numeric_limits<Work>::max();
    /// No further try begins after this long, and `straightened` ends; needs `stopwatch`. Zero
    /// means no limit of time.
    std::chrono::microseconds elapsed_max{0};
    Stopwatch stopwatch{};
    /// Look on after something was found: a sticker in view must not hide a telephone in dark
    /// mode for ever.
    bool exhaustive = false;
    /// The same, but only when the frame before was read too: who just came is answered at once.
    bool exhaustive_when_held = false;
};

/// What a camera spends on a frame in which it sees nothing: at 1280×720 the plain try and one
/// harder one, by turns, at 640×480 three or four. Most frames show nobody, and all tries on each
/// of them would keep a small board busy for nothing. Dark mode is read some frames later, and then
/// on every frame while it is held there.
inline constexpr Work camera_work_max = Work{5} * 1280 * 720;
/// Every so many frames of a camera all tries are made although something was found, as on the
/// frame before: a sticker in view must not hide a telephone in dark mode.
inline constexpr std::uint64_t exhaustive_every_frames = 8;
/// The budget of a camera's frame number `frame`, counted from 1.
Budget camera_budget(std::uint64_t frame, Work work_max, std::chrono::microseconds elapsed_max,
                     Stopwatch stopwatch);

struct Outcome {
    std::vector<Reading> readings{};  // no two with the same bytes; at most codes_per_frame_max
    std::vector<Strategy> tried{};    // in order
    Work work = 0;                    // what the tries cost
    std::int64_t samples = 0;         // of `straightened`: see straightened_samples_max
    int parts_skipped = 0;            // codes that are one part of several (structured append)
    int decoder_failures = 0;         // tries ended by an exception of the decoder
};

/// `straightened` takes as many samples as the picture before it asks for, and ends at this many:
/// one for each pixel it is charged with.
std::int64_t straightened_samples_max(const LumaFrame& frame);

/// A harder try that read a code is made again on every frame, whatever else was read there, until
/// it found nothing this often: a code held before the camera must not come and go because the
/// budget is small, or one telephone becomes several scans (firmware/scan/sighting.hpp).
inline constexpr int held_misses_max = 6;

/// So much of each picture made on the way is kept for the next camera frame; what a photograph of
/// 50 megapixels needed is given back.
inline constexpr std::size_t kept_bytes_max = std::size_t{4} * 1024 * 1024;

/// One per source, used by one thread: it remembers which harder try worked last or where the
/// budget ended, and goes on there with the next frame. So a slow board reaches every try.
class Pipeline {
public:
    explicit Pipeline(Symbologies symbologies = {}) : symbologies_(symbologies) {}

    Outcome read(const LumaFrame& frame, const Budget& budget = {});
    /// Of pictures made on the way, between frames: at most twice kept_bytes_max.
    std::size_t kept_bytes() const {
        return changed_.pixels.capacity() + enlarged_.pixels.capacity();
    }

private:
    void attempt(const LumaFrame& frame, Strategy strategy, const std::function<bool()>& may_go_on,
                 Outcome& outcome);

    Symbologies symbologies_;
    LumaFrame changed_{};           // what a try looks at, if not the frame itself
    LumaFrame enlarged_{};          // on the way there
    std::size_t harder_first_ = 0;  // index into the strategies after `plain`
    bool read_before_ = false;      // something, on the frame before
    int misses_left_ = 0;           // while above 0, `harder_first_` is the one that read a code
};

}  // namespace pf::firmware::scan
