#include <mbedtls/ecdsa.h>

#include <algorithm>
#include <cassert>
#include <cstdlib>

#include "common/crypto/p256.hpp"

namespace pf::crypto {
namespace {

constexpr std::size_t scalar_bytes = 32;
// A random 256-bit number is below the group's order but for a chance of 2^-32.
constexpr int generate_tries_max = 8;

}  // namespace

std::optional<PublicKey> PublicKey::from_point(BytesView point65) {
    const auto encoded = array_from<65>(point65);
    if (!encoded || encoded->front() != 0x04) return std::nullopt;
    auto impl = std::make_shared<Impl>();
    impl->encoded = *encoded;
    if (mbedtls_ecp_point_read_binary(p256(), &impl->q.value, encoded->data(), encoded->size()) !=
        0) {
        return std::nullopt;
    }
    if (mbedtls_ecp_check_pubkey(p256(), &impl->q.value) != 0) return std::nullopt;
    return PublicKey{std::move(impl)};
}

std::array<Byte, 65> PublicKey::point() const { return impl_->encoded; }

bool PublicKey::verify(BytesView message, const Signature& signature) const {
    const Digest digest = sha256(message);
    Number r, s;
    must(mbedtls_mpi_read_binary(&r.value, signature.data(), scalar_bytes));
    must(mbedtls_mpi_read_binary(&s.value, signature.data() + scalar_bytes, scalar_bytes));
    // Refuses r or s outside [1, n - 1] before it computes anything.
    const int status = mbedtls_ecdsa_verify(p256(), digest.data(), digest.size(), &impl_->q.value,
                                            &r.value, &s.value);
    if (status == MBEDTLS_ERR_ECP_VERIFY_FAILED) return false;
    must(status);
    return true;
}

PrivateKey PrivateKey::generate(Entropy& entropy) {
    for (int tries = 0; tries < generate_tries_max; ++tries) {
        std::array<Byte, scalar_bytes> bytes{};
        entropy.fill(bytes);
        Number d;
        must(mbedtls_mpi_read_binary(&d.value, bytes.data(), bytes.size()));
        if (auto impl = private_from(d.value)) return PrivateKey{std::move(impl)};
    }
    std::abort();  // the entropy is none
}

PublicKey PrivateKey::public_key() const { return PublicKey{impl_->public_impl}; }

Signature PrivateKey::sign(BytesView message) const {
    const Digest digest = sha256(message);
    Blinding blinding{impl_->d.value, digest};
    Number r, s;
    must(mbedtls_ecdsa_sign_det_ext(p256(), &r.value, &s.value, &impl_->d.value, digest.data(),
                                    digest.size(), MBEDTLS_MD_SHA256, mbedtls_hmac_drbg_random,
                                    blinding.context()));
    Signature out{};
    must(mbedtls_mpi_write_binary(&r.value, out.data(), scalar_bytes));
    must(mbedtls_mpi_write_binary(&s.value, out.data() + scalar_bytes, scalar_bytes));
    return out;
}

}  // namespace pf::crypto
