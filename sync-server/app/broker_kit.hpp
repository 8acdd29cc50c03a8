#pragma once
// What the administrator of an external broker needs from us: a certificate our devices trust, and
// how to make the broker obey our rules.
#include <filesystem>
#include <string>
#include <vector>

#include "common/base/entropy.hpp"
#include "common/base/result.hpp"
#include "sync-server/app/data_dir.hpp"

namespace pf::server::app {

/// Writes broker.pem, broker.key and authority.pem into `out`, the key for its owner alone. Gives
/// settings for Mosquitto, or a sentence for people when it can't be done. Works beside a running
/// server: the authority is read and the database is not.
struct BrokerKit {
    bool ok = false;
    std::string text;
};
BrokerKit make_broker_kit(const DataDir& directory, const std::vector<std::string>& names,
                          std::uint16_t port, const std::filesystem::path& out, Entropy& entropy);

}  // namespace pf::server::app
