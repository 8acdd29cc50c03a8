// Rows of the two lists. docs/protocol/sync-v1.md, section 7.
#include "common/wire/lists.hpp"

#include <algorithm>
#include <cassert>

#include "common/journal/event_fields.hpp"

namespace pf::wire {

namespace {

constexpr std::size_t revoked_key_bytes = 8;
constexpr std::size_t tickets_key_bytes = 1 + 16 + 8;

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

std::string trimmed(std::string_view text) {
    while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
    return std::string{text};
}

/// Upper case, without white space and without the characters of `dropped`.
std::string folded(std::string_view text, std::string_view dropped) {
    std::string out;
    for (const char c : text) {
        if (!is_space(c) && dropped.find(c) == std::string_view::npos) out.push_back(upper(c));
    }
    return out;
}

void put_day(cbor::Encoder& out, Day day) { codec::Plain{}.put(out, day); }

template <std::size_t N>
std::array<Byte, N> first_of(const Digest& digest) {
    std::array<Byte, N> out{};
    std::copy_n(digest.begin(), N, out.begin());
    return out;
}

template <class T>
Decoded<T> outcome_of(const cbor::Decoder& in, T value) {
    if (!in.ok()) return *in.fault();
    return value;
}

}  // namespace

ListRow row_of(const Revoked& revoked) {
    const auto key = to_be8(revoked.ticket.value);
    cbor::Encoder body;
    body.array(2).uint(revoked.below);
    put_day(body, revoked.last_day);
    return {Bytes(key.begin(), key.end()), body.take()};
}

Decoded<Revoked> revoked_of(const ListRow& row) {
    const auto key = array_from<revoked_key_bytes>(row.key);
    if (!key || !row.body) return Fault::out_of_range;
    Revoked out;
    out.ticket.value = from_be8(*key);
    cbor::Decoder in{*row.body};
    in.array_of(2);
    codec::Uint{1}.get(in, out.below);
    codec::Plain{}.get(in, out.last_day);
    in.leave();
    in.finish();
    return outcome_of(in, out);
}

std::string normalise(admission::CarrierKind kind, std::string_view text) {
    switch (kind) {
        case admission::CarrierKind::signed_qr:
        case admission::CarrierKind::code:
            return trimmed(text);
        case admission::CarrierKind::document:
            return folded(text, "-");
        case admission::CarrierKind::card:
            return folded(text, "-:");
    }
    return trimmed(text);
}

CarrierHash carrier_hash(BytesView site_key, admission::CarrierKind kind,
                         std::string_view normalised) {
    Bytes input{static_cast<Byte>(kind)};
    const BytesView text = as_bytes(normalised);
    input.insert(input.end(), text.begin(), text.end());
    return first_of<16>(crypto::hmac_sha256(site_key, input));
}

std::array<Byte, 8> holder_hash(BytesView holder_key, std::string_view normalised_document) {
    return first_of<8>(crypto::hmac_sha256(holder_key, as_bytes(normalised_document)));
}

Bytes carrier_prefix(admission::CarrierKind kind, const CarrierHash& hash) {
    Bytes out{static_cast<Byte>(kind)};
    out.insert(out.end(), hash.begin(), hash.end());
    return out;
}

ListRow row_of(const Carried& carried) {
    assert(!carried.claims.holder && !ticket::check(carried.claims));
    ListRow row{carrier_prefix(carried.kind, carried.hash), std::nullopt};
    const auto id = to_be8(carried.claims.id.value);
    row.key.insert(row.key.end(), id.begin(), id.end());
    cbor::Encoder body;
    body.array(4).uint(carried.claims.generation);
    body.uint(static_cast<std::uint64_t>(carried.claims.person_type)).uint(carried.claims.persons);
    ticket::encode_entitlements(body, carried.claims.entitlements);
    row.body = body.take();
    assert(row.body->size() <= list_body_bytes_max);
    return row;
}

Decoded<Carried> carried_of(const ListRow& row) {
    if (row.key.size() != tickets_key_bytes || !row.body) return Fault::out_of_range;
    const BytesView key{row.key};
    Carried out;
    cbor::Decoder in{*row.body};
    if (key[0] < 1 || key[0] > static_cast<Byte>(admission::CarrierKind::card)) {
        in.refuse(Fault::out_of_range);
    }
    out.kind = static_cast<admission::CarrierKind>(key[0]);
    out.hash = *array_from<16>(key.subspan(1, 16));
    out.claims.id.value = from_be8(key.subspan<17, 8>());
    in.array_of(4);
    codec::Uint{1}.get(in, out.claims.generation);
    journal::person_type_shape.get(in, out.claims.person_type);
    codec::Uint{1, ticket::persons_max}.get(in, out.claims.persons);
    out.claims.entitlements = ticket::decode_entitlements(in);  // checked there
    in.leave();
    in.finish();
    return outcome_of(in, std::move(out));
}

}  // namespace pf::wire
