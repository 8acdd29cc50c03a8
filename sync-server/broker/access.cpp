#include "sync-server/broker/access.hpp"

#include <fmt/format.h>

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
    assert(plain(access.server_id));
    std::string text;
    auto out = std::back_inserter(text);
    fmt::format_to(out, "user {}\ntopic readwrite pf/1/#\n", access.server_id);
    for (const DeviceAccess& device : access.devices) {
        assert(plain(device.id) && device.id != access.server_id);
        assert(plain(device.root) && device.root.ends_with('/'));
        fmt::format_to(out, "\nuser {}\ntopic write {}up/#\ntopic read {}dn/#\n", device.id,
                       device.root, device.root);
    }
    return text;
}

}  // namespace pf::server::broker
