#include "sync-server/app/broker_kit.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "sync-server/app/certificates.hpp"

namespace pf::server::app {
namespace {

constexpr std::size_t name_chars_max = 253;  // of a DNS name

/// The listener devices use. Who connects is who the certificate says: rules name it.
std::string mosquitto_settings(const DataDir& directory, std::uint16_t port,
                               const std::filesystem::path& out) {
    return fmt::format(
        "# For mosquitto.conf. Copy access and crl.pem to where the broker may read them whenever\n"
        "# the server has written them anew, then send the broker SIGHUP:\n"
        "#   {access}\n"
        "#   {crl}\n"
        "per_listener_settings true\n"
        "persistence false\n"
        "retain_available false\n"
        "message_size_limit 393216\n"
        "listener {port}\n"
        "allow_anonymous false\n"
        "cafile {out}/authority.pem\n"
        "certfile {out}/broker.pem\n"
        "keyfile {out}/broker.key\n"
        "crlfile {crl}\n"
        "acl_file {access}\n"
        "tls_version tlsv1.2\n"
        "require_certificate true\n"
        "use_identity_as_username true\n"
        "use_username_as_clientid true\n",
        fmt::arg("access", (directory / "broker/access").string()),
        fmt::arg("crl", (directory / "broker/crl.pem").string()), fmt::arg("port", port),
        fmt::arg("out", out.string()));
}

}  // namespace

BrokerKit make_broker_kit(const DataDir& directory, const std::vector<std::string>& names,
                          std::uint16_t port, const std::filesystem::path& out, Entropy& entropy) {
    // Never made here: a certificate of an authority no device knows would help nobody.
    for (const char* name : {"master.key", "authority.key", "authority.pem"})
        if (!std::filesystem::exists(directory / name))
            return {false, fmt::format("{} is not there: start the server once, it makes it",
                                       (directory / name).string())};
    for (const std::string& name : names)
        if (name.empty() || name.size() > name_chars_max ||
            !std::ranges::all_of(name, [](char c) { return c > ' ' && c < 0x7F; }))
            return {false, fmt::format("`{}` is neither a name nor an address", name)};
    const auto read = directory.keys(entropy);
    if (const auto* wrong = std::get_if<std::string>(&read)) return {false, *wrong};
    const auto& keys = std::get<fleet::Keys>(read);
    std::error_code error;
    std::filesystem::create_directories(out, error);
    const auto own = server_certificate(keys, names, entropy);
    const bool written = write_private(out / "broker.key", own.key_pem) &&
                         write_private(out / "broker.pem", own.certificate_pem) &&
                         write_private(out / "authority.pem", keys.authority_pem);
    if (!written) return {false, fmt::format("{} can't be written", out.string())};
    return {true, mosquitto_settings(directory, port, out)};
}

}  // namespace pf::server::app
