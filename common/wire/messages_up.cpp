// What a device says, except batches. docs/protocol/sync-v1.md, section 4.
#include "common/wire/messages.hpp"
#include "common/wire/payload.hpp"

namespace pf::wire {

void fields(auto& io, Of<Birth> auto& v) {
    io(1, v.connect_counter);
    io(2, v.boot);
    io(3, v.kind, device_kind_shape);
    io(4, v.firmware, journal::firmware_shape);
    io(5, v.journal);
    io.maybe(6, v.confirmed);
    io(7, v.confirmed_generation);
    io(8, v.lists, list_states_shape);
    io(9, v.uses_generation);
    io(10, v.uses_position, counter_shape);
    io(11, v.documents, document_versions_shape);
    io(12, v.wall);
    io(13, v.clock, journal::clock_quality_shape);
}

void fields(auto& io, Of<Will> auto& v) { io(1, v.connect_counter); }

void fields(auto& io, Of<Want> auto& v) {
    io(1, v.what, Upto{Want::What::document});
    io(2, v.request);
    io(3, v.scope, scope_shape);
    io(4, v.generation);
    io(5, v.from_version, counter_shape);
    io(6, v.to_version, counter_shape);
    io(7, v.bucket);
    io(8, v.after, Blob{0, list_key_bytes_max});
    io(9, v.uses_after, counter_shape);
    io(10, v.document_type);
}

void fields(auto& io, Of<Ping> auto& v) { io(1, v.nonce); }

void fields(auto& io, Of<Begins> auto& v) { io(1, v.begin); }

void fields(auto& io, Of<CommandReply> auto& v) {
    io(1, v.id);
    io(2, v.state, Upto{CommandState::failed});
    io(3, v.detail, Text{detail_bytes_max});
}

Bytes encode(const Birth& message) { return payload_of(message); }
Bytes encode(const Will& message) { return payload_of(message); }
Bytes encode(const Want& message) { return payload_of(message); }
Bytes encode(const Ping& message) { return payload_of(message); }
Bytes encode(const Begins& message) { return payload_of(message); }
Bytes encode(const CommandReply& message) { return payload_of(message); }

Decoded<Birth> decode_birth(BytesView bytes) {
    return message_from(
        bytes, Birth{}, payload_bytes_max,
        [](const Birth& message, cbor::Decoder& in) { refuse_scope_twice(message.lists, in); });
}
Decoded<Will> decode_will(BytesView bytes) { return message_from<Will>(bytes); }
Decoded<Want> decode_want(BytesView bytes) { return message_from<Want>(bytes); }
Decoded<Begins> decode_begins(BytesView bytes) { return message_from<Begins>(bytes); }
Decoded<Ping> decode_ping(BytesView bytes) { return message_from<Ping>(bytes); }
Decoded<CommandReply> decode_command_reply(BytesView bytes) {
    return message_from<CommandReply>(bytes);
}

}  // namespace pf::wire
