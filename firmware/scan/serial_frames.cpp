#include "firmware/scan/serial_frames.hpp"

#include <algorithm>
#include <utility>

namespace pf::firmware::scan {

// Three states. `outside` waits for the prefix, `inside` collects a code, `skipping` waits for an
// end mark after a loss. Without a prefix there is nothing to wait for, so `outside` does not
// occur.
SerialFrames::SerialFrames(SerialFraming framing)
    : framing_(std::move(framing)),
      state_(framing_.prefix.empty() ? State::inside : State::outside) {}

void SerialFrames::reset() {
    held_.clear();
    state_ = framing_.prefix.empty() ? State::inside : State::outside;
}

void SerialFrames::opened(SteadyTime at) {
    reset();
    opened_ = at;
}

std::vector<Bytes> SerialFrames::feed(SteadyTime at, BytesView bytes) {
    std::vector<Bytes> codes;
    if (bytes.empty()) return codes;
    if (state_ == State::inside && !held_.empty() && at - last_ > serial_silence_max) {
        lose();
        lost_.bytes += held_.size();
        held_.clear();  // an end mark does not straddle the silence
    }
    if (opened_ && state_ == State::inside && at - *opened_ <= serial_silence_max) lose();
    opened_.reset();
    last_ = at;
    for (const Byte byte : bytes) take(byte, codes);
    return codes;
}

void SerialFrames::take(Byte byte, std::vector<Bytes>& codes) {
    if (framing_.suffix.empty()) return take_line_byte(byte, codes);
    held_.push_back(byte);
    switch (state_) {
        case State::outside:
            if (tail_is(framing_.prefix)) {
                lost_.bytes += held_.size() - framing_.prefix.size();
                held_.clear();
                state_ = State::inside;
            } else if (held_.size() >= framing_.prefix.size()) {
                held_.erase(held_.begin());
                ++lost_.bytes;
            }
            return;
        case State::inside:
            if (tail_is(framing_.suffix)) {
                held_.resize(held_.size() - framing_.suffix.size());
                return finish(codes);
            }
            if (!framing_.prefix.empty() && tail_is(framing_.prefix)) return lose();
            if (held_.size() > framing_.code_bytes_max + framing_.suffix.size() - 1) lose();
            return;
        case State::skipping:
            if (tail_is(framing_.suffix)) {
                lost_.bytes += held_.size();
                reset();
            } else if (held_.size() >= framing_.suffix.size()) {
                held_.erase(held_.begin());
                ++lost_.bytes;
            }
            return;
    }
}

void SerialFrames::take_line_byte(Byte byte, std::vector<Bytes>& codes) {
    const bool end = byte == '\r' || byte == '\n';
    if (state_ == State::skipping) {
        ++lost_.bytes;
        if (end) reset();
        return;
    }
    if (end) return finish(codes);
    held_.push_back(byte);
    if (held_.size() > framing_.code_bytes_max) lose();
}

void SerialFrames::finish(std::vector<Bytes>& codes) {
    if (!held_.empty()) codes.push_back(std::move(held_));
    reset();
}

void SerialFrames::lose() {
    ++lost_.codes;
    // The end mark may have begun; forgetting that would lose the next code too.
    const std::size_t kept =
        std::min(held_.size(), framing_.suffix.empty() ? 0 : framing_.suffix.size() - 1);
    lost_.bytes += held_.size() - kept;
    held_.erase(held_.begin(), held_.end() - static_cast<std::ptrdiff_t>(kept));
    state_ = State::skipping;
}

bool SerialFrames::tail_is(const Bytes& mark) const {
    return held_.size() >= mark.size() && std::equal(mark.rbegin(), mark.rend(), held_.rbegin());
}

}  // namespace pf::firmware::scan
