// Whatever arrives as a batch: what decodes encodes to the same bytes, its cursor follows from
// them, and none of its events misbehaves.
#include <algorithm>
#include <cstdlib>

#include "common/wire/messages.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const pf::BytesView input{data, size};
    const auto batch = pf::wire::decode_batch(input);
    if (!batch) return 0;
    if (!std::ranges::equal(pf::wire::encode(*batch), input)) std::abort();
    const auto cursor = pf::wire::cursor_after(*batch);
    if (cursor.seq - batch->first_seq + 1 != batch->events.size()) std::abort();
    for (const pf::Bytes& event : batch->events) {
        const auto decoded = pf::journal::decode(event);
        if (decoded && pf::journal::encode(*decoded) != event) std::abort();
    }
    return 0;
}
