// A signed piece of a journal. docs/protocol/sync-v1.md, section 4.
#include "common/wire/messages.hpp"
#include "common/wire/payload.hpp"

namespace pf::codec {
template <>
inline wire::Batch blank<wire::Batch>() {
    return {blank<DeviceId>(), {}, 1, {}, {}, {}};
}
}  // namespace pf::codec

namespace pf::wire {

void fields(auto& io, Of<Batch> auto& v) {
    io(1, v.device);
    io(2, v.epoch);
    io(3, v.first_seq, Uint{1, number_max - batch_events_max});
    io(4, v.head_before);
    io(5, v.events, List<Blob>{1, batch_events_max, Blob{1, journal::event_bytes_max}});
    io(6, v.signature);
}

journal::Cursor cursor_after(const Batch& batch) {
    Digest head = batch.head_before;
    for (const Bytes& event : batch.events) head = journal::next_head(head, event);
    return {batch.epoch, batch.first_seq - 1 + batch.events.size(), head};
}

Bytes encode(const Batch& message) { return payload_of(message); }

Decoded<Batch> decode_batch(BytesView bytes) { return message_from<Batch>(bytes); }

}  // namespace pf::wire
