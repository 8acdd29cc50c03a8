#pragma once
// The names of things. A strong type each, so a product can't be passed where a site is meant.
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/bytes.hpp"

namespace pf {

template <class Tag, class Number = std::uint32_t>
struct Id {
    Number value{};
    friend constexpr auto operator<=>(Id, Id) = default;
};

using SiteId = Id<struct SiteTag>;    // scenic area 景区
using SpotId = Id<struct SpotTag>;    // park in park 景点
using PointId = Id<struct PointTag>;  // point 点位
using ProductId = Id<struct ProductTag>;
using WindowId = Id<struct WindowTag>;             // a span of the day; 0 is the whole day
using Epoch = Id<struct EpochTag, std::uint64_t>;  // one life of one journal file
using BootId = Id<struct BootTag, std::uint64_t>;  // one run of one device
using Generation = Id<struct GenerationTag, std::uint64_t>;  // one life of the server's state
using TicketId = Id<struct TicketTag, std::uint64_t>;        // 8 bytes on the wire, big endian

/// 16 lower-case hexadecimal digits.
std::string to_text(TicketId id);
std::optional<TicketId> ticket_id_from(std::string_view hex16);
std::array<Byte, 8> to_be8(std::uint64_t value) noexcept;
std::uint64_t from_be8(std::span<const Byte, 8> bytes) noexcept;

/// Certificate CN = client id = topic level: 1 to 32 characters of [a-z0-9-].
class DeviceId {
public:
    static constexpr std::size_t length_max = 32;
    static std::optional<DeviceId> parse(std::string_view text);

    const std::string& text() const noexcept { return text_; }
    friend auto operator<=>(const DeviceId&, const DeviceId&) = default;

private:
    explicit DeviceId(std::string text) : text_{std::move(text)} {}
    std::string text_;
};

/// One admission by one device, named so that every device and the server mean the same one
/// (invariant 3: an event's identity is device, epoch, seq).
struct GrantId {
    DeviceId device;
    Epoch epoch;
    std::uint64_t seq;
    friend auto operator<=>(const GrantId&, const GrantId&) = default;
};

}  // namespace pf

template <class Tag, class Number>
struct std::hash<pf::Id<Tag, Number>> {
    std::size_t operator()(pf::Id<Tag, Number> id) const noexcept {
        return std::hash<Number>{}(id.value);
    }
};
