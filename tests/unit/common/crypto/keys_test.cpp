#include <doctest/doctest.h>

#include <algorithm>
#include <thread>
#include <vector>

#include "common/crypto/crypto.hpp"
#include "tests/support/fixed_entropy.hpp"

using namespace pf;
using namespace pf::crypto;

namespace {

// The key of RFC 6979 appendix A.2.5.
constexpr const char* rfc6979_pem =
    "-----BEGIN EC PRIVATE KEY-----\n"
    "MDECAQEEIMmvqdhFunUWa1whV2ex1pNOUMPbNuibEnuKYisSD2choAoGCCqGSM49\n"
    "AwEH\n"
    "-----END EC PRIVATE KEY-----\n";

constexpr const char* order = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
constexpr const char* zero = "0000000000000000000000000000000000000000000000000000000000000000";

PrivateKey rfc6979_key() {
    const auto key = PrivateKey::from_pem(rfc6979_pem);
    REQUIRE(key);
    return *key;
}

Signature signature_of(std::string_view r_hex, std::string_view s_hex) {
    return *array_from_hex<64>(std::string{r_hex} + std::string{s_hex});
}

std::string half(const Signature& signature, std::size_t which) {
    return to_hex(BytesView{signature}.subspan(which * 32, 32));
}

}  // namespace

TEST_CASE("ES256 agrees with RFC 6979 appendix A.2.5") {
    struct Case {
        const char* message;
        const char* r;
        const char* s;
    };
    const Case cases[] = {
        {"sample", "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716",
         "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"},
        {"test", "f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367",
         "019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083"},
    };
    const PrivateKey key = rfc6979_key();
    CHECK(to_hex(key.public_key().point()) ==
          "0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
          "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299");
    for (const Case& c : cases) {
        CAPTURE(c.message);
        CHECK(key.sign(as_bytes(c.message)) == signature_of(c.r, c.s));
        CHECK(key.public_key().verify(as_bytes(c.message), signature_of(c.r, c.s)));
    }
}

TEST_CASE("a signature is for one message and one key") {
    tests::SeededEntropy entropy{1};
    const PrivateKey key = PrivateKey::generate(entropy);
    const PrivateKey other = PrivateKey::generate(entropy);
    CHECK_FALSE(key.public_key() == other.public_key());
    const Bytes message = to_bytes("paifang");
    const Signature signature = key.sign(message);
    CHECK(key.public_key().verify(message, signature));
    CHECK_FALSE(other.public_key().verify(message, signature));
    CHECK_FALSE(key.public_key().verify(to_bytes("Paifang"), signature));
    for (std::size_t bit = 0; bit < signature.size() * 8; bit += 7) {
        Signature changed = signature;
        changed[bit / 8] ^= static_cast<Byte>(1 << bit % 8);
        CHECK_FALSE(key.public_key().verify(message, changed));
    }
    CHECK(key.public_key().verify({}, key.sign({})));
}

TEST_CASE("r and s outside [1, n - 1] are refused") {
    const PrivateKey key = rfc6979_key();
    const Bytes message = to_bytes("sample");
    const Signature good = key.sign(message);
    const std::string r = half(good, 0), s = half(good, 1);
    const std::string ones(64, 'f');
    struct Case {
        const char* what;
        std::string r, s;
    };
    const Case cases[] = {
        {"r = 0", zero, s},         {"s = 0", r, zero},  {"both 0", zero, zero},
        {"r = n", order, s},        {"s = n", r, order}, {"r = 2^256 - 1", ones, s},
        {"s = 2^256 - 1", r, ones}, {"swapped", s, r},
    };
    for (const Case& c : cases) {
        CAPTURE(c.what);
        CHECK_FALSE(key.public_key().verify(message, signature_of(c.r, c.s)));
    }
}

TEST_CASE("only points on P-256 are keys") {
    const auto good = rfc6979_key().public_key().point();
    const std::string x = to_hex(BytesView{good}.subspan(1, 32));
    const std::string y = to_hex(BytesView{good}.subspan(33, 32));
    const std::string p = "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff";
    const std::string ones(64, 'f');
    // G of secp256k1: a point, but on another curve.
    const std::string k1_x = "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";
    const std::string k1_y = "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8";
    struct Case {
        const char* what;
        std::string hex;
        bool is_key;
    };
    const Case cases[] = {
        {"as it is", "04" + x + y, true},
        {"not uncompressed", "06" + x + y, false},
        {"compressed", "02" + x, false},
        {"y changed", "04" + x + y.substr(0, 62) + "00", false},
        {"x changed", "04" + x.substr(0, 62) + "00" + y, false},
        {"swapped", "04" + y + x, false},
        {"on secp256k1", "04" + k1_x + k1_y, false},
        {"origin", "04" + std::string{zero} + zero, false},
        {"x = p", "04" + p + y, false},
        {"beyond the field", "04" + ones + ones, false},
        {"infinity", "00", false},
        {"infinity, padded", "00" + x + y, false},
        {"short", ("04" + x + y).substr(0, 128), false},
        {"long", "04" + x + y + "00", false},
        {"nothing", "", false},
    };
    for (const Case& c : cases) {
        CAPTURE(c.what);
        CHECK(PublicKey::from_point(*from_hex(c.hex)).has_value() == c.is_key);
    }
}

TEST_CASE("a key id is the beginning of the point's digest") {
    const PublicKey key = rfc6979_key().public_key();
    const Digest digest = sha256(key.point());
    CHECK(to_hex(key_id(key)) == to_hex(digest).substr(0, 8));
}

TEST_CASE("the same entropy makes the same key") {
    tests::SeededEntropy a{7}, b{7}, c{8};
    const PublicKey key = PrivateKey::generate(a).public_key();
    CHECK(key == PrivateKey::generate(b).public_key());
    CHECK_FALSE(key == PrivateKey::generate(c).public_key());
}

TEST_CASE("a draw outside [1, n - 1] is drawn again") {
    class GivenDraws final : public Entropy {
    public:
        void fill(std::span<Byte> out) override {
            REQUIRE(next_ < std::size(draws_));
            std::ranges::copy(*from_hex(draws_[next_++]), out.begin());
        }

    private:
        const char* draws_[3] = {
            zero, order, "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721"};
        std::size_t next_ = 0;
    };
    GivenDraws entropy;
    CHECK(PrivateKey::generate(entropy).public_key() == rfc6979_key().public_key());
}

TEST_CASE("keys may be used by several threads at once") {
    const PrivateKey key = rfc6979_key();
    const PublicKey public_key = key.public_key();
    const Bytes message = to_bytes("sample");
    const Signature expected = key.sign(message);
    std::vector<int> good(4, 0);
    std::vector<std::thread> threads;
    for (int& count : good) {
        threads.emplace_back([&] {
            for (int i = 0; i < 10; ++i) {
                if (key.sign(message) == expected && public_key.verify(message, expected)) ++count;
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(good == std::vector<int>(4, 10));
}
