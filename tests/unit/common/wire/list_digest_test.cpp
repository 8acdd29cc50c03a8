#include <doctest/doctest.h>

#include "common/wire/lists.hpp"
#include "tests/unit/common/wire/any_message.hpp"

using namespace pf;

namespace {

using Rows = std::vector<std::pair<Bytes, Bytes>>;

Rows any_rows(tests::Rng& rng, std::size_t count, std::size_t key_bytes) {
    Rows rows;
    for (std::size_t i = 0; i < count; ++i) {
        rows.emplace_back(tests::any_bytes(rng, key_bytes, key_bytes),
                          tests::any_bytes(rng, 0, 40));
    }
    return rows;
}

wire::ListDigest digest_of(const Rows& rows) {
    wire::ListDigest digest;
    for (const auto& [key, body] : rows) digest.add(key, body);
    return digest;
}

}  // namespace

TEST_CASE("rows in any order have one digest, and removing undoes adding") {
    for (std::uint64_t seed = 1; seed <= 30; ++seed) {
        CAPTURE(seed);
        tests::Rng rng{seed};
        const Rows rows = any_rows(rng, 200, rng.percent(50) ? 8 : 25);
        Rows shuffled = rows;
        rng.shuffle(shuffled);
        wire::ListDigest digest = digest_of(rows);
        CHECK(digest == digest_of(shuffled));
        CHECK(digest.root() == digest_of(shuffled).root());

        // Taking away the second half leaves the first.
        for (std::size_t i = 100; i < 200; ++i) {
            digest.remove(shuffled[i].first, shuffled[i].second);
        }
        const Rows half(shuffled.begin(), shuffled.begin() + 100);
        CHECK(digest == digest_of(half));
        for (const auto& [key, body] : half) digest.remove(key, body);
        CHECK(digest == wire::ListDigest{});
    }
}

TEST_CASE("a digest sees every difference") {
    tests::Rng rng{9};
    const Rows rows = any_rows(rng, 50, 25);
    const Digest root = digest_of(rows).root();
    for (std::size_t i = 0; i < rows.size(); ++i) {
        CAPTURE(i);
        Rows missing = rows;
        missing.erase(missing.begin() + static_cast<std::ptrdiff_t>(i));
        CHECK(digest_of(missing).root() != root);
        Rows twice = rows;
        twice.push_back(rows[i]);
        CHECK(digest_of(twice).root() != root);
        Rows changed = rows;
        changed[i].second.push_back(0);
        CHECK(digest_of(changed).root() != root);
    }
    // The end of the key is not the beginning of the body.
    wire::ListDigest a, b;
    a.add(*from_hex("0102030405060708"), *from_hex("09"));
    b.add(*from_hex("01020304050607080900000000000000000000000000000000"), {});
    CHECK_FALSE(a == b);
}

TEST_CASE("sums are SHA-256 of [key, body], added modulo 2^256") {
    const Bytes key = *from_hex("ab02030405060708");
    const Bytes body = *from_hex("820219505e");
    const Digest hash = crypto::sha256(*from_hex("8248ab0203040506070845820219505e"));
    wire::ListDigest digest;
    digest.add(key, body);
    CHECK(digest.sums()[0xab] == hash);
    CHECK(digest.sums()[0xac] == Digest{});

    // From the largest sum one more wraps around: (2^256 - 1) + h = h - 1.
    std::vector<Digest> sums(wire::bucket_count);
    sums[0xab].fill(0xff);
    wire::ListDigest wrapped = wire::ListDigest::from_sums(sums);
    wrapped.add(key, body);
    Digest one_less = hash;
    for (std::size_t i = one_less.size(); i-- > 0;) {
        if (one_less[i]-- != 0) break;
    }
    CHECK(wrapped.sums()[0xab] == one_less);
    wrapped.remove(key, body);
    CHECK(wrapped == wire::ListDigest::from_sums(sums));

    Bytes all;
    for (const Digest& sum : digest.sums()) all.insert(all.end(), sum.begin(), sum.end());
    CHECK(digest.root() == crypto::sha256(all));
    CHECK(wire::ListDigest::from_sums(digest.sums()) == digest);
}

TEST_CASE("a row's bucket is the first byte that is random") {
    const Bytes revoked = *from_hex("0102030405060708");
    CHECK(int{wire::bucket_of(revoked)} == 0x01);
    CHECK(int{wire::bucket_of(wire::ListScope::revoked, revoked)} == 0x01);
    Bytes carried(25);
    carried[0] = 2;
    carried[1] = 0xcd;
    CHECK(int{wire::bucket_of(carried)} == 0xcd);
    CHECK(int{wire::bucket_of(wire::ListScope::tickets, carried)} == 0xcd);
}
