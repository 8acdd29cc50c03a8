#pragma once
// A real broker for tests and benches: on a port the kernel chooses, with certificates of their own
// authority. Who includes it links server::broker.
#include <filesystem>

#include "sync-server/broker/broker.hpp"
#include "tests/support/mqtt/authority.hpp"

namespace pf::tests {

inline server::broker::Config broker_config(std::filesystem::path directory, Authority& authority,
                                            server::broker::Access access) {
    const auto own = authority.server("broker");
    server::broker::Config config;
    config.directory = std::move(directory);
    config.port = 0;
    config.material = {.authority = authority.pem(),
                       .certificate = own.certificate_pem,
                       .key = own.key_pem,
                       .crl = authority.crl()};
    config.access = std::move(access);
    return config;
}

}  // namespace pf::tests
