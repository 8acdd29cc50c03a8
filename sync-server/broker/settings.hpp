#pragma once
// Mosquitto's configuration file. Pure text; every name in it is relative to the broker's
// directory, which is its working directory.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace pf::server::broker {

// The files of the broker's directory.
inline constexpr std::string_view settings_file = "broker.conf";
inline constexpr std::string_view access_file = "access";
inline constexpr std::string_view no_access_file = "no-access";
inline constexpr std::string_view authority_file = "authority.pem";
inline constexpr std::string_view certificate_file = "certificate.pem";
inline constexpr std::string_view key_file = "key.pem";
inline constexpr std::string_view crl_file = "crl.pem";
inline constexpr std::string_view back_door_file = "back-door.sock";

struct Settings {
    std::string user;  // whom to become when started as root
    std::string address;
    std::uint16_t port = 0;
    std::size_t message_bytes_max = 0;
    std::size_t queued_messages_max = 0;
    std::size_t connections_max = 0;
};

std::string render_settings(const Settings& settings);

}  // namespace pf::server::broker
