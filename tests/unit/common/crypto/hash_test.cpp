#include <doctest/doctest.h>

#include "common/crypto/crypto.hpp"

using namespace pf;
using namespace pf::crypto;

TEST_CASE("SHA-256 agrees with FIPS 180-4's examples") {
    struct Case {
        std::string message;
        const char* digest;
    };
    const Case cases[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
        {std::string(1000000, 'a'),
         "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
    };
    for (const Case& c : cases) {
        CHECK(to_hex(sha256(as_bytes(c.message))) == c.digest);
        Sha256 pieces;
        const std::size_t half = c.message.size() / 2;
        for (int again = 0; again < 2; ++again) {  // finish() begins anew
            pieces.update(as_bytes(c.message).first(half)).update({});
            pieces.update(as_bytes(c.message).subspan(half));
            CHECK(to_hex(pieces.finish()) == c.digest);
        }
    }
}

TEST_CASE("HMAC-SHA-256 agrees with RFC 4231") {
    struct Case {
        std::string key;  // hex
        std::string data;
        const char* mac;
    };
    const auto hex = [](const Bytes& bytes) { return to_hex(bytes); };
    const std::string long_key = hex(Bytes(131, 0xaa));
    const Case cases[] = {
        {hex(Bytes(20, 0x0b)), "Hi There",
         "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
        {hex(to_bytes("Jefe")), "what do ya want for nothing?",
         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
        {hex(Bytes(20, 0xaa)), std::string(50, '\xdd'),
         "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
        {"0102030405060708090a0b0c0d0e0f10111213141516171819", std::string(50, '\xcd'),
         "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
        {long_key, "Test Using Larger Than Block-Size Key - Hash Key First",
         "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
        {long_key,
         "This is a test using a larger than block-size key and a larger than block-size data. "
         "The key needs to be hashed before being used by the HMAC algorithm.",
         "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
        {"", "", "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"},
    };
    for (const Case& c : cases) {
        CAPTURE(c.data);
        CHECK(to_hex(hmac_sha256(*from_hex(c.key), as_bytes(c.data))) == c.mac);
    }
}
