#pragma once
// Where the server is, whom to trust there and which key to show: from the command line, the
// server's own data folder, or the environment, in this order.
#include <functional>
#include <optional>
#include <string>

#include "firmware/ctl/exit.hpp"

namespace pf::firmware::ctl {

/// What the command line said; empty: not said.
struct PlaceOptions {
    std::string data;    // the server's data folder: ports.json, authority.pem, admin.key
    std::string server;  // URL
    std::string ca;      // file: PEM of the authority
    std::string key;     // file: the key's text
};

struct Place {
    std::string url;
    std::string authority_pem;  // empty over plain http to loopback
    std::string key;            // "pfk_…", empty: none
};

/// The variable's value, nothing when it is not set.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

/// PAIFANG_DATA, PAIFANG_SERVER, PAIFANG_CA and PAIFANG_KEY stand in for what was not said.
/// PAIFANG_KEY may hold the key itself. A missing key is no failure here: some calls need none.
Got<Place> find_place(const PlaceOptions& said, const Environment& environment);

/// Was any server named at all?
bool place_named(const PlaceOptions& said, const Environment& environment);

}  // namespace pf::firmware::ctl
