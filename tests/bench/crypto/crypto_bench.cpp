// What choosing mbedTLS costs: docs/adr/0005-es256-by-mbedtls.md. Build with the release preset.
#include <openssl/bio.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <cstdlib>
#include <memory>

#include "common/crypto/crypto.hpp"
#include "tests/bench/measure.hpp"
#include "tests/support/fixed_entropy.hpp"

using namespace pf;

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

/// ES256 with OpenSSL 3, key loaded once, as a room built on it would do it.
class OpenSslKey {
public:
    explicit OpenSslKey(const std::string& pem) {
        const std::unique_ptr<BIO, decltype(&BIO_free)> bio{
            BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free};
        key_.reset(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
        require(key_ != nullptr);
    }

    Bytes sign(BytesView message) const {
        Context context{EVP_MD_CTX_new(), EVP_MD_CTX_free};
        require(EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get()) == 1);
        Bytes signature(80);
        std::size_t length = signature.size();
        require(EVP_DigestSign(context.get(), signature.data(), &length, message.data(),
                               message.size()) == 1);
        signature.resize(length);
        return signature;
    }

    bool verify(BytesView message, const Bytes& signature) const {
        Context context{EVP_MD_CTX_new(), EVP_MD_CTX_free};
        require(EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get()) ==
                1);
        return EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(),
                                message.size()) == 1;
    }

private:
    using Context = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;
    std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key_{nullptr, EVP_PKEY_free};
};

}  // namespace

int main() {
    tests::SeededEntropy entropy{1};
    const auto key = crypto::PrivateKey::generate(entropy);
    const auto public_key = key.public_key();
    const auto point = public_key.point();
    const OpenSslKey openssl{key.to_pem()};
    const Bytes message(128, 0x5A);
    const crypto::Signature ours = key.sign(message);
    const Bytes theirs = openssl.sign(message);

    constexpr int calls = 100;
    bench::compare(
        "ES256 verify, mbedTLS/OpenSSL", calls, [&] { require(public_key.verify(message, ours)); },
        [&] { require(openssl.verify(message, theirs)); });
    bench::compare(
        "ES256 sign, mbedTLS/OpenSSL", calls, [&] { key.sign(message); },
        [&] { openssl.sign(message); });
    bench::compare(
        "load a public key / verify", calls,
        [&] { require(crypto::PublicKey::from_point(point).has_value()); },
        [&] { require(public_key.verify(message, ours)); });
    Bytes block(65536, 0x5A);
    Digest digest{};
    bench::compare(
        "SHA-256 of 64 KiB", calls, [&] { digest = crypto::sha256(block); },
        [&] {
            require(EVP_Digest(block.data(), block.size(), digest.data(), nullptr, EVP_sha256(),
                               nullptr) == 1);
        });
    return 0;
}
