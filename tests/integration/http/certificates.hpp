#pragma once
// Certificates by our own authority, made for one run.
#include <string>

#include "common/crypto/x509.hpp"

namespace pf::tests {

struct Identity {
    std::string certificate_pem;
    std::string private_key_pem;
};

class TestAuthority {
public:
    explicit TestAuthority(std::uint64_t seed, std::string name = "Test site authority",
                           int from_days = -1, int until_days = 3650);

    const std::string& pem() const { return pem_; }
    Digest fingerprint() const;  // SHA-256 of the DER
    Identity server(std::string dns_name = "localhost", std::string address = "127.0.0.1");
    Identity device(std::string name);
    /// Valid from `from_days` to `until_days` from now.
    Identity device(std::string name, int from_days, int until_days);
    Identity server(int from_days, int until_days);

private:
    Identity issue(const crypto::Subject& subject, crypto::Usage usage, int from_days,
                   int until_days);
    std::uint64_t seed_;
    crypto::PrivateKey key_;
    std::string pem_;
};

}  // namespace pf::tests
