#pragma once
// How a board becomes a device: key made here, one-time code, request, certificate. And how it
// stays one.
#include <optional>
#include <string>

#include "common/base/entropy.hpp"
#include "common/base/result.hpp"
#include "firmware/ports/key_vault.hpp"
#include "firmware/sync/engine.hpp"

namespace pf::firmware::app {

/// Everything pairing gave; kept in the vault under "identity" (JSON) and "key" (PEM).
struct Enrolment {
    std::string device;
    std::uint32_t site = 0;
    std::string topic_root;
    std::string site_authority_hex;  // 65-byte point
    std::string certificate_pem;
    std::string authority_pem;
    std::string key_pem;
    std::string broker_host;
    std::uint16_t broker_port = 0;
    std::string server_url;   // where it was paired
    std::string renewal_url;  // asks for a client certificate, takes expired ones
};

enum class EnrolFault : std::uint8_t {
    code_malformed = 1,  // no fingerprint behind the dot
    unreachable = 2,
    untrusted = 3,  // the server is not the one the code names
    refused = 4,    // the server said no: code used, expired, device revoked
    answer_malformed = 5,
    vault_failed = 6,  // nothing was kept; the code may be used up
};
struct EnrolError {
    EnrolFault fault = EnrolFault::unreachable;
    std::string detail;  // a stable word first: the server's code or the fault; then what is known
};

/// Pairs once. Blocking; for a tool or before the device starts. The key is in the vault before the
/// request leaves, so a power cut between answer and writing costs a code, never a key nobody
/// holds.
Result<Enrolment, EnrolError> pair(const std::string& server_url, const std::string& code,
                                   ports::KeyVault& vault, Entropy& entropy);
std::optional<Enrolment> load_enrolment(const ports::KeyVault& vault);

/// May `renewed` take the place of `present`? A renewal brings a certificate and nothing else:
/// whoever answers it must not become the authority this device was paired to believe, nor make
/// another device of it.
bool renews(const Enrolment& present, const Enrolment& renewed);

/// A new certificate for a new key. Works with an expired certificate too; whatever fails, the old
/// enrolment stays as it is.
Result<Enrolment, EnrolError> renew(const Enrolment& present, ports::KeyVault& vault,
                                    Entropy& entropy);
/// Two thirds of the certificate's life are over.
bool renewal_due(const Enrolment& enrolment, WallTime now);

/// The engine's view of an enrolment. Nothing when a stored text can't be read.
std::optional<sync::Identity> identity_of(const Enrolment& enrolment, wire::DeviceKind kind,
                                          std::string firmware, BootId boot);

}  // namespace pf::firmware::app
