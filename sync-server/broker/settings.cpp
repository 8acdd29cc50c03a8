#include "sync-server/broker/settings.hpp"

#include <fmt/format.h>

#include <cassert>

namespace pf::server::broker {

namespace {

/// Unacknowledged messages to one client. More gain only latency (docs/adr/0010).
constexpr int in_flight_messages_max = 20;

}  // namespace

std::string render_settings(const Settings& settings) {
    assert(settings.address.find_first_of(" \r\n") == std::string::npos);
    assert(settings.user.find_first_of(" \r\n") == std::string::npos);
    // Nothing is kept: no persistence, no retained messages. Devices and server ask again.
    return fmt::format(
        "# Written by the sync server; changes are overwritten.\n"
        "per_listener_settings true\n"
        "user {user}\n"
        "persistence false\n"
        "retain_available false\n"
        "sys_interval 0\n"
        "set_tcp_nodelay true\n"
        "log_dest stderr\n"
        "log_type error\n"
        "log_type warning\n"
        "log_type notice\n"
        "log_type information\n"
        "log_timestamp false\n"
        "message_size_limit {message}\n"
        "max_queued_messages {queued}\n"
        "max_inflight_messages {in_flight}\n"
        "\n"
        "listener {port} {address}\n"
        "protocol mqtt\n"
        "max_connections {connections}\n"
        "allow_anonymous false\n"
        "cafile {authority}\n"
        "certfile {certificate}\n"
        "keyfile {key}\n"
        "crlfile {crl}\n"
        "tls_version tlsv1.2\n"
        "require_certificate true\n"
        "use_identity_as_username true\n"
        "use_username_as_clientid true\n"
        "acl_file {access}\n"
        "\n"
        "# For the server alone, through the directory's mode: ends a client's connection by "
        "taking\n"
        "# over its name. Nobody can publish or read here.\n"
        "listener 0 {back_door}\n"
        "protocol mqtt\n"
        "allow_anonymous true\n"
        "acl_file {no_access}\n",
        fmt::arg("user", settings.user), fmt::arg("message", settings.message_bytes_max),
        fmt::arg("queued", settings.queued_messages_max),
        fmt::arg("in_flight", in_flight_messages_max), fmt::arg("port", settings.port),
        fmt::arg("address", settings.address), fmt::arg("connections", settings.connections_max),
        fmt::arg("authority", authority_file), fmt::arg("certificate", certificate_file),
        fmt::arg("key", key_file), fmt::arg("crl", crl_file), fmt::arg("access", access_file),
        fmt::arg("back_door", back_door_file), fmt::arg("no_access", no_access_file));
}

}  // namespace pf::server::broker
