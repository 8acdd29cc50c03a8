#include "sync-server/app/certificates.hpp"

#include <arpa/inet.h>

#include <algorithm>

namespace pf::server::app {
namespace {

OwnCertificate issue(const fleet::Keys& keys, const crypto::Subject& subject, crypto::Usage usage,
                     Entropy& entropy) {
    crypto::Serial serial{};
    entropy.fill(serial);
    serial[0] = static_cast<Byte>((serial[0] & 0x7f) | 0x40);  // positive, no leading zero
    const auto key = crypto::PrivateKey::generate(entropy);
    return {.certificate_pem =
                crypto::issue(keys.authority, keys.authority_pem, key.public_key(), subject, usage,
                              serial, {wall_from_ms(0), authority_until()}),
            .key_pem = key.to_pem()};
}

}  // namespace

WallTime authority_until() noexcept { return wall_from_ms(253'402'300'799'000); }

bool is_address(const std::string& text) noexcept {
    in_addr address{};
    return ::inet_pton(AF_INET, text.c_str(), &address) == 1;
}

OwnCertificate server_certificate(const fleet::Keys& keys, const std::vector<std::string>& names,
                                  Entropy& entropy) {
    crypto::Subject subject{.common_name = "Paifang server", .dns_names = {}, .ip_addresses = {}};
    for (const std::string& name : names) {
        auto& list = is_address(name) ? subject.ip_addresses : subject.dns_names;
        if (std::ranges::find(list, name) == list.end()) list.push_back(name);
    }
    return issue(keys, subject, crypto::Usage::tls_server, entropy);
}

std::string server_name(std::uint32_t seat) {
    std::string name{server_client_id};
    return seat == 0 ? name : name + "_" + std::to_string(seat);
}

OwnCertificate client_certificate(const fleet::Keys& keys, const std::string& name,
                                  Entropy& entropy) {
    return issue(keys, {name, {}, {}}, crypto::Usage::tls_client, entropy);
}

}  // namespace pf::server::app
