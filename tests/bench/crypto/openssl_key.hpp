#pragma once
// ES256 with OpenSSL 3, key loaded once, as a room built on it would do it: the floor our own
// choice is compared with.
#include <openssl/bio.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <memory>
#include <string>

#include "common/base/bytes.hpp"
#include "tests/bench/row.hpp"

namespace pf::bench {

class OpenSslKey {
public:
    explicit OpenSslKey(const std::string& pem) {
        const std::unique_ptr<BIO, decltype(&BIO_free)> bio{
            BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free};
        key_.reset(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
        require(key_ != nullptr, "OpenSSL reads the key");
    }

    Bytes sign(BytesView message) const {
        Context context{EVP_MD_CTX_new(), EVP_MD_CTX_free};
        require(EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get()) == 1,
                "OpenSSL signs");
        Bytes signature(80);
        std::size_t length = signature.size();
        require(EVP_DigestSign(context.get(), signature.data(), &length, message.data(),
                               message.size()) == 1,
                "OpenSSL signs");
        signature.resize(length);
        return signature;
    }

    bool verify(BytesView message, const Bytes& signature) const {
        Context context{EVP_MD_CTX_new(), EVP_MD_CTX_free};
        require(
            EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get()) == 1,
            "OpenSSL verifies");
        return EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(),
                                message.size()) == 1;
    }

private:
    using Context = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;
    std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key_{nullptr, EVP_PKEY_free};
};

}  // namespace pf::bench
