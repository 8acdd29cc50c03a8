#include "firmware/https/url.hpp"

#include <algorithm>
#include <charconv>

namespace pf::firmware::https {
namespace {

bool visible(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7F; });
}

std::optional<std::uint16_t> read_port(std::string_view digits) {
    std::uint16_t port = 0;
    const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (failed != std::errc{} || end != digits.data() + digits.size() || port == 0)
        return std::nullopt;
    return port;
}

}  // namespace

std::optional<Url> read_url(std::string_view text) {
    if (!visible(text) || text.find_first_of("?#@\\\"") != std::string_view::npos)
        return std::nullopt;
    Url url;
    if (text.starts_with("https://")) {
        text.remove_prefix(8);
    } else if (text.starts_with("http://")) {
        text.remove_prefix(7);
        url.tls = false;
    } else {
        return std::nullopt;
    }
    const auto slash = text.find('/');
    auto where = text.substr(0, slash);
    if (slash != std::string_view::npos) url.prefix = text.substr(slash);
    while (url.prefix.ends_with('/')) url.prefix.pop_back();

    std::string_view rest;
    if (where.starts_with('[')) {
        const auto close = where.find(']');
        if (close == std::string_view::npos) return std::nullopt;
        url.host = where.substr(1, close - 1);
        url.authority = where.substr(0, close + 1);
        rest = where.substr(close + 1);
    } else {
        const auto colon = where.find(':');
        url.host = where.substr(0, colon);
        url.authority = url.host;
        if (colon != std::string_view::npos) rest = where.substr(colon);
    }
    if (url.host.empty()) return std::nullopt;
    const std::uint16_t usual = url.tls ? 443 : 80;
    url.port = usual;
    if (rest.empty()) return url;
    const auto port = rest.front() == ':' ? read_port(rest.substr(1)) : std::nullopt;
    if (!port) return std::nullopt;
    url.port = *port;
    if (url.port != usual) url.authority += ':' + std::to_string(url.port);
    return url;
}

}  // namespace pf::firmware::https
