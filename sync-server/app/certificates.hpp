#pragma once
// The server's own certificates. Made anew at each start from the platform's authority and kept in
// memory; what proves them is the authority every device pinned.
#include <string>
#include <vector>

#include "common/base/entropy.hpp"
#include "common/base/time.hpp"
#include "common/crypto/x509.hpp"
#include "sync-server/fleet/fleet.hpp"

namespace pf::server::app {

/// 9999-12-31T23:59:59Z, the end RFC 5280 gives to what has none. A device whose clock is years off
/// must still find its server.
WallTime authority_until() noexcept;

/// Common name of the server's client certificate at the broker; the underscore keeps it apart from
/// every device.
inline constexpr std::string_view server_client_id = "paifang_server";
/// The same for each of several servers on one database: "paifang_server" for seat 0, then
/// "paifang_server_1" and so on. A broker knows one connection by one name.
std::string server_name(std::uint32_t seat);

struct OwnCertificate {
    std::string certificate_pem;
    std::string key_pem;
};
/// For a listener that is reached under these names and addresses.
OwnCertificate server_certificate(const fleet::Keys& keys, const std::vector<std::string>& names,
                                  Entropy& entropy);
/// For the link to the broker.
OwnCertificate client_certificate(const fleet::Keys& keys, const std::string& name,
                                  Entropy& entropy);

/// Is the text a dotted quad? Then it goes into a certificate as an address.
bool is_address(const std::string& text) noexcept;

}  // namespace pf::server::app
