#pragma once
// Cuts the bytes of a serial line into codes. Pure, bounded, fuzzed (tests/fuzz/serial_frame).
#include <optional>
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
/// up to the next end mark is thrown away, and so is what a line just opened was in the middle of.
class SerialFrames {
public:
    explicit SerialFrames(SerialFraming framing);

    /// The codes that these bytes complete, in order; empty codes are not codes.
    /// @param at steady time at which the bytes came
    std::vector<Bytes> feed(SteadyTime at, BytesView bytes);

    /// The line was opened: what came before is void. Without a prefix nothing tells the rest of a
    /// code from a whole one, so bytes that come before a silence was heard belong to no code.
    void opened(SteadyTime at);

    struct Lost {
        std::uint64_t codes = 0;  // begun and thrown away
        std::uint64_t bytes = 0;  // of those, and of what lay outside any frame
    };
    const Lost& lost() const { return lost_; }

private:
    enum class State { outside, inside, skipping };

    void reset();
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
    std::optional<SteadyTime> opened_{};  // until the first bytes after it
    Lost lost_;
};

}  // namespace pf::firmware::scan
