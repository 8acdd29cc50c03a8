#pragma once
// Messages and documents of every type, filled from a seed.
#include <set>

#include "common/wire/documents.hpp"
#include "common/wire/lists.hpp"
#include "tests/unit/common/journal/any_event.hpp"

namespace pf::tests {

inline std::uint8_t any_u8(Rng& rng) { return static_cast<std::uint8_t>(any_number(rng, 0, 255)); }
inline std::uint32_t any_u32(Rng& rng, std::uint32_t min = 0) {
    return static_cast<std::uint32_t>(any_number(rng, min, UINT32_MAX));
}
inline std::uint64_t any_u64(Rng& rng) { return any_number(rng, 0, UINT64_MAX); }
inline WallTime any_wall(Rng& rng) {
    return wall_from_ms(rng.between(INT64_MIN, INT64_MAX) >> rng.below(64));
}

template <class Make>
auto any_list(Rng& rng, std::size_t max, Make make) {
    std::vector<decltype(make(rng))> out;
    for (std::uint64_t left = rng.below(max + 1); left > 0; --left) out.push_back(make(rng));
    return out;
}

inline std::vector<wire::ListState> any_states(Rng& rng) {
    std::vector<wire::ListState> out;
    for (const wire::ListScope scope : wire::list_scopes) {
        if (rng.percent(70)) {
            out.push_back({scope, {any_u64(rng)}, any_counter(rng), any_array<32>(rng)});
        }
    }
    if (rng.percent(50)) rng.shuffle(out);
    return out;
}

inline std::vector<std::pair<std::uint8_t, std::uint64_t>> any_documents(Rng& rng) {
    return any_list(rng, wire::states_max, [](Rng& r) {
        return std::pair{static_cast<std::uint8_t>(r.between(1, 255)), any_counter(r)};
    });
}

inline wire::Birth any_birth(Rng& rng) {
    wire::Birth out;
    out.connect_counter = any_u64(rng);
    out.boot = {rng.next()};
    out.kind = any_enum(rng, wire::DeviceKind::handheld);
    out.firmware = any_ascii(rng, 0, journal::firmware_chars_max);
    out.journal = any_cursor(rng);
    if (rng.percent(50)) out.confirmed = any_cursor(rng);
    out.confirmed_generation = {any_u64(rng)};
    out.lists = any_states(rng);
    out.uses_generation = {any_u64(rng)};
    out.uses_position = any_counter(rng);
    out.documents = any_documents(rng);
    out.wall = any_wall(rng);
    out.clock = any_enum(rng, journal::ClockQuality::confirmed);
    return out;
}

inline wire::Batch any_batch(Rng& rng) {
    wire::Batch out{any_device(rng), {rng.next()}, 1, {}, {}, {}};
    out.first_seq = any_number(rng, 1, INT64_MAX - wire::batch_events_max);
    out.head_before = any_array<32>(rng);
    const std::size_t count = rng.percent(10) ? wire::batch_events_max : 1 + rng.below(5);
    while (out.events.size() < count) out.events.push_back(encode(any_event(rng)));
    out.signature = any_array<64>(rng);
    return out;
}

inline wire::Want any_want(Rng& rng) {
    return {any_enum(rng, wire::Want::What::document),
            any_u64(rng),
            any_enum(rng, wire::ListScope::tickets),
            {any_u64(rng)},
            any_counter(rng),
            any_counter(rng),
            any_u8(rng),
            any_bytes(rng, 0, wire::list_key_bytes_max),
            any_counter(rng),
            any_u8(rng)};
}

inline wire::CommandReply any_reply(Rng& rng) {
    return {any_array<16>(rng), any_enum(rng, wire::CommandState::failed),
            any_text(rng, wire::detail_bytes_max)};
}

inline wire::Ack any_ack(Rng& rng) {
    return {
        {any_u64(rng)}, any_cursor(rng), any_list(rng, 20, [](Rng& r) {
            return std::pair{any_counter(r, 1), any_enum(r, wire::Ack::EventVerdict::clock_wrong)};
        })};
}

inline wire::News any_news(Rng& rng) {
    return {{any_u64(rng)}, any_states(rng), any_counter(rng), any_documents(rng)};
}

inline wire::Chunk any_chunk(Rng& rng) {
    wire::Chunk out;
    out.request = any_u64(rng);
    out.what = any_enum(rng, wire::Want::What::snapshot);
    if (rng.percent(30)) out.what = wire::Want::What::bucket;
    out.scope = any_enum(rng, wire::ListScope::tickets);
    out.generation = {any_u64(rng)};
    out.from_version = any_counter(rng);
    out.to_version = any_counter(rng);
    out.bucket = any_u8(rng);
    out.last = rng.percent(50);
    const std::size_t key_bytes = out.scope == wire::ListScope::revoked ? 8 : 25;
    std::vector<Bytes> bodies{{}};  // an empty body is not a deleted row
    for (int i = 0; i < 5; ++i) bodies.push_back(any_bytes(rng, 0, wire::list_body_bytes_max));
    std::set<Bytes> keys;
    for (std::uint64_t left = rng.below(60); left > 0; --left) {
        keys.insert(any_bytes(rng, key_bytes, key_bytes));
    }
    for (const Bytes& key : keys) {
        const bool deleted = out.what == wire::Want::What::difference && rng.percent(20);
        out.rows.push_back({key, deleted ? std::optional<Bytes>{} : rng.pick(bodies)});
    }
    out.manifest = any_bytes(rng, 0, wire::manifest_bytes_max);
    out.snapshot_needed = rng.percent(20);
    return out;
}

inline wire::Buckets any_buckets(Rng& rng) {
    wire::Buckets out;
    out.request = any_u64(rng);
    out.scope = any_enum(rng, wire::ListScope::tickets);
    out.generation = {any_u64(rng)};
    out.version = any_counter(rng);
    for (std::size_t i = 0; i < wire::bucket_count; ++i) out.sums.push_back(any_array<32>(rng));
    out.manifest = any_bytes(rng, 0, wire::manifest_bytes_max);
    return out;
}

inline wire::Uses any_uses(Rng& rng) {
    wire::Uses out;
    out.request = any_u64(rng);
    out.generation = {any_u64(rng)};
    out.after = any_counter(rng);
    out.upto = any_counter(rng, out.after);
    out.more = rng.percent(50);
    out.items = any_list(rng, 20, [](Rng& r) {
        const auto persons = static_cast<std::uint16_t>(r.below(1000));
        return wire::UseItem{.grant = {any_device(r), {r.next()}, any_counter(r, 1)},
                             .ticket = {r.next()},
                             .product = {any_u32(r)},
                             .day = any_day(r),
                             .last_day = any_day(r),
                             .persons = persons,
                             .return_pending = r.percent(50),
                             .at = any_wall(r),
                             .unseen = static_cast<std::uint16_t>(r.below(persons + 1U)),
                             .automatic_return = r.percent(50)};
    });
    return out;
}

inline wire::Document any_document(Rng& rng) {
    wire::Document out;
    out.type = any_enum(rng, wire::DocumentType::command);
    out.site = {any_u32(rng)};
    if (rng.percent(50)) out.device = any_device(rng);
    out.generation = {any_u64(rng)};
    out.version = any_counter(rng);
    out.issued_at = any_wall(rng);
    out.body = any_bytes(rng, 0, 300);
    return out;
}

inline wire::ListManifest any_manifest(Rng& rng) {
    return {any_enum(rng, wire::ListScope::tickets), any_array<32>(rng), any_counter(rng),
            any_wall(rng)};
}

inline admission::ProductTable any_product_table(Rng& rng) {
    admission::ProductTable out;
    out.calendar = {static_cast<std::int32_t>(rng.between(-720, 840)),
                    static_cast<std::int32_t>(rng.between(0, 720))};
    out.windows = any_list(rng, 5, [](Rng& r) {
        const auto from = static_cast<std::uint16_t>(r.below(1440));
        const auto until = static_cast<std::uint16_t>(r.between(from + 1, 1440));
        return admission::Window{{any_u32(r, 1)}, from, until};
    });
    out.products = any_list(rng, 5, [](Rng& r) {
        admission::Product product;
        product.id = {any_u32(r)};
        product.name_zh = any_text(r, wire::text_bytes_max);
        product.name_en = any_text(r, wire::text_bytes_max);
        product.points = any_list(r, 4, [](Rng& s) { return PointId{any_u32(s)}; });
        product.stale = any_enum(r, admission::StaleRule::refuse);
        product.certificate =
            any_list(r, 9, [](Rng& s) { return any_enum(s, ticket::PersonType::free); });
        return product;
    });
    return out;
}

inline wire::Configuration any_configuration(Rng& rng) {
    wire::Configuration out;
    out.number = any_text(rng, wire::number_bytes_max);
    out.name_zh = any_text(rng, wire::text_bytes_max);
    out.name_en = any_text(rng, wire::text_bytes_max);
    out.kind = any_enum(rng, wire::DeviceKind::handheld);
    out.spot = {any_u32(rng)};
    out.point = {any_u32(rng)};
    out.products = any_list(rng, 6, [](Rng& r) { return ProductId{any_u32(r)}; });
    out.lane = {any_u32(rng), any_u32(rng)};
    out.online_within_ms = any_u32(rng);
    return out;
}

inline wire::Secrets any_secrets(Rng& rng) {
    const auto key = [](Rng& r) {
        return wire::SiteKey{static_cast<std::uint16_t>(r.below(65536)), any_array<32>(r)};
    };
    return {any_list(rng, 2, key), any_list(rng, 2, key)};
}

inline wire::Command any_command(Rng& rng) {
    return {any_array<16>(rng),
            any_enum(rng, wire::CommandKind::resend),
            any_wall(rng),
            any_text(rng, wire::number_bytes_max),
            static_cast<std::uint16_t>(any_number(rng, 1, ticket::persons_max)),
            any_text(rng, wire::command_text_bytes_max),
            any_counter(rng)};
}

inline ticket::Claims any_site_claims(Rng& rng) {
    ticket::Claims out;
    out.id = {rng.next()};
    out.generation = any_u32(rng, 1);
    out.person_type = any_enum(rng, ticket::PersonType::free);
    out.persons = static_cast<std::uint16_t>(any_number(rng, 1, ticket::persons_max));
    const std::uint64_t count = 1 + rng.below(ticket::entitlements_max);
    for (std::uint32_t i = 0; i < count; ++i) {
        const Day first{static_cast<std::int32_t>(rng.between(0, 40'000))};
        const int days = static_cast<int>(rng.below(ticket::validity_days_max));
        out.entitlements.push_back(
            {.site = {7},
             .product = {i + 1},
             .first_day = first,
             .last_day = first + days,
             .window = {static_cast<std::uint32_t>(rng.below(100))},
             .entries = static_cast<std::uint16_t>(any_number(rng, 1, ticket::entries_max)),
             .scope = rng.percent(50) ? ticket::Scope::day : ticket::Scope::validity});
    }
    return out;
}

inline wire::Carried any_carried(Rng& rng) {
    return {any_enum(rng, admission::CarrierKind::card), any_array<16>(rng), any_site_claims(rng)};
}

}  // namespace pf::tests
