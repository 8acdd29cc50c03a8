#include "common/base/ids.hpp"

#include <algorithm>

namespace pf {

std::array<Byte, 8> to_be8(std::uint64_t value) noexcept {
    std::array<Byte, 8> out{};
    for (int i = 7; i >= 0; --i, value >>= 8)
        out[static_cast<std::size_t>(i)] = static_cast<Byte>(value);
    return out;
}

std::uint64_t from_be8(std::span<const Byte, 8> bytes) noexcept {
    std::uint64_t value = 0;
    for (const Byte byte : bytes) value = value << 8 | byte;
    return value;
}

std::string to_text(TicketId id) { return to_hex(to_be8(id.value)); }

std::optional<TicketId> ticket_id_from(std::string_view hex16) {
    const auto bytes = array_from_hex<8>(hex16);
    if (!bytes) return std::nullopt;
    return TicketId{from_be8(*bytes)};
}

std::optional<DeviceId> DeviceId::parse(std::string_view text) {
    const auto allowed = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    };
    if (text.empty() || text.size() > length_max || !std::ranges::all_of(text, allowed))
        return std::nullopt;
    return DeviceId{std::string{text}};
}

}  // namespace pf
