// What the signed documents say. docs/protocol/sync-v1.md, section 6.
#include "common/wire/documents.hpp"
#include "common/wire/payload.hpp"

namespace pf {

constexpr std::int32_t utc_offset_min_min = -12 * 60;
constexpr std::int32_t utc_offset_min_max = 14 * 60;
constexpr std::int32_t day_begins_min_max = 12 * 60;
constexpr std::uint64_t day_min = 24 * 60;

void fields(auto& io, codec::Of<Calendar> auto& v) {
    io(1, v.utc_offset_min, codec::Int{utc_offset_min_min, utc_offset_min_max});
    io(2, v.day_begins_min, codec::Int{0, day_begins_min_max});
}

}  // namespace pf

namespace pf::admission {

using codec::List;
using codec::Of;
using codec::Text;
using codec::Uint;
using codec::Upto;

constexpr std::size_t person_types_max = 9;

void fields(auto& io, Of<Window> auto& v) {
    io(1, v.id, Uint{1});  // 0 is the whole day and needs no row
    io(2, v.from_min, Uint{0, day_min});
    io(3, v.until_min, Uint{0, day_min});
}

void fields(auto& io, Of<Product> auto& v) {
    io(1, v.id);
    io(2, v.name_zh, Text{wire::text_bytes_max});
    io(3, v.name_en, Text{wire::text_bytes_max});
    io(4, v.points, List<>{0, wire::product_points_max});
    io(5, v.stale, Upto{StaleRule::refuse});
    io(6, v.certificate,
       List<codec::Named<ticket::PersonType>>{0, person_types_max, journal::person_type_shape});
}

/// Site and version travel in the envelope.
void fields(auto& io, Of<ProductTable> auto& v) {
    io(1, v.calendar);
    io(2, v.windows, List<>{0, wire::windows_max});
    io(3, v.products, List<>{0, wire::products_max});
}

}  // namespace pf::admission

namespace pf::wire {

namespace {

constexpr std::size_t point_bytes = 65;

/// The key ring as it travels: points, not yet known to lie on the curve.
struct Points {
    std::vector<std::array<Byte, point_bytes>> tickets;
};
void fields(auto& io, Of<Points> auto& v) { io(1, v.tickets, List<>{0, ticket_keys_max}); }

}  // namespace

void fields(auto& io, Of<ListManifest> auto& v) {
    io(1, v.scope, scope_shape);
    io(2, v.root);
    io(3, v.rows, counter_shape);
    io(4, v.fresh_until);
}

void fields(auto& io, Of<LaneSettings> auto& v) {
    io(1, v.pulse_ms);
    io(2, v.passage_wait_ms);
}

void fields(auto& io, Of<Configuration> auto& v) {
    io(1, v.number, Text{number_bytes_max});
    io(2, v.name_zh, Text{text_bytes_max});
    io(3, v.name_en, Text{text_bytes_max});
    io(4, v.kind, device_kind_shape);
    io(5, v.spot);
    io(6, v.point);
    io(7, v.products, List<>{0, products_max});
    io(8, v.lane);
    io(9, v.online_within_ms);
}

void fields(auto& io, Of<SiteKey> auto& v) {
    io(1, v.id);
    io(2, v.key);
}

void fields(auto& io, Of<Secrets> auto& v) {
    io(1, v.carrier_keys, List<>{0, site_keys_max});
    io(2, v.holder_keys, List<>{0, site_keys_max});
}

void fields(auto& io, Of<Command> auto& v) {
    io(1, v.id);
    io(2, v.kind, Upto{CommandKind::resend});
    io(3, v.expires_at);
    io(4, v.issuer, Text{number_bytes_max});
    io(5, v.persons, Uint{1, ticket::persons_max});
    io(6, v.text, Text{command_text_bytes_max});
    io(7, v.from_seq, counter_shape);
}

Bytes encode(const ListManifest& body) { return payload_of(body, document_bytes_max); }
Bytes encode(const KeyRing& body) {
    Points points;
    for (const crypto::PublicKey& key : body.tickets) points.tickets.push_back(key.point());
    return payload_of(points, document_bytes_max);
}
std::size_t encoded_bytes(const admission::ProductTable& body) {
    return payload_of(body, SIZE_MAX).size();
}
Bytes encode(const admission::ProductTable& body) { return payload_of(body, document_bytes_max); }
Bytes encode(const Configuration& body) { return payload_of(body, document_bytes_max); }
Bytes encode(const Secrets& body) { return payload_of(body, document_bytes_max); }
Bytes encode(const Command& body) { return payload_of(body, document_bytes_max); }

Decoded<ListManifest> decode_list_manifest(BytesView bytes) {
    return message_from<ListManifest>(bytes, document_bytes_max);
}

Decoded<KeyRing> decode_key_ring(BytesView bytes) {
    const auto points = message_from<Points>(bytes, document_bytes_max);
    if (!points) return points.error();
    KeyRing ring;
    for (const auto& point : points->tickets) {
        auto key = crypto::PublicKey::from_point(point);
        if (!key) return Fault::out_of_range;
        ring.tickets.push_back(std::move(*key));
    }
    return ring;
}

Decoded<admission::ProductTable> decode_product_table(BytesView bytes) {
    return message_from(bytes, admission::ProductTable{}, document_bytes_max,
                        [](const admission::ProductTable& table, cbor::Decoder& in) {
                            for (const admission::Window& window : table.windows) {
                                if (window.from_min >= window.until_min) {
                                    in.refuse(Fault::out_of_range);
                                }
                            }
                        });
}

Decoded<Configuration> decode_configuration(BytesView bytes) {
    return message_from<Configuration>(bytes, document_bytes_max);
}
Decoded<Secrets> decode_secrets(BytesView bytes) {
    return message_from<Secrets>(bytes, document_bytes_max);
}
Decoded<Command> decode_command(BytesView bytes) {
    return message_from<Command>(bytes, document_bytes_max);
}

}  // namespace pf::wire
