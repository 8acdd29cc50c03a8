#pragma once
// mbedTLS as this room uses it: one group, keys that own their numbers, calls that must succeed.
// Included by this room only.
#include <mbedtls/ecp.h>
#include <mbedtls/hmac_drbg.h>

#include <memory>

#include "common/crypto/crypto.hpp"

namespace pf::crypto {

/// For mbedTLS calls that can fail only because memory is short or the caller is wrong.
/// Throws std::bad_alloc for the first and aborts for the second.
void must(int status);

/// P-256 with its table of multiples of the base point. mbedTLS builds that table at the first use,
/// which would be a race between two threads; here it is there before anyone sees the group, and
/// afterwards mbedTLS only reads. So the pointer is not const for mbedTLS's signatures only.
mbedtls_ecp_group* p256();

struct Number {
    Number() { mbedtls_mpi_init(&value); }
    ~Number() { mbedtls_mpi_free(&value); }  // wipes
    Number(const Number&) = delete;
    Number& operator=(const Number&) = delete;
    mbedtls_mpi value;
};

struct Point {
    Point() { mbedtls_ecp_point_init(&value); }
    ~Point() { mbedtls_ecp_point_free(&value); }
    Point(const Point&) = delete;
    Point& operator=(const Point&) = delete;
    mbedtls_ecp_point value;
};

std::array<Byte, 65> to_bytes(const mbedtls_ecp_point& point);

/// Random numbers for blinding, derived from the secret they blind and what is done with it, so
/// that this room stays deterministic: nobody without the key can predict them.
class Blinding {
public:
    Blinding(const mbedtls_mpi& secret, BytesView purpose);
    ~Blinding() { mbedtls_hmac_drbg_free(&drbg_); }
    Blinding(const Blinding&) = delete;
    Blinding& operator=(const Blinding&) = delete;
    void* context() { return &drbg_; }

private:
    mbedtls_hmac_drbg_context drbg_;
};

struct PublicKey::Impl {
    Point q;
    std::array<Byte, 65> encoded;
};

struct PrivateKey::Impl {
    Number d;
    std::shared_ptr<const PublicKey::Impl> public_impl;
};

/// A key out of its secret number. Nothing when that is not in [1, n - 1].
std::shared_ptr<const PrivateKey::Impl> private_from(const mbedtls_mpi& d);

}  // namespace pf::crypto
