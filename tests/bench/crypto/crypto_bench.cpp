// What choosing mbedTLS costs: docs/adr/0005-es256-by-mbedtls.md.
#include "common/crypto/crypto.hpp"
#include "tests/bench/crypto/openssl_key.hpp"
#include "tests/support/fixed_entropy.hpp"

using namespace pf;
using bench::Asked;
using bench::require;

int main(int argc, char** argv) {
    tests::SeededEntropy entropy{1};
    const auto key = crypto::PrivateKey::generate(entropy);
    const auto public_key = key.public_key();
    const auto point = public_key.point();
    const bench::OpenSslKey openssl{key.to_pem()};
    const Bytes message(128, 0x5A);
    const crypto::Signature ours = key.sign(message);
    const Bytes theirs = openssl.sign(message);
    Bytes block(65536, 0x5A);
    Digest digest{};

    const auto verify = [&] { require(public_key.verify(message, ours), "verify"); };
    const auto part = [](const char* name, const char* notes, auto subject, auto floor) {
        return bench::Part{name, [=](const Asked& asked) {
                               const auto figure =
                                   bench::alternate(asked.rounds(100), subject, floor);
                               return std::vector{bench::row_of(name, "us", figure, {}, notes)};
                           }};
    };
    return bench::run(
        argc, argv,
        {part("es256_verify", "mbedTLS / OpenSSL, 128 bytes", verify,
              [&] { require(openssl.verify(message, theirs), "OpenSSL verify"); }),
         part(
             "es256_sign", "mbedTLS / OpenSSL, 128 bytes", [&] { (void)key.sign(message); },
             [&] { (void)openssl.sign(message); }),
         part(
             "es256_load", "loading a public key / a verify",
             [&] { require(crypto::PublicKey::from_point(point).has_value(), "load"); }, verify),
         part(
             "sha256", "mbedTLS / OpenSSL, 64 KiB", [&] { digest = crypto::sha256(block); },
             [&] {
                 require(EVP_Digest(block.data(), block.size(), digest.data(), nullptr,
                                    EVP_sha256(), nullptr) == 1,
                         "OpenSSL hashes");
             })});
}
