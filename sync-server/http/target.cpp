#include "sync-server/http/target.hpp"

#include "common/base/bytes.hpp"

namespace pf::server::http {
namespace {

bool continuation(unsigned char c) noexcept { return (c & 0xC0U) == 0x80U; }

/// Length of the UTF-8 sequence at `text[at]`, 0 when there is none (overlong forms, surrogates and
/// numbers beyond U+10FFFF included).
std::size_t utf8_length(std::string_view text, std::size_t at) noexcept {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
    const auto left = text.size() - at;
    const unsigned char first = byte(0);
    if (first < 0x80U) return 1;
    if (first >= 0xC2U && first <= 0xDFU) return left >= 2 && continuation(byte(1)) ? 2 : 0;
    if (first >= 0xE0U && first <= 0xEFU) {
        if (left < 3 || !continuation(byte(1)) || !continuation(byte(2))) return 0;
        if (first == 0xE0U && byte(1) < 0xA0U) return 0;
        if (first == 0xEDU && byte(1) > 0x9FU) return 0;
        return 3;
    }
    if (first >= 0xF0U && first <= 0xF4U) {
        if (left < 4 || !continuation(byte(1)) || !continuation(byte(2)) || !continuation(byte(3)))
            return 0;
        if (first == 0xF0U && byte(1) < 0x90U) return 0;
        if (first == 0xF4U && byte(1) > 0x8FU) return 0;
        return 4;
    }
    return 0;
}

bool printable_utf8(std::string_view text) noexcept {
    for (std::size_t at = 0; at < text.size();) {
        const auto c = static_cast<unsigned char>(text[at]);
        if (c < 0x20U || c == 0x7FU) return false;
        const auto length = utf8_length(text, at);
        if (length == 0) return false;
        at += length;
    }
    return true;
}

}  // namespace

std::optional<std::string> percent_decoded(std::string_view text, PlusSign plus) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%') {
            if (text.size() - i < 3) return std::nullopt;
            const auto byte = from_hex(text.substr(i + 1, 2));
            if (!byte) return std::nullopt;
            out.push_back(static_cast<char>(byte->front()));
            i += 2;
        } else {
            out.push_back(text[i] == '+' && plus == PlusSign::space ? ' ' : text[i]);
        }
    }
    if (!printable_utf8(out)) return std::nullopt;
    return out;
}

TargetRead read_target(std::string_view text) {
    if (text.empty() || text.front() != '/' || text.find('#') != std::string_view::npos)
        return {std::nullopt, TargetFault::not_origin_form};
    Target target;
    const auto mark = text.find('?');
    target.path = text.substr(0, mark);
    if (mark == std::string_view::npos) return {std::move(target)};

    auto rest = text.substr(mark + 1);
    while (!rest.empty()) {
        const auto end = rest.find('&');
        const auto part = rest.substr(0, end);
        rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
        if (part.empty()) continue;
        const auto equals = part.find('=');
        auto key = percent_decoded(part.substr(0, equals), PlusSign::space);
        auto value = equals == std::string_view::npos
                         ? std::optional<std::string>{std::in_place}
                         : percent_decoded(part.substr(equals + 1), PlusSign::space);
        if (!key || !value) return {std::nullopt, TargetFault::bad_encoding};
        if (!target.query.emplace(std::move(*key), std::move(*value)).second)
            return {std::nullopt, TargetFault::repeated_key};
    }
    return {std::move(target)};
}

}  // namespace pf::server::http
