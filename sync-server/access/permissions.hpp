#pragma once
// What a key may do. A closed set: a permission nobody can spell wrong, checked at start for every
// route.
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace pf::server::access {

/// Numbers are bits in the database: append, never reuse.
enum class Permission : std::uint8_t {
    admin = 0,  // everything, and what only it may: keys, audit, generations
    catalog_read = 1,
    catalog_write = 2,  // sites, points, windows, products
    devices_read = 3,
    devices_pair = 4,  // invite and revoke
    devices_configure = 5,
    devices_command = 6,
    tickets_issue = 7,  // issue, reissue, import; read the code of a ticket
    tickets_read = 8,   // look at tickets, find them by carrier, explain
    tickets_revoke = 9,
    findings_read = 10,
    sync_read = 11,   // the sync log
    sync_import = 12  // journals of devices that are gone
};
inline constexpr std::size_t permission_count = 13;

/// "devices.read": in the API, in files, for good.
std::string_view to_text(Permission permission) noexcept;
std::optional<Permission> permission_from(std::string_view text) noexcept;
std::span<const Permission> all_permissions() noexcept;

class Permissions {
public:
    constexpr Permissions() = default;
    constexpr Permissions(std::initializer_list<Permission> list) {
        for (const Permission permission : list) add(permission);
    }
    constexpr void add(Permission permission) { bits_ |= bit(permission); }
    /// admin has every permission.
    constexpr bool has(Permission permission) const {
        return (bits_ & (bit(permission) | bit(Permission::admin))) != 0;
    }
    constexpr bool names(Permission permission) const { return (bits_ & bit(permission)) != 0; }
    constexpr bool empty() const { return bits_ == 0; }
    constexpr std::uint64_t bits() const { return bits_; }
    static constexpr Permissions from_bits(std::uint64_t bits) {
        Permissions out;
        out.bits_ = bits;
        return out;
    }
    friend constexpr bool operator==(Permissions, Permissions) = default;

private:
    static constexpr std::uint64_t bit(Permission permission) {
        return 1ULL << static_cast<unsigned>(permission);
    }
    std::uint64_t bits_ = 0;
};

}  // namespace pf::server::access
