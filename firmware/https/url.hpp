#pragma once
// The server's address as people write it.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pf::firmware::https {

struct Url {
    bool tls = true;
    std::string host;  // without brackets
    std::uint16_t port = 0;
    std::string prefix;     // "" or "/x", without a slash at its end
    std::string authority;  // the Host field: with brackets, port only when it isn't the default
};

/// "http" or "https", host, optional port and path. No user, query or fragment.
std::optional<Url> read_url(std::string_view text);

}  // namespace pf::firmware::https
