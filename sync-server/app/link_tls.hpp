#pragma once
// With what our own link goes to the broker: our authority and a certificate of it, unless an
// external broker has others.
#include <optional>
#include <string>

#include "common/base/entropy.hpp"
#include "common/mqtt/paho_link.hpp"
#include "sync-server/app/config.hpp"
#include "sync-server/fleet/fleet.hpp"

namespace pf::server::app {

/// Nothing, and `wrong` says which file can't be read.
std::optional<mqtt::Tls> link_tls(const Config::Broker& broker, const fleet::Keys& keys,
                                  const std::string& name, Entropy& entropy, std::string& wrong);

}  // namespace pf::server::app
