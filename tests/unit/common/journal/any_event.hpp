#pragma once
// Events of every kind, filled from a seed: every optional sometimes there, every number at its
// edges sometimes.
#include "common/journal/event.hpp"
#include "tests/support/rng.hpp"

namespace pf::tests {

inline std::uint64_t any_number(Rng& rng, std::uint64_t min, std::uint64_t max) {
    if (rng.percent(15)) return min;
    if (rng.percent(15)) return max;
    // Any width: small heads and wide ones are written differently.
    const std::uint64_t span = max - min;
    const std::uint64_t wide = rng.next() >> rng.below(64);
    return span == UINT64_MAX ? wide : min + wide % (span + 1);
}

inline std::uint64_t any_counter(Rng& rng, std::uint64_t min = 0) {
    return any_number(rng, min, INT64_MAX);
}

template <std::size_t N>
std::array<Byte, N> any_array(Rng& rng) {
    std::array<Byte, N> out{};
    for (Byte& byte : out) byte = static_cast<Byte>(rng.below(256));
    return out;
}

inline Bytes any_bytes(Rng& rng, std::size_t min, std::size_t max) {
    Bytes out(any_number(rng, min, max));
    for (Byte& byte : out) byte = static_cast<Byte>(rng.below(256));
    return out;
}

template <class E>
E any_enum(Rng& rng, E last) {
    return static_cast<E>(1 + rng.below(static_cast<std::uint64_t>(last)));
}

inline Day any_day(Rng& rng) {
    return {static_cast<std::int32_t>(rng.between(INT32_MIN, INT32_MAX))};
}

inline std::string any_text(Rng& rng, std::size_t bytes_max) {
    constexpr std::string_view pieces[] = {"a", "7", " ", "闸", "é", "\n", "🎫", "-"};
    std::string out;
    for (std::uint64_t left = rng.below(bytes_max + 1); left > 0; --left) {
        const std::string_view piece = rng.pick(pieces);
        if (out.size() + piece.size() <= bytes_max) out += piece;
    }
    return out;
}

inline std::string any_ascii(Rng& rng, std::size_t min, std::size_t max) {
    std::string out(any_number(rng, min, max), ' ');
    for (char& c : out) c = static_cast<char>(rng.between(' ', '~'));
    return out;
}

inline DeviceId any_device(Rng& rng) {
    constexpr std::string_view alphabet = "abcdefghijklmnopqrstuvwxyz0123456789-";
    std::string out(any_number(rng, 1, DeviceId::length_max), '-');
    for (char& c : out) c = rng.pick(alphabet);
    return *DeviceId::parse(out);
}

inline journal::Cursor any_cursor(Rng& rng) {
    return {{rng.next()}, any_counter(rng), any_array<32>(rng)};
}

inline admission::Reason any_reason(Rng& rng) {
    const auto all = admission::all_words();
    return rng.pick(all).reason;
}

inline journal::Admitted any_admitted(Rng& rng) {
    return {
        .ticket = {rng.next()},
        .generation = static_cast<std::uint32_t>(any_number(rng, 1, UINT32_MAX)),
        .site = {static_cast<std::uint32_t>(rng.next())},
        .product = {static_cast<std::uint32_t>(any_number(rng, 0, UINT32_MAX))},
        .point = {static_cast<std::uint32_t>(any_number(rng, 0, UINT32_MAX))},
        .day = any_day(rng),
        .persons = static_cast<std::uint16_t>(any_number(rng, 1, ticket::persons_max)),
        .person_type = any_enum(rng, ticket::PersonType::free),
        .carrier = any_enum(rng, admission::CarrierKind::card),
        .flags = static_cast<std::uint32_t>(rng.below(64)),
        .awaits_passage = rng.percent(50),
        .last_day = any_day(rng),
        .seen = {{rng.next()}, any_counter(rng), any_counter(rng), any_counter(rng)},
    };
}

inline journal::Refused any_refused(Rng& rng) {
    journal::Refused out;
    out.reason = any_reason(rng);
    out.carrier = any_enum(rng, admission::CarrierKind::card);
    if (rng.percent(50)) out.ticket = TicketId{rng.next()};
    if (rng.percent(50)) out.code_hash = any_array<8>(rng);
    if (rng.percent(50)) out.product = ProductId{static_cast<std::uint32_t>(rng.next())};
    out.staff_asked = rng.percent(50);
    return out;
}

/// `index` in journal::Body.
inline journal::Body any_body(Rng& rng, std::size_t index) {
    using namespace journal;
    switch (index) {
        case 0: {
            EpochOpened out;
            out.why = any_enum(rng, EpochOpened::Why::damaged);
            if (rng.percent(50)) out.parent = Epoch{rng.next()};
            out.parent_seq = any_counter(rng);
            out.parent_head = any_array<32>(rng);
            return out;
        }
        case 1:
            return Booted{any_ascii(rng, 0, firmware_chars_max)};
        case 2:
            return ClockChanged{any_enum(rng, ClockChanged::Source::staff),
                                rng.between(INT64_MIN, INT64_MAX) >> rng.below(64)};
        case 3:
            return any_admitted(rng);
        case 4:
            return any_refused(rng);
        case 5:
            return Outcome{any_counter(rng, 1), static_cast<std::uint16_t>(rng.below(1000)),
                           static_cast<std::uint16_t>(rng.below(1000)),
                           any_enum(rng, Outcome::How::emergency)};
        case 6: {
            LaneAlarm out;
            out.what = any_enum(rng, LaneAlarm::What::fire_over);
            if (rng.percent(50)) out.grant_seq = any_counter(rng, 1);
            return out;
        }
        case 7:
            return ListApplied{static_cast<std::uint8_t>(rng.below(256)),
                               {rng.next()},
                               any_counter(rng),
                               any_array<32>(rng)};
        case 8:
            return CommandDone{any_array<16>(rng), static_cast<std::uint8_t>(rng.below(256)),
                               static_cast<std::uint8_t>(rng.below(256))};
        case 9:
            return Finding{std::string(any_number(rng, 1, finding_code_chars_max), 'x'),
                           any_text(rng, detail_bytes_max)};
        case 10:
            return Opened{any_array<16>(rng), static_cast<std::uint16_t>(rng.between(1, 999))};
        default:
            // Never undone by staff: there is no ticket.
            return LetIn{
                any_counter(rng, 1), static_cast<std::uint16_t>(rng.below(1000)),
                rng.percent(50) ? any_enum(rng, Outcome::How::unknown) : Outcome::How::emergency};
    }
}

inline journal::Event any_event(Rng& rng, std::size_t index) {
    return {.seq = any_counter(rng, 1),
            .wall = wall_from_ms(rng.between(INT64_MIN, INT64_MAX) >> rng.below(64)),
            .steady = SteadyTime{Millis{static_cast<std::int64_t>(any_counter(rng))}},
            .boot = {rng.next()},
            .clock = any_enum(rng, journal::ClockQuality::confirmed),
            .body = any_body(rng, index)};
}

inline journal::Event any_event(Rng& rng) {
    return any_event(rng, rng.below(std::variant_size_v<journal::Body>));
}

}  // namespace pf::tests
