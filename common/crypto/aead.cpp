#include <mbedtls/gcm.h>

#include <algorithm>
#include <cassert>

#include "common/crypto/p256.hpp"

namespace pf::crypto {
namespace {

constexpr std::size_t key_bytes = 32;
constexpr std::size_t nonce_bytes = 12;
constexpr std::size_t tag_bytes = 16;

class Gcm {
public:
    explicit Gcm(BytesView key) {
        assert(key.size() == key_bytes);
        mbedtls_gcm_init(&context_);
        must(mbedtls_gcm_setkey(&context_, MBEDTLS_CIPHER_ID_AES, key.data(), key.size() * 8));
    }
    ~Gcm() { mbedtls_gcm_free(&context_); }
    Gcm(const Gcm&) = delete;
    Gcm& operator=(const Gcm&) = delete;
    mbedtls_gcm_context* context() { return &context_; }

private:
    mbedtls_gcm_context context_;
};

}  // namespace

Bytes seal(BytesView key32, BytesView plain, BytesView context, Entropy& entropy) {
    Gcm gcm{key32};
    Bytes out(nonce_bytes + plain.size() + tag_bytes);
    const std::span<Byte> nonce{out.data(), nonce_bytes};
    Byte* const body = out.data() + nonce_bytes;
    Byte* const tag = body + plain.size();
    entropy.fill(nonce);
    must(mbedtls_gcm_crypt_and_tag(gcm.context(), MBEDTLS_GCM_ENCRYPT, plain.size(), nonce.data(),
                                   nonce.size(), context.data(), context.size(), plain.data(), body,
                                   tag_bytes, tag));
    return out;
}

std::optional<Bytes> unseal(BytesView key32, BytesView sealed, BytesView context) {
    Gcm gcm{key32};
    if (sealed.size() < nonce_bytes + tag_bytes) return std::nullopt;
    const BytesView nonce = sealed.first(nonce_bytes);
    const BytesView tag = sealed.last(tag_bytes);
    const BytesView body = sealed.subspan(nonce_bytes, sealed.size() - nonce_bytes - tag_bytes);
    // One byte more than needed: mbedTLS is not handed a null pointer when the body is empty.
    Bytes out(body.size() + 1);
    const int status = mbedtls_gcm_auth_decrypt(gcm.context(), body.size(), nonce.data(),
                                                nonce.size(), context.data(), context.size(),
                                                tag.data(), tag.size(), body.data(), out.data());
    if (status == MBEDTLS_ERR_GCM_AUTH_FAILED) return std::nullopt;
    must(status);
    out.resize(body.size());
    return out;
}

}  // namespace pf::crypto
