#pragma once
// The server's own authority and what devices send it (RFC 5280, RFC 2986), as far as Paifang needs
// it: P-256, SHA-256, one level. CRLs are written elsewhere: mbedTLS 2.28 can't.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/time.hpp"
#include "common/crypto/crypto.hpp"

namespace pf::crypto {

using Serial = std::array<Byte, 16>;  // random, first bit clear, never zero

struct Validity {
    WallTime from;
    WallTime until;
};

/// What a certificate is for; `authority` only for make_authority()'s own.
enum class Usage { tls_client, tls_server, authority };

struct CertificateInfo {
    std::string common_name;
    std::string issuer_common_name;
    Bytes serial;  // as encoded, without leading zero
    Validity validity;
    PublicKey key;
    bool is_authority;
};

/// Reads one certificate. Nothing when it is not a P-256 X.509 certificate in PEM, signed with
/// ECDSA and SHA-256, or has no common name or several. Checks no signature: see check_chain().
std::optional<CertificateInfo> read_certificate(std::string_view pem);

/// A request for `common_name` (1 to 64 bytes of UTF-8) signed by the key it is for, PEM.
std::string make_request(const PrivateKey& key, std::string_view common_name);

struct RequestInfo {
    std::string common_name;
    PublicKey key;
};

/// Reads a request and checks its own signature. Nothing otherwise.
std::optional<RequestInfo> read_request(std::string_view pem);

/// A self-signed authority certificate, path length 0, PEM. `common_name` as in make_request();
/// validity in whole seconds, both ends included, years 1970 to 9999.
std::string make_authority(const PrivateKey& key, std::string_view common_name,
                           const Serial& serial, Validity validity);

struct Subject {
    std::string common_name;
    std::vector<std::string> dns_names;     // subjectAltName, for servers
    std::vector<std::string> ip_addresses;  // dotted quad; at most 32 names together
};

/// A leaf certificate issued by `authority_pem`/`authority_key`, PEM. The two belonging together
/// and `usage` being a leaf's are the caller's business: anything else asserts.
std::string issue(const PrivateKey& authority_key, std::string_view authority_pem,
                  const PublicKey& leaf, const Subject& subject, Usage usage, const Serial& serial,
                  Validity validity);

enum class ChainFault : std::uint8_t { unreadable = 1, not_issued_here, not_yet_valid, expired };
std::string_view to_text(ChainFault fault) noexcept;

/// Was `leaf_pem` issued by `authority_pem`, and are both valid at `at`? Without `at` dates are
/// ignored: a gate whose clock is unset must still recognise its server.
std::optional<ChainFault> check_chain(std::string_view leaf_pem, std::string_view authority_pem,
                                      std::optional<WallTime> at);

}  // namespace pf::crypto
