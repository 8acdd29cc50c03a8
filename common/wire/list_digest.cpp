// The sums that prove a list whole. docs/protocol/sync-v1.md, section 7.
#include <algorithm>
#include <cassert>

#include "common/wire/lists.hpp"

namespace pf::wire {

namespace {

constexpr std::size_t revoked_key_bytes = 8;

/// SHA-256 of CBOR [key, body]: the heads keep a key's end and a body's beginning apart.
Digest row_hash(BytesView key, BytesView body) {
    cbor::Encoder out;
    out.array(2).bytes(key).bytes(body);
    return crypto::sha256(out.view());
}

/// sum + term modulo 2^256, both big endian.
void add_to(Digest& sum, const Digest& term) {
    unsigned carry = 0;
    for (std::size_t i = sum.size(); i-- > 0;) {
        carry += unsigned{sum[i]} + term[i];
        sum[i] = static_cast<Byte>(carry);
        carry >>= 8U;
    }
}

/// The number that added to `term` gives 0 modulo 2^256.
Digest negated(const Digest& term) {
    Digest out{};
    unsigned carry = 1;
    for (std::size_t i = out.size(); i-- > 0;) {
        carry += static_cast<Byte>(~term[i]);
        out[i] = static_cast<Byte>(carry);
        carry >>= 8U;
    }
    return out;
}

}  // namespace

ListDigest ListDigest::from_sums(std::span<const Digest> sums) {
    assert(sums.size() == bucket_count);
    ListDigest out;
    std::copy_n(sums.begin(), std::min(sums.size(), bucket_count), out.sums_.begin());
    return out;
}

void ListDigest::add(BytesView key, BytesView body) {
    add_to(sums_[bucket_of(key)], row_hash(key, body));
}

void ListDigest::remove(BytesView key, BytesView body) {
    add_to(sums_[bucket_of(key)], negated(row_hash(key, body)));
}

Digest ListDigest::root() const {
    crypto::Sha256 hash;
    for (const Digest& sum : sums_) hash.update(sum);
    return hash.finish();
}

std::uint8_t bucket_of(ListScope scope, BytesView key) noexcept {
    // A key of `tickets` begins with its carrier kind, which would put every row into four buckets.
    const std::size_t at = scope == ListScope::tickets ? 1 : 0;
    assert(key.size() > at);
    return key.size() > at ? key[at] : Byte{0};
}

std::uint8_t bucket_of(BytesView key) noexcept {
    return bucket_of(key.size() == revoked_key_bytes ? ListScope::revoked : ListScope::tickets,
                     key);
}

}  // namespace pf::wire
