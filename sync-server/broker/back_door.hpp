#pragma once
// The broker's second listener, a Unix socket for the server alone: asks whether it answers, and
// ends a client's connection by connecting under its name (docs/adr/0011).
#include <chrono>
#include <filesystem>
#include <string>

namespace pf::server::broker {

/// Takes over `client_id` and leaves again. True when the broker has accepted that, after which the
/// earlier connection of this client is closed. False when it does not answer within `patience`.
bool take_over(const std::filesystem::path& socket, const std::string& client_id,
               std::chrono::milliseconds patience);

/// Does the broker answer? Takes over a client id no certificate can carry.
bool answers(const std::filesystem::path& socket, std::chrono::milliseconds patience);

}  // namespace pf::server::broker
