#include "sync-server/broker/access.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <iterator>
#include <string_view>

namespace pf::server::broker {

namespace {

/// A line end would begin a rule of its own, a blank or a wildcard would widen one.
bool plain(std::string_view word) {
    return !word.empty() && word.find_first_of(" \t\r\n+#") == std::string_view::npos;
}

}  // namespace

std::string render_access(const Access& access) {
    std::string text;
    auto out = std::back_inserter(text);
    for (const std::string& server : access.server_ids) {
        assert(plain(server));
        fmt::format_to(out, "{}user {}\ntopic readwrite pf/1/#\n", text.empty() ? "" : "\n",
                       server);
    }
    for (const DeviceAccess& device : access.devices) {
        assert(plain(device.id) && std::ranges::count(access.server_ids, device.id) == 0);
        assert(plain(device.root) && device.root.ends_with('/'));
        fmt::format_to(out, "\nuser {}\ntopic write {}up/#\ntopic read {}dn/#\n", device.id,
                       device.root, device.root);
    }
    return text;
}

}  // namespace pf::server::broker
