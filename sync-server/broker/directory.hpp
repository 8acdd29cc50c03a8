#pragma once
// The broker's directory and who may open it.
#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "sync-server/broker/child.hpp"

namespace pf::server::broker {

/// Whom Mosquitto shall run as: `user`, when this process is root, such a user exists and may pass
/// through every parent of `directory`. Nothing: as this process.
std::optional<Account> account_for(const std::filesystem::path& directory, const std::string& user);

/// Makes the directory if need be, closed to everyone but its owner. False when that fails.
bool prepare_directory(const std::filesystem::path& directory,
                       const std::optional<Account>& account);

/// Replaces a file at once, readable by the broker alone: nobody ever reads half of it. False when
/// the disk is full or the directory gone.
bool write_file(const std::filesystem::path& directory, std::string_view name,
                std::string_view content, const std::optional<Account>& account);

/// A port of `address` that was free just now; nothing when there is none.
std::optional<std::uint16_t> free_port(const std::string& address);

}  // namespace pf::server::broker
