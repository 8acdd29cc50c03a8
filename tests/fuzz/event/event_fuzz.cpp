// Whatever a journal file or a batch holds: an event that decodes encodes to the same bytes, or
// chains and signatures would not agree; and its seq is the one seq_of() says without decoding.
#include <algorithm>
#include <cstdlib>

#include "common/journal/event.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const pf::BytesView input{data, size};
    const auto event = pf::journal::decode(input);
    const auto seq = pf::journal::seq_of(input);
    if (!event) {
        // An unknown kind keeps its seq; a malformed event may have lost it.
        if (event.error() == pf::journal::Fault::kind_unknown && !seq) std::abort();
        return 0;
    }
    if (!std::ranges::equal(pf::journal::encode(*event), input)) std::abort();
    if (!seq || *seq != event->seq) std::abort();
    return 0;
}
