#pragma once
// mbedTLS's key container, which its PEM and X.509 functions speak. Included by this room only.
#include <mbedtls/pk.h>

#include "common/crypto/p256.hpp"

namespace pf::crypto {

class KeyContainer {
public:
    KeyContainer() { mbedtls_pk_init(&value_); }
    explicit KeyContainer(const PublicKey& key);
    explicit KeyContainer(const PrivateKey& key);
    ~KeyContainer() { mbedtls_pk_free(&value_); }
    KeyContainer(const KeyContainer&) = delete;
    KeyContainer& operator=(const KeyContainer&) = delete;
    mbedtls_pk_context* get() { return &value_; }

private:
    mbedtls_pk_context value_;
};

/// The P-256 public key in a container, or nothing: another algorithm, curve, or a bad point.
std::optional<PublicKey> public_key_in(const mbedtls_pk_context& container);

/// A NUL-terminated copy, as mbedTLS wants PEM; nothing when `label` does not begin in it. Without
/// that check mbedTLS would take the text for DER.
std::optional<Bytes> pem_of(std::string_view text, std::string_view label);

/// The longest PEM we write is a server's certificate with many names.
inline constexpr std::size_t pem_bytes_max = 16384;

}  // namespace pf::crypto
