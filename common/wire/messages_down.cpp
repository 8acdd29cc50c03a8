// What the server says, except pages of lists. docs/protocol/sync-v1.md, section 5.
#include "common/wire/messages.hpp"
#include "common/wire/payload.hpp"

namespace pf::codec {
template <>
inline wire::UseItem blank<wire::UseItem>() {
    return {blank<GrantId>(), {}, {}, {}, {}, 0, false, {}, 0, false};
}
}  // namespace pf::codec

namespace pf {

void fields(auto& io, codec::Of<GrantId> auto& v) {
    io(1, v.device);
    io(2, v.epoch);
    io(3, v.seq, codec::Uint{1, codec::number_max});
}

}  // namespace pf

namespace pf::wire {

void fields(auto& io, Of<Ack> auto& v) {
    io(1, v.generation);
    io(2, v.upto);
    io(3, v.verdicts,
       List<Pair<Uint, Upto<Ack::EventVerdict>>>{
           0, ack_verdicts_max, {Uint{1, number_max}, Upto{Ack::EventVerdict::clock_wrong}}});
}

void fields(auto& io, Of<News> auto& v) {
    io(1, v.generation);
    io(2, v.lists, list_states_shape);
    io(3, v.uses_position, counter_shape);
    io(4, v.documents, document_versions_shape);
}

void fields(auto& io, Of<Buckets> auto& v) {
    io(1, v.request);
    io(2, v.scope, scope_shape);
    io(3, v.generation);
    io(4, v.version, counter_shape);
    io(5, v.sums, List<>{bucket_count, bucket_count});
    io(6, v.manifest, Blob{0, manifest_bytes_max});
}

void fields(auto& io, Of<UseItem> auto& v) {
    io(1, v.grant);
    io(2, v.ticket);
    io(3, v.product);
    io(4, v.day);
    io(5, v.last_day);
    io(6, v.persons, Uint{0, ticket::persons_max});
    io(7, v.return_pending);
    io(8, v.at);
    io(9, v.unseen, Uint{0, ticket::persons_max});
    io(10, v.automatic_return);
}

void fields(auto& io, Of<Uses> auto& v) {
    io(1, v.request);
    io(2, v.generation);
    io(3, v.after, counter_shape);
    io(4, v.upto, counter_shape);
    io(5, v.more);
    io(6, v.items, List<>{0, uses_per_message_max});
}

void fields(auto& io, Of<Time> auto& v) {
    io(1, v.nonce);
    io(2, v.wall);
}

Bytes encode(const Ack& message) { return payload_of(message); }
Bytes encode(const News& message) { return payload_of(message); }
Bytes encode(const Buckets& message) { return payload_of(message); }
Bytes encode(const Uses& message) { return payload_of(message); }
Bytes encode(const Time& message) { return payload_of(message); }

Decoded<Ack> decode_ack(BytesView bytes) { return message_from<Ack>(bytes); }
Decoded<News> decode_news(BytesView bytes) {
    return message_from(
        bytes, News{}, payload_bytes_max,
        [](const News& message, cbor::Decoder& in) { refuse_scope_twice(message.lists, in); });
}
Decoded<Buckets> decode_buckets(BytesView bytes) { return message_from<Buckets>(bytes); }
Decoded<Uses> decode_uses(BytesView bytes) {
    return message_from(bytes, Uses{}, payload_bytes_max,
                        [](const Uses& message, cbor::Decoder& in) {
                            if (message.upto < message.after) in.refuse(Fault::out_of_range);
                            // More unknown than counted would let staff admit beyond the quota.
                            for (const UseItem& item : message.items)
                                if (item.unseen > item.persons) in.refuse(Fault::out_of_range);
                        });
}
Decoded<Time> decode_time(BytesView bytes) { return message_from<Time>(bytes); }

}  // namespace pf::wire
