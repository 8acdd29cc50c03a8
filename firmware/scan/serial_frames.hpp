#pragma once
// Cuts the bytes of a serial line into codes. Pure, bounded, fuzzed (tests/fuzz/serial_frame).
#include <string>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/base/time.hpp"
#include "firmware/scan/pipeline.hpp"

namespace pf::firmware::scan {

/// How the module marks a code; set in the module by its configuration codes.
struct SerialFraming {
    /// Empty: a code ends at CR or LF, and codes that contain either arrive in pieces.
    /// Otherwise a code begins after `prefix` (may be empty) and ends before `suffix`.
    Bytes prefix{};
    Bytes suffix{};
    std::size_t code_bytes_max = scan::code_bytes_max;
};

/// Silence inside a code longer than this means the rest of it is not coming.
inline constexpr Millis serial_silence_max{500};

/// Rather loses a code, which the tourist shows again, than delivers half of one, which might be
/// another's: after a silence within a code, a code too long or a prefix within a code everything
/// up to the next end mark is thrown away.
class SerialFrames {
public:
    explicit SerialFrames(SerialFraming framing);

    /// The codes that these bytes complete, in order; empty codes are not codes.
    /// @param at steady time at which the bytes came
    std::vector<Bytes> feed(SteadyTime at, BytesView bytes);

    /// The line was opened anew: what came before is void.
    void reset();

    struct Lost {
        std::uint64_t codes = 0;  // begun and thrown away
        std::uint64_t bytes = 0;  // of those, and of what lay outside any frame
    };
    const Lost& lost() const { return lost_; }

private:
    enum class State { outside, inside, skipping };

    void take(Byte byte, std::vector<Bytes>& codes);
    void take_line_byte(Byte byte, std::vector<Bytes>& codes);
    void finish(std::vector<Bytes>& codes);
    void lose();
    bool tail_is(const Bytes& mark) const;

    const SerialFraming framing_;
    State state_;
    Bytes
        held_;  // at most code_bytes_max and one mark; while skipping, only the last mark's length
    SteadyTime last_{};
    Lost lost_;
};

}  // namespace pf::firmware::scan
