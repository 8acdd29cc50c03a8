#pragma once
// Rows of the two lists and the digest that proves a copy whole (invariant 4).
// docs/protocol/sync-v1.md, section 7.
#include <array>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "common/admission/decide.hpp"
#include "common/ticket/claims.hpp"
#include "common/wire/messages.hpp"

namespace pf::wire {

// --- rows
// ---------------------------------------------------------------------------------------------

/// A ticket whose generations below `below` are refused until its end; generation_all: every one.
struct Revoked {
    TicketId ticket;
    std::uint32_t below = admission::generation_all;
    Day last_day;
    friend bool operator==(const Revoked&, const Revoked&) = default;
};
ListRow row_of(const Revoked& revoked);
Decoded<Revoked> revoked_of(const ListRow& row);

/// Keyed hash of an opaque carrier: HMAC-SHA-256(site key, kind || normalised text), cut to 16
/// bytes.
using CarrierHash = std::array<Byte, 16>;
CarrierHash carrier_hash(BytesView site_key, admission::CarrierKind kind,
                         std::string_view normalised);
/// Codes: trimmed; documents: upper case, without spaces and hyphens; cards: upper-case
/// hexadecimal.
std::string normalise(admission::CarrierKind kind, std::string_view text);
/// Holder hash in the claims: HMAC-SHA-256(holder key, normalised document), cut to 8 bytes.
std::array<Byte, 8> holder_hash(BytesView holder_key, std::string_view normalised_document);

/// One ticket on one carrier, with the entitlements of one site.
struct Carried {
    admission::CarrierKind kind = admission::CarrierKind::code;
    CarrierHash hash{};
    ticket::Claims claims;  // only this site's entitlements, no holder
    friend bool operator==(const Carried&, const Carried&) = default;
};
ListRow row_of(const Carried& carried);
Decoded<Carried> carried_of(const ListRow& row);
/// The first 17 bytes of the keys of everything on one carrier.
Bytes carrier_prefix(admission::CarrierKind kind, const CarrierHash& hash);

// --- digest
// -------------------------------------------------------------------------------------------

/// 256 sums modulo 2^256 of SHA-256(row), by bucket. Adding and removing commute, so a difference
/// updates it without reading the rest.
class ListDigest {
public:
    static ListDigest from_sums(std::span<const Digest> sums);  // bucket_count of them
    void add(BytesView key, BytesView body);
    void remove(BytesView key, BytesView body);
    const std::array<Digest, bucket_count>& sums() const noexcept { return sums_; }
    /// SHA-256 of the 256 sums.
    Digest root() const;
    friend bool operator==(const ListDigest&, const ListDigest&) = default;

private:
    std::array<Digest, bucket_count> sums_{};
};
/// `revoked`: first byte of the key (ticket ids are random). `tickets`: first byte of the carrier
/// hash.
std::uint8_t bucket_of(ListScope scope, BytesView key) noexcept;
std::uint8_t bucket_of(BytesView key) noexcept;  // by key length: 8 bytes revoked, 25 tickets

}  // namespace pf::wire
