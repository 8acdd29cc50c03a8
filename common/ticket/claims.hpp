#pragma once
// What a ticket says. Shape: docs/protocol/ticket-v1.md, section 4.
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "common/base/ids.hpp"
#include "common/base/time.hpp"
#include "common/cbor/cbor.hpp"

namespace pf::ticket {

/// Who walks through. Numbers are in printed codes: append, never reuse.
enum class PersonType : std::uint8_t {
    adult = 1,
    child = 2,
    senior = 3,
    student = 4,
    soldier = 5,
    disabled = 6,
    guide = 7,
    press = 8,
    free = 9,  // any other free admission
};
std::optional<PersonType> person_type_from(std::uint64_t number) noexcept;
/// "adult": the key used in APIs and files.
std::string_view to_text(PersonType type) noexcept;
std::optional<PersonType> person_type_from(std::string_view text) noexcept;

/// What `entries` counts within.
enum class Scope : std::uint8_t {
    validity = 0,  // the whole of first day to last day
    day = 1,       // each day anew
};

/// The right to enter one site with one product.
struct Entitlement {
    SiteId site;
    ProductId product;
    Day first_day;
    Day last_day;               // inclusive
    WindowId window;            // 0: the whole day
    std::uint16_t entries = 1;  // times every person may enter within the scope
    Scope scope = Scope::validity;
    friend bool operator==(const Entitlement&, const Entitlement&) = default;
};

/// Ties a ticket to a document without naming anyone: HMAC-SHA-256 of the document under the holder
/// key, cut to 8 bytes.
struct Holder {
    std::uint16_t key = 0;
    std::array<Byte, 8> hash{};
    friend bool operator==(const Holder&, const Holder&) = default;
};

struct Claims {
    TicketId id;
    std::uint32_t generation = 1;  // raised by reissue and reschedule
    PersonType person_type = PersonType::adult;
    std::uint16_t persons = 1;
    std::optional<Holder> holder;
    std::vector<Entitlement> entitlements;
    friend bool operator==(const Claims&, const Claims&) = default;
};

inline constexpr std::uint16_t persons_max = 999;
inline constexpr std::uint16_t entries_max = 999;
inline constexpr std::size_t entitlements_max = 8;
inline constexpr int validity_days_max = 1100;  // three years: no printed ticket lives longer
inline constexpr int first_day_max = 65535;     // 2149-06-06: a day never takes over 3 bytes

/// Why claims can't be. A sale that would make such a ticket is refused with the same word.
enum class ClaimsFault : std::uint8_t {
    persons_out_of_range = 1,
    entries_out_of_range,
    no_entitlement,
    too_many_entitlements,
    days_reversed,
    validity_too_long,
    site_twice_with_product,  // two entitlements may not share site and product: uses are counted
                              // by them
    day_out_of_range,         // before 1970, or the first day after 2149
    generation_out_of_range,  // 0
};
std::string_view to_text(ClaimsFault fault) noexcept;
std::optional<ClaimsFault> check(const Claims& claims) noexcept;

/// Deterministic CBOR. Encoding claims that fail check() is a bug.
Bytes encode(const Claims& claims);
/// Reads one claims map; faults stick to the decoder. Also checks what check() checks (as
/// out_of_range).
Claims decode_claims(cbor::Decoder& in);

/// The part of the claims a list entry carries for one carrier at one site (wire::ListEntry body).
void encode_entitlements(cbor::Encoder& out, const std::vector<Entitlement>& entitlements);
std::vector<Entitlement> decode_entitlements(cbor::Decoder& in);

}  // namespace pf::ticket
