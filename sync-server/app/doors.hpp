#pragma once
// The HTTP listeners: the main one for people and programs, the one where devices renew.
#include <string>
#include <variant>
#include <vector>

#include "common/base/entropy.hpp"
#include "sync-server/api/api.hpp"
#include "sync-server/app/config.hpp"
#include "sync-server/app/log.hpp"
#include "sync-server/fleet/fleet.hpp"
#include "sync-server/http/server.hpp"

namespace pf::server::app {

/// Names and addresses this server is reached under: what its certificates say.
std::vector<std::string> own_names(const Config& config);
/// A sentence when a certificate can't be read.
std::variant<http::ServerOptions, std::string> doors(const Config& config, const fleet::Keys& keys,
                                                     const api::Api& api, Entropy& entropy,
                                                     Log& log);

}  // namespace pf::server::app
