// Properties: no byte stream breaks the parser; a code never exceeds the limit, is never empty and
// never contains its end mark; how the stream was cut into reads changes nothing.
#include <algorithm>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "firmware/scan/serial_frames.hpp"

namespace {

using namespace pf;
using namespace pf::firmware::scan;

void require(bool holds) {
    if (!holds) std::abort();
}

SerialFraming framing_of(unsigned choice) {
    constexpr std::size_t code_bytes_max = 16;  // small, so that inputs reach it
    switch (choice % 4) {
        case 0:
            return {.prefix = {}, .suffix = {}, .code_bytes_max = code_bytes_max};
        case 1:
            return {.prefix = {2}, .suffix = {3}, .code_bytes_max = code_bytes_max};
        case 2:
            return {.prefix = {'<', '<'}, .suffix = {'>', '>'}, .code_bytes_max = code_bytes_max};
        default:
            return {.prefix = {}, .suffix = {3, '\r'}, .code_bytes_max = code_bytes_max};
    }
}

void check(const Bytes& code, const SerialFraming& framing) {
    require(!code.empty() && code.size() <= framing.code_bytes_max);
    const std::string_view text = as_text(code);
    if (framing.suffix.empty()) {
        require(text.find_first_of("\r\n") == std::string_view::npos);
    } else {
        require(text.find(as_text(framing.suffix)) == std::string_view::npos);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    const SerialFraming framing = framing_of(data[0]);
    const std::size_t step = 1 + data[1] % 7U;
    const BytesView stream{data + 2, size - 2};

    SerialFrames whole{framing};
    const std::vector<Bytes> codes = whole.feed(SteadyTime{}, stream);
    for (const Bytes& code : codes) check(code, framing);

    SerialFrames pieces{framing};
    std::vector<Bytes> again;
    for (std::size_t at = 0; at < stream.size(); at += step) {
        auto some =
            pieces.feed(SteadyTime{}, stream.subspan(at, std::min(step, stream.size() - at)));
        std::move(some.begin(), some.end(), std::back_inserter(again));
    }
    require(again == codes);
    require(pieces.lost().codes == whole.lost().codes && pieces.lost().bytes == whole.lost().bytes);

    // With a silence before every read: fewer codes, each still whole.
    SerialFrames slow{framing};
    SteadyTime now{};
    for (std::size_t at = 0; at < stream.size(); at += step) {
        now += serial_silence_max + Millis{1};
        for (const Bytes& code :
             slow.feed(now, stream.subspan(at, std::min(step, stream.size() - at)))) {
            check(code, framing);
        }
    }
    return 0;
}
