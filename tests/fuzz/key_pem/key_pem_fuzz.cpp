// Whatever stands in a vault or a file as a key: a text as it is, the input as DER under each
// label, and as a bare point. What reads is a key that works, and written down it reads as the same
// one.
#include "common/crypto/crypto.hpp"
#include "tests/fuzz/x509_signing/x509_signing.hpp"

namespace {

using namespace pf;
using fuzz::require;

void check_public(const crypto::PublicKey& key) {
    require(crypto::PublicKey::from_point(key.point()) == key, "a point reads as its key");
    require(crypto::PublicKey::from_pem(key.to_pem()) == key, "a public key reads as written");
}

void check_text(const std::string& pem) {
    if (const auto key = crypto::PublicKey::from_pem(pem)) check_public(*key);
    const auto key = crypto::PrivateKey::from_pem(pem);
    if (!key) return;
    check_public(key->public_key());
    const auto again = crypto::PrivateKey::from_pem(key->to_pem());
    require(again && again->public_key() == key->public_key(), "a private key reads as written");
    const Bytes message = to_bytes("message");
    require(key->public_key().verify(message, key->sign(message)), "its two halves fit");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const BytesView input{data, size};
    check_text(std::string{as_text(input)});
    for (const char* label : {"EC PRIVATE KEY", "PRIVATE KEY", "PUBLIC KEY"})
        check_text(fuzz::to_pem(input, label));
    if (const auto key = crypto::PublicKey::from_point(input)) check_public(*key);
    return 0;
}
