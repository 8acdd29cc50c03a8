#pragma once
// ES256, SHA-256, HMAC, AES-256-GCM. mbedTLS lives in this room only and in no header.
// Everything here is deterministic: entropy is passed in, ECDSA nonces follow RFC 6979.
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/bytes.hpp"
#include "common/base/entropy.hpp"

namespace pf::crypto {

Digest sha256(BytesView data);

/// SHA-256 over several pieces.
class Sha256 {
public:
    Sha256();
    ~Sha256();
    Sha256(const Sha256&) = delete;
    Sha256& operator=(const Sha256&) = delete;
    Sha256& update(BytesView data);
    /// The digest of what was given since the last finish().
    Digest finish();

private:
    struct State;
    std::unique_ptr<State> state_;
};

Digest hmac_sha256(BytesView key, BytesView data);

/// ECDSA signature as r || s, 32 bytes each, big endian (RFC 9053 section 2.1).
using Signature = std::array<Byte, 64>;

/// A P-256 public key, checked to be on the curve, group and key loaded once. Cheap to copy,
/// immutable, usable from any thread.
class PublicKey {
public:
    /// Uncompressed point, 65 bytes beginning with 04 (SEC 1 section 2.3.3).
    static std::optional<PublicKey> from_point(BytesView point65);
    static std::optional<PublicKey> from_pem(std::string_view pem);
    std::array<Byte, 65> point() const;
    std::string to_pem() const;
    /// ES256: ECDSA over SHA-256 of the message. r or s outside [1, n - 1] is false. Both s and n -
    /// s verify, as ECDSA has it: never use a signature's bytes as an identity.
    bool verify(BytesView message, const Signature& signature) const;
    friend bool operator==(const PublicKey& a, const PublicKey& b) {
        return a.point() == b.point();
    }

    struct Impl;
    explicit PublicKey(std::shared_ptr<const Impl> impl) : impl_{std::move(impl)} {}
    const Impl& impl() const { return *impl_; }

private:
    std::shared_ptr<const Impl> impl_;
};

/// A P-256 private key. Cheap to copy, immutable, usable from any thread, wiped when the last copy
/// goes.
class PrivateKey {
public:
    static PrivateKey generate(Entropy& entropy);
    /// SEC 1 or PKCS#8, PEM, P-256 only, not encrypted.
    static std::optional<PrivateKey> from_pem(std::string_view pem);
    /// SEC 1.
    std::string to_pem() const;
    PublicKey public_key() const;
    /// ES256 with the nonce of RFC 6979: the same message gives the same signature.
    Signature sign(BytesView message) const;

    struct Impl;
    explicit PrivateKey(std::shared_ptr<const Impl> impl) : impl_{std::move(impl)} {}
    const Impl& impl() const { return *impl_; }

private:
    std::shared_ptr<const Impl> impl_;
};

/// First 4 bytes of SHA-256 of the uncompressed point: how a token or a document names its key.
using KeyId = std::array<Byte, 4>;
KeyId key_id(const PublicKey& key);

/// AES-256-GCM with a fresh 12-byte nonce in front and the 16-byte tag behind. `context` is bound,
/// not stored. `key32` is 32 bytes.
Bytes seal(BytesView key32, BytesView plain, BytesView context, Entropy& entropy);
/// Nothing when anything was changed: a byte, the key, the context.
std::optional<Bytes> unseal(BytesView key32, BytesView sealed, BytesView context);

}  // namespace pf::crypto
