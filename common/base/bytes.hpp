#pragma once
// Bytes and how people see them.
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pf {

using Byte = std::uint8_t;
using Bytes = std::vector<Byte>;
using BytesView = std::span<const Byte>;

/// SHA-256 sized value: a digest, a chain head, a bucket sum.
using Digest = std::array<Byte, 32>;

/// Lower-case hexadecimal, two characters a byte.
std::string to_hex(BytesView bytes);

/// The inverse of to_hex; upper case is accepted too. Nothing on an odd length or a foreign
/// character.
std::optional<Bytes> from_hex(std::string_view hex);

/// Exactly N bytes of hexadecimal, or nothing.
template <std::size_t N>
std::optional<std::array<Byte, N>> array_from_hex(std::string_view hex) {
    const auto bytes = from_hex(hex);
    if (!bytes || bytes->size() != N) return std::nullopt;
    std::array<Byte, N> out{};
    std::copy(bytes->begin(), bytes->end(), out.begin());
    return out;
}

/// Exactly N bytes, or nothing: wire fields of fixed size are copied through this.
template <std::size_t N>
std::optional<std::array<Byte, N>> array_from(BytesView bytes) {
    if (bytes.size() != N) return std::nullopt;
    std::array<Byte, N> out{};
    std::copy(bytes.begin(), bytes.end(), out.begin());
    return out;
}

/// The bytes of a text, not copied: the view lives as long as the text does.
BytesView as_bytes(std::string_view text) noexcept;

/// The text in some bytes, not copied and not checked for UTF-8.
std::string_view as_text(BytesView bytes) noexcept;

Bytes to_bytes(std::string_view text);

/// Equal or not, in time that depends on the lengths only. For secrets and keyed hashes.
bool equal_in_constant_time(BytesView a, BytesView b) noexcept;

}  // namespace pf
