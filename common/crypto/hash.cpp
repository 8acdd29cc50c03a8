#include <mbedtls/md.h>
#include <mbedtls/sha256.h>

#include <algorithm>

#include "common/crypto/p256.hpp"

namespace pf::crypto {

struct Sha256::State {
    State() {
        mbedtls_sha256_init(&context);
        start();
    }
    ~State() { mbedtls_sha256_free(&context); }
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    void start() { must(mbedtls_sha256_starts_ret(&context, 0)); }
    mbedtls_sha256_context context;
};

Sha256::Sha256() : state_{std::make_unique<State>()} {}
Sha256::~Sha256() = default;

Sha256& Sha256::update(BytesView data) {
    must(mbedtls_sha256_update_ret(&state_->context, data.data(), data.size()));
    return *this;
}

Digest Sha256::finish() {
    Digest out{};
    must(mbedtls_sha256_finish_ret(&state_->context, out.data()));
    state_->start();
    return out;
}

Digest sha256(BytesView data) {
    Digest out{};
    must(mbedtls_sha256_ret(data.data(), data.size(), out.data(), 0));
    return out;
}

Digest hmac_sha256(BytesView key, BytesView data) {
    Digest out{};
    must(mbedtls_md_hmac(mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), key.data(), key.size(),
                         data.data(), data.size(), out.data()));
    return out;
}

KeyId key_id(const PublicKey& key) {
    const Digest digest = sha256(key.point());
    KeyId id{};
    std::copy_n(digest.begin(), id.size(), id.begin());
    return id;
}

}  // namespace pf::crypto
