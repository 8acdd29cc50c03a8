#pragma once
// Who may publish and read what. Pure text; Mosquitto's form, which an administrator of an external
// broker can translate.
#include <string>
#include <vector>

namespace pf::server::broker {

struct DeviceAccess {
    std::string id;    // [a-z0-9-], the common name of its certificate
    std::string root;  // "pf/1/<partition>/d/<id>/"
};

struct Access {
    std::vector<std::string> server_ids;  // common names of the servers' own client certificates
    std::vector<DeviceAccess> devices;
};

/// A device writes below its own up/ and reads below its own dn/, and nothing else; a server
/// writes and reads below pf/1/. Whoever is not listed can do nothing. Ids and roots with a
/// blank, a line end, '+' or '#' are a bug of the caller.
std::string render_access(const Access& access);

}  // namespace pf::server::broker
