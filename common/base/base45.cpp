#include "common/base/base45.hpp"

#include <array>

namespace pf {
namespace {
constexpr std::string_view alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";
constexpr std::uint32_t base = 45;
constexpr Byte absent = 0xff;

constexpr std::array<Byte, 256> make_values() {
    std::array<Byte, 256> values{};
    values.fill(absent);
    for (std::size_t i = 0; i < alphabet.size(); ++i)
        values[static_cast<Byte>(alphabet[i])] = static_cast<Byte>(i);
    return values;
}
constexpr auto values = make_values();
}  // namespace

std::string base45_encode(BytesView bytes) {
    std::string out;
    out.reserve(bytes.size() / 2 * 3 + 2);
    std::size_t i = 0;
    for (; i + 1 < bytes.size(); i += 2) {
        std::uint32_t n = bytes[i] * 256U + bytes[i + 1];
        for (int digit = 0; digit < 3; ++digit, n /= base) out += alphabet[n % base];
    }
    if (i < bytes.size()) {
        const std::uint32_t n = bytes[i];
        out += alphabet[n % base];
        out += alphabet[n / base];
    }
    return out;
}

std::optional<Bytes> base45_decode(std::string_view text) {
    if (text.size() % 3 == 1) return std::nullopt;
    Bytes out;
    out.reserve(text.size() / 3 * 2 + 1);
    for (std::size_t i = 0; i < text.size(); i += 3) {
        const std::size_t digits = std::min<std::size_t>(3, text.size() - i);
        std::uint32_t n = 0;
        for (std::size_t digit = digits; digit-- > 0;) {
            const Byte value = values[static_cast<Byte>(text[i + digit])];
            if (value == absent) return std::nullopt;
            n = n * base + value;
        }
        if (n > (digits == 3 ? 0xffffU : 0xffU)) return std::nullopt;
        if (digits == 3) out.push_back(static_cast<Byte>(n >> 8));
        out.push_back(static_cast<Byte>(n & 0xff));
    }
    return out;
}

}  // namespace pf
