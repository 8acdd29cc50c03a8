#include "common/crypto/p256.hpp"

#include <mbedtls/error.h>
#include <mbedtls/md.h>
#include <mbedtls/platform_util.h>

#include <algorithm>
#include <cassert>
#include <cstdlib>
#include <new>

namespace pf::crypto {
namespace {

struct Group {
    Group() {
        mbedtls_ecp_group_init(&value);
        must(mbedtls_ecp_group_load(&value, MBEDTLS_ECP_DP_SECP256R1));
        // Any multiple of the base point makes mbedTLS build its table.
        Number two;
        Point ignored;
        must(mbedtls_mpi_lset(&two.value, 2));
        must(mbedtls_ecp_mul(&value, &ignored.value, &two.value, &value.G, nullptr, nullptr));
        assert(value.T != nullptr);
    }
    ~Group() { mbedtls_ecp_group_free(&value); }
    Group(const Group&) = delete;
    Group& operator=(const Group&) = delete;
    mbedtls_ecp_group value;
};

}  // namespace

void must(int status) {
    if (status == 0) return;
    if (status == MBEDTLS_ERR_MPI_ALLOC_FAILED || status == MBEDTLS_ERR_ECP_ALLOC_FAILED ||
        status == MBEDTLS_ERR_MD_ALLOC_FAILED) {
        throw std::bad_alloc{};
    }
    std::abort();
}

mbedtls_ecp_group* p256() {
    // A mathematical constant, not state: computed once, before the first caller gets it.
    static Group group;
    return &group.value;
}

std::array<Byte, 65> to_bytes(const mbedtls_ecp_point& point) {
    std::array<Byte, 65> out{};
    std::size_t length = 0;
    must(mbedtls_ecp_point_write_binary(p256(), &point, MBEDTLS_ECP_PF_UNCOMPRESSED, &length,
                                        out.data(), out.size()));
    assert(length == out.size());
    return out;
}

Blinding::Blinding(const mbedtls_mpi& secret, BytesView purpose) {
    mbedtls_hmac_drbg_init(&drbg_);
    std::array<Byte, 32> key{};
    must(mbedtls_mpi_write_binary(&secret, key.data(), key.size()));
    // Not the seed RFC 6979 draws its nonce from: that one is the bare pair of key and digest.
    Digest seed = hmac_sha256(key, purpose);
    must(mbedtls_hmac_drbg_seed_buf(&drbg_, mbedtls_md_info_from_type(MBEDTLS_MD_SHA256),
                                    seed.data(), seed.size()));
    mbedtls_platform_zeroize(seed.data(), seed.size());
    mbedtls_platform_zeroize(key.data(), key.size());
}

std::shared_ptr<const PrivateKey::Impl> private_from(const mbedtls_mpi& d) {
    if (mbedtls_ecp_check_privkey(p256(), &d) != 0) return nullptr;
    auto impl = std::make_shared<PrivateKey::Impl>();
    must(mbedtls_mpi_copy(&impl->d.value, &d));
    auto public_impl = std::make_shared<PublicKey::Impl>();
    Blinding blinding{d, as_bytes("public key")};
    must(mbedtls_ecp_mul(p256(), &public_impl->q.value, &d, &p256()->G, mbedtls_hmac_drbg_random,
                         blinding.context()));
    public_impl->encoded = to_bytes(public_impl->q.value);
    impl->public_impl = std::move(public_impl);
    return impl;
}

}  // namespace pf::crypto
