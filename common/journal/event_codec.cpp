// The bytes of an event. docs/protocol/sync-v1.md, section 3; keys and numbers there are frozen.
#include <algorithm>
#include <utility>

#include "common/journal/event.hpp"
#include "common/journal/event_fields.hpp"

namespace pf::journal {

namespace {

using codec::Int;
using codec::Named;
using codec::number_max;
using codec::Of;
using codec::Text;
using codec::Uint;
using codec::Upto;

constexpr std::size_t event_items = 7;

/// Nothing a command let in can be undone by staff: there is no ticket to give it back to.
std::optional<Outcome::How> let_in_how(std::uint64_t number) noexcept {
    const auto how = static_cast<Outcome::How>(number);
    const bool known = number >= 1 && number <= static_cast<std::uint64_t>(Outcome::How::emergency);
    if (!known || how == Outcome::How::staff_undo) return std::nullopt;
    return how;
}

bool finding_code(std::string_view text) {
    const auto allowed = [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; };
    return !text.empty() && std::ranges::all_of(text, allowed);
}

}  // namespace

void fields(auto& io, Of<EpochOpened> auto& v) {
    io(1, v.why, Upto{EpochOpened::Why::damaged});
    io.maybe(2, v.parent);
    io(3, v.parent_seq, Uint{0, number_max});
    io(4, v.parent_head);
}

void fields(auto& io, Of<Booted> auto& v) { io(1, v.firmware, firmware_shape); }

void fields(auto& io, Of<ClockChanged> auto& v) {
    io(1, v.source, Upto{ClockChanged::Source::staff});
    io(2, v.moved_ms, Int{});
}

void fields(auto& io, Of<Seen> auto& v) {
    io(1, v.generation);
    io(2, v.revoked_version, Uint{0, number_max});
    io(3, v.tickets_version, Uint{0, number_max});
    io(4, v.uses_position, Uint{0, number_max});
}

void fields(auto& io, Of<Admitted> auto& v) {
    io(1, v.ticket);
    io(2, v.generation, Uint{1});
    io(3, v.site);
    io(4, v.product);
    io(5, v.point);
    io(6, v.day);
    io(7, v.persons, Uint{1, ticket::persons_max});
    io(8, v.person_type, person_type_shape);
    io(9, v.carrier, carrier_kind_shape);
    io(10, v.flags);
    io(11, v.awaits_passage);
    io(12, v.last_day);
    io(13, v.seen);
}

void fields(auto& io, Of<Refused> auto& v) {
    io(1, v.reason, reason_shape);
    io(2, v.carrier, carrier_kind_shape);
    io.maybe(3, v.ticket);
    io.maybe(4, v.code_hash);
    io.maybe(5, v.product);
    io(6, v.staff_asked);
}

void fields(auto& io, Of<Outcome> auto& v) {
    io(1, v.grant_seq, Uint{1, number_max});
    io(2, v.passed, Uint{0, ticket::persons_max});
    io(3, v.returned, Uint{0, ticket::persons_max});
    io(4, v.how, Upto{Outcome::How::emergency});
}

void fields(auto& io, Of<LaneAlarm> auto& v) {
    io(1, v.what, Upto{LaneAlarm::What::fire_over});
    io.maybe(2, v.grant_seq, Uint{1, number_max});
}

void fields(auto& io, Of<ListApplied> auto& v) {
    io(1, v.scope);
    io(2, v.generation);
    io(3, v.version, Uint{0, number_max});
    io(4, v.root);
}

void fields(auto& io, Of<CommandDone> auto& v) {
    io(1, v.id);
    io(2, v.kind);
    io(3, v.state);
}

void fields(auto& io, Of<Finding> auto& v) {
    io(1, v.code, Text{finding_code_chars_max, finding_code});
    io(2, v.detail, Text{detail_bytes_max});
}

void fields(auto& io, Of<Opened> auto& v) {
    io(1, v.command);
    io(2, v.persons, Uint{1, ticket::persons_max});
}

void fields(auto& io, Of<LetIn> auto& v) {
    io(1, v.opened_seq, Uint{1, number_max});
    io(2, v.passed, Uint{0, ticket::persons_max});
    io(3, v.how, Named<Outcome::How>{&let_in_how});
}

namespace {

template <std::size_t I>
void read_alternative(cbor::Decoder& in, Body& body) {
    codec::read_map(in, body.emplace<I>());
}

/// One reader per kind, by index in Body.
template <std::size_t... I>
constexpr auto readers(std::index_sequence<I...>) {
    return std::array{&read_alternative<I>...};
}
constexpr auto body_readers = readers(std::make_index_sequence<std::variant_size_v<Body>>{});

struct Head {
    Event event;  // all but the body
    std::uint8_t kind = 0;
};

Head read_head(cbor::Decoder& in) {
    Head head;
    in.array_of(event_items);
    Uint{1, number_max}.get(in, head.event.seq);
    Uint{1}.get(in, head.kind);
    codec::Plain{}.get(in, head.event.wall);
    codec::Plain{}.get(in, head.event.steady);
    codec::Plain{}.get(in, head.event.boot);
    clock_quality_shape.get(in, head.event.clock);
    return head;
}

/// A body of a kind this build does not know: a map, canonical to its innermost part.
bool skip_body(cbor::Decoder& in) {
    if (in.peek() != cbor::Type::map) return false;
    in.item();
    in.leave();
    in.finish();
    return in.ok();
}

}  // namespace

Bytes encode(const Event& event) {
    assert(event.seq >= 1 && event.seq <= number_max && to_ms(event.steady) >= 0);
    cbor::Encoder out;
    out.array(event_items).uint(event.seq).uint(kind_of(event.body));
    out.integer(to_ms(event.wall)).integer(to_ms(event.steady));
    out.bytes(to_be8(event.boot.value)).uint(static_cast<std::uint64_t>(event.clock));
    std::visit([&out](const auto& body) { codec::write_map(out, body); }, event.body);
    assert(out.view().size() <= event_bytes_max);
    return out.take();
}

Result<Event, Fault> decode(BytesView bytes) {
    if (bytes.size() > event_bytes_max) return Fault::malformed;
    cbor::Decoder in{bytes};
    Head head = read_head(in);
    if (!in.ok()) return Fault::malformed;
    if (head.kind > body_readers.size()) {
        return skip_body(in) ? Fault::kind_unknown : Fault::malformed;
    }
    body_readers[head.kind - 1U](in, head.event.body);
    in.leave();
    in.finish();
    if (!in.ok()) return Fault::malformed;
    return std::move(head.event);
}

Result<std::uint64_t, Fault> seq_of(BytesView bytes) {
    if (bytes.size() > event_bytes_max) return Fault::malformed;
    cbor::Decoder in{bytes};
    const Head head = read_head(in);
    if (!in.ok() || !skip_body(in)) return Fault::malformed;
    return head.event.seq;
}

}  // namespace pf::journal
