#include <doctest/doctest.h>

#include <algorithm>

#include "common/crypto/crypto.hpp"
#include "tests/support/fixed_entropy.hpp"

using namespace pf;
using namespace pf::crypto;

namespace {

/// Hands out the nonce of a published vector.
class GivenNonce final : public Entropy {
public:
    explicit GivenNonce(std::string_view hex) : bytes_{*from_hex(hex)} {}
    void fill(std::span<Byte> out) override {
        REQUIRE(out.size() == bytes_.size());
        std::ranges::copy(bytes_, out.begin());
    }

private:
    Bytes bytes_;
};

const Bytes key = *from_hex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308");

}  // namespace

TEST_CASE("AES-256-GCM agrees with the vectors of the GCM specification") {
    struct Case {
        const char* key;
        const char* nonce;
        const char* plain;
        const char* context;
        const char* sealed;  // without the nonce in front
    };
    const Case cases[] = {
        {"0000000000000000000000000000000000000000000000000000000000000000",
         "000000000000000000000000", "", "", "530f8afbc74536b9a963b4f1c4cb738b"},
        {"0000000000000000000000000000000000000000000000000000000000000000",
         "000000000000000000000000", "00000000000000000000000000000000", "",
         "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"},
        {"feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
         "cafebabefacedbaddecaf888",
         "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
         "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
         "feedfacedeadbeeffeedfacedeadbeefabaddad2",
         "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
         "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551"
         "b"},
    };
    for (const Case& c : cases) {
        CAPTURE(c.sealed);
        GivenNonce nonce{c.nonce};
        const Bytes sealed =
            seal(*from_hex(c.key), *from_hex(c.plain), *from_hex(c.context), nonce);
        CHECK(to_hex(sealed) == std::string{c.nonce} + c.sealed);
        const auto plain = unseal(*from_hex(c.key), sealed, *from_hex(c.context));
        REQUIRE(plain);
        CHECK(to_hex(*plain) == c.plain);
    }
}

TEST_CASE("whatever was changed, nothing is unsealed") {
    tests::SeededEntropy entropy{1};
    const Bytes plain = to_bytes("110101199003070000");
    const Bytes context = to_bytes("order 7");
    const Bytes sealed = seal(key, plain, context, entropy);
    REQUIRE(unseal(key, sealed, context) == plain);
    CHECK(sealed.size() == 12 + plain.size() + 16);

    for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
        Bytes changed = sealed;
        changed[bit / 8] ^= static_cast<Byte>(1 << bit % 8);
        CHECK_FALSE(unseal(key, changed, context));
    }
    for (std::size_t size = 0; size < sealed.size(); ++size) {
        CHECK_FALSE(unseal(key, BytesView{sealed}.first(size), context));
    }
    Bytes other_key = key;
    other_key[31] ^= 1;
    CHECK_FALSE(unseal(other_key, sealed, context));
    CHECK_FALSE(unseal(key, sealed, to_bytes("order 8")));
    CHECK_FALSE(unseal(key, sealed, {}));
}

TEST_CASE("each seal has its own nonce") {
    tests::SeededEntropy entropy{2};
    CHECK(seal(key, {}, {}, entropy) != seal(key, {}, {}, entropy));
}
