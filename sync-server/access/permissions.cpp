#include "sync-server/access/permissions.hpp"

#include <algorithm>
#include <cstdlib>

namespace pf::server::access {
namespace {

constexpr Permission every[] = {
    Permission::admin,           Permission::catalog_read,  Permission::catalog_write,
    Permission::devices_read,    Permission::devices_pair,  Permission::devices_configure,
    Permission::devices_command, Permission::tickets_issue, Permission::tickets_read,
    Permission::tickets_revoke,  Permission::findings_read, Permission::sync_read,
    Permission::sync_import};
static_assert(std::size(every) == permission_count);

}  // namespace

std::string_view to_text(Permission permission) noexcept {
    switch (permission) {
        case Permission::admin:
            return "admin";
        case Permission::catalog_read:
            return "catalog.read";
        case Permission::catalog_write:
            return "catalog.write";
        case Permission::devices_read:
            return "devices.read";
        case Permission::devices_pair:
            return "devices.pair";
        case Permission::devices_configure:
            return "devices.configure";
        case Permission::devices_command:
            return "devices.command";
        case Permission::tickets_issue:
            return "tickets.issue";
        case Permission::tickets_read:
            return "tickets.read";
        case Permission::tickets_revoke:
            return "tickets.revoke";
        case Permission::findings_read:
            return "findings.read";
        case Permission::sync_read:
            return "sync.read";
        case Permission::sync_import:
            return "sync.import";
    }
    std::abort();
}

std::optional<Permission> permission_from(std::string_view text) noexcept {
    const auto* found = std::ranges::find(every, text, [](Permission p) { return to_text(p); });
    if (found == std::end(every)) return std::nullopt;
    return *found;
}

std::span<const Permission> all_permissions() noexcept { return every; }

}  // namespace pf::server::access
