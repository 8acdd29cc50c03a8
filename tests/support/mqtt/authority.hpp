#pragma once
// A county's authority for tests with a real broker: certificates of our own making, revocation
// lists by the openssl command.
#include <string>
#include <vector>

#include "common/crypto/x509.hpp"
#include "common/mqtt/paho_link.hpp"
#include "tests/support/fixed_entropy.hpp"
#include "tests/support/temp_dir.hpp"

namespace pf::tests {

class Authority {
public:
    explicit Authority(std::uint64_t seed, std::string name = "paifang test authority");

    struct Identity {
        std::string certificate_pem;
        std::string key_pem;
    };
    Identity client(const std::string& common_name);
    /// For 127.0.0.1 and localhost. Valid from 1970 to the end of 9999: docs/adr/0012.
    Identity server(const std::string& common_name);
    Identity server(const std::string& common_name, crypto::Validity validity);

    const std::string& pem() const { return pem_; }
    /// A list with every certificate given to revoke() so far.
    std::string crl();
    void revoke(const std::string& certificate_pem);

    /// What a link needs to connect as this identity.
    mqtt::Tls tls(const Identity& identity) const {
        return {.authority_pem = pem_,
                .certificate_pem = identity.certificate_pem,
                .key_pem = identity.key_pem};
    }

private:
    Identity issue(const crypto::Subject& subject, crypto::Usage usage, crypto::Validity validity);
    crypto::Serial serial();
    void openssl_ca(const std::string& arguments);

    SeededEntropy entropy_;
    crypto::PrivateKey key_;
    std::string pem_;
    TempDir directory_;
};

}  // namespace pf::tests
