#include "firmware/ctl/text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace pf::firmware::ctl {

std::optional<Language> language_from(std::string_view word) noexcept {
    if (word == "en") return Language::english;
    if (word == "zh") return Language::chinese;
    return std::nullopt;
}

Language language_of_locale(std::string_view locale) noexcept {
    return locale.starts_with("zh") ? Language::chinese : Language::english;
}

const std::string& in(Language language, const Words& words) noexcept {
    return language == Language::chinese ? words.zh : words.en;
}

namespace {

constexpr unsigned char lead_of_wide = 0xe2;  // from U+2E80 on, near enough for our own words

bool continues(unsigned char byte) { return (byte & 0xc0U) == 0x80U; }

/// From CJK radicals to the last ideograph, full-width forms, and the planes beyond.
bool wide_at(std::string_view text, std::size_t at) {
    const auto byte = [&](std::size_t i) {
        return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0U;
    };
    if (byte(0) >= 0xf0U) return true;
    if (byte(0) < lead_of_wide) return false;
    const unsigned code = (byte(0) & 0x0fU) << 12U | (byte(1) & 0x3fU) << 6U | (byte(2) & 0x3fU);
    return (code >= 0x2e80 && code <= 0xd7a3) || (code >= 0xf900 && code <= 0xfaff) ||
           (code >= 0xff00 && code <= 0xff60) || (code >= 0xffe0 && code <= 0xffe6);
}

void add_line(std::string& out, const std::vector<std::string>& cells,
              const std::vector<std::size_t>& widths) {
    std::string line;
    for (std::size_t i = 0; i < cells.size(); ++i) {
        line += cells[i];
        if (i + 1 < cells.size()) line.append(widths[i] - columns_of(cells[i]) + 2, ' ');
    }
    while (line.ends_with(' ')) line.pop_back();
    out += line + "\n";
}

}  // namespace

std::size_t columns_of(std::string_view utf8) noexcept {
    std::size_t columns = 0;
    for (std::size_t i = 0; i < utf8.size(); ++i)
        if (!continues(static_cast<unsigned char>(utf8[i]))) columns += wide_at(utf8, i) ? 2 : 1;
    return columns;
}

std::string harmless(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        // C1 controls arrive in UTF-8 as C2 80 to C2 9F.
        const bool c1 =
            byte == 0xc2U && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0U;
        if (byte < 0x20U || byte == 0x7fU)
            out += fmt::format("\\x{:02x}", byte);
        else if (c1)
            out += fmt::format("\\u{:04x}", static_cast<unsigned char>(text[++i]));
        else
            out += text[i];
    }
    return out;
}

std::string Table::text() const {
    std::vector<std::vector<std::string>> lines{header_};
    for (const auto& row : rows_) {
        lines.emplace_back();
        for (const auto& cell : row) lines.back().push_back(harmless(cell));
    }
    std::vector<std::size_t> widths(header_.size(), 0);
    for (auto& line : lines) {
        line.resize(header_.size());
        for (std::size_t i = 0; i < line.size(); ++i)
            widths[i] = std::max(widths[i], columns_of(line[i]));
    }
    std::string out;
    for (const auto& line : lines) add_line(out, line, widths);
    return out;
}

}  // namespace pf::firmware::ctl
