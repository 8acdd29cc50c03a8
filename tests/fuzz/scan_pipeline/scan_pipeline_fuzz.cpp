// Properties: no picture crashes, aborts or blows up the search; what it costs is what it is
// charged with; what is read has the shape a reading promises. Input: three bytes for the frame's
// size and for whether a code is drawn, then what is written over the picture.
#include <algorithm>
#include <cstdlib>

#include "boards/sim/frames/frames.hpp"
#include "firmware/scan/pipeline.hpp"

namespace {

using namespace pf::firmware::scan;

void draw_code(LumaFrame& frame, unsigned scale) {
    namespace frames = pf::boards::sim::frames;
    const auto matrix = frames::render_qr("PF1:FUZZ");
    if (!matrix) std::abort();
    const LumaFrame code = frames::picture_of(*matrix, static_cast<int>(scale));
    for (int y = 0; y < std::min(code.height, frame.height); ++y)
        std::copy_n(code.row(y), std::min(code.width, frame.width), frame.row(y));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    constexpr int side_px_min = 21;
    constexpr int sides = 100;  // 21 to 120
    if (size < 3) return 0;
    LumaFrame frame =
        LumaFrame::filled(side_px_min + data[0] % sides, side_px_min + data[1] % sides, 255);
    if (data[2] % 4 != 0) draw_code(frame, data[2] % 4);
    // Each pair of bytes is how many pixels stay and what the next becomes.
    std::size_t at = 0;
    for (std::size_t i = 3; i + 1 < size; i += 2) {
        at += data[i];
        if (at >= frame.pixels.size()) break;
        frame.pixels[at++] = data[i + 1];
    }

    const Work pixels = Work{frame.width} * frame.height;
    const Outcome outcome = Pipeline{}.read(frame, {.exhaustive = true});
    Work charged = 0;
    for (const Strategy strategy : outcome.tried) charged += cost_of(strategy) * pixels;
    const bool sound = outcome.tried.size() == strategies.size() && outcome.work == charged &&
                       outcome.samples <= straightened_samples_max(frame) &&
                       outcome.readings.size() <= codes_per_frame_max;
    if (!sound) std::abort();
    for (const Reading& reading : outcome.readings) {
        if (reading.bytes.empty() || reading.bytes.size() > code_bytes_max) std::abort();
    }
    return 0;
}
