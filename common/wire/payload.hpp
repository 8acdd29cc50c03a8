#pragma once
// What every codec of this room does at its two ends, and the shapes several of them share.
#include <cassert>
#include <utility>

#include "common/journal/event_fields.hpp"
#include "common/wire/messages.hpp"

namespace pf::wire {

using codec::Blob;
using codec::List;
using codec::number_max;
using codec::Of;
using codec::Pair;
using codec::Plain;
using codec::Text;
using codec::Uint;
using codec::Upto;

inline constexpr Upto scope_shape{ListScope::tickets};
inline constexpr Upto device_kind_shape{DeviceKind::handheld};
inline constexpr Uint counter_shape{0, number_max};
/// [[document type, version], …]; a newer server may name types we do not know.
inline constexpr List<Pair<Uint, Uint>> document_versions_shape{
    0, states_max, {Uint{1}, counter_shape}};

void fields(auto& io, Of<ListState> auto& v) {
    io(1, v.scope, scope_shape);
    io(2, v.generation);
    io(3, v.version, counter_shape);
    io(4, v.root);
}
inline constexpr List<> list_states_shape{0, std::size(list_scopes)};

template <class T>
Bytes payload_of(const T& message, std::size_t bytes_max = payload_bytes_max) {
    cbor::Encoder out;
    codec::write_map(out, message);
    assert(out.view().size() <= bytes_max);
    static_cast<void>(bytes_max);
    return out.take();
}

/// Reads into `message`; what its fields cannot say, `check(message, in)` refuses.
template <class T, class Check>
Decoded<T> message_from(BytesView bytes, T message, std::size_t bytes_max, Check check) {
    if (bytes.size() > bytes_max) return Fault::out_of_range;
    cbor::Decoder in{bytes};
    codec::read_map(in, message);
    in.finish();
    if (in.ok()) check(std::as_const(message), in);
    if (!in.ok()) return *in.fault();
    return message;
}

template <class T>
Decoded<T> message_from(BytesView bytes, std::size_t bytes_max = payload_bytes_max) {
    return message_from(bytes, codec::blank<T>(), bytes_max, [](const T&, cbor::Decoder&) {});
}

/// A device has one copy of a list; naming a scope twice is refused.
inline void refuse_scope_twice(const std::vector<ListState>& lists, cbor::Decoder& in) {
    if (lists.size() == 2 && lists[0].scope == lists[1].scope) in.refuse(Fault::duplicate_key);
}

}  // namespace pf::wire
