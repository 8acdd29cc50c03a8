#pragma once
// Text for people in a terminal: two languages, and columns that line up in both.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "firmware/ctl/exit.hpp"

namespace pf::firmware::ctl {

enum class Language : std::uint8_t { english, chinese };
/// "en" or "zh".
std::optional<Language> language_from(std::string_view word) noexcept;
/// Of a locale's name as in LANG: "zh_CN.UTF-8" is Chinese, everything else English.
Language language_of_locale(std::string_view locale) noexcept;

const std::string& in(Language language, const Words& words) noexcept;

/// Columns of a terminal the text takes: Chinese characters take two.
std::size_t columns_of(std::string_view utf8) noexcept;

/// Control characters as visible ones: what others wrote must not steer the terminal.
std::string harmless(std::string_view text);

/// Rows under a header, columns as wide as their widest cell. Cells are made harmless.
class Table {
public:
    explicit Table(std::vector<std::string> header) : header_{std::move(header)} {}
    void row(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
    bool empty() const noexcept { return rows_.empty(); }
    std::string text() const;

private:
    std::vector<std::string> header_;
    std::vector<std::vector<std::string>> rows_;
};

}  // namespace pf::firmware::ctl
