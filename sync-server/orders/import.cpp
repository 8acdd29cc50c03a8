#include "sync-server/orders/import.hpp"

#include <algorithm>
#include <charconv>
#include <map>

namespace pf::server::orders {
namespace {

constexpr std::string_view known_columns[] = {"code",    "product",     "first_day", "last_day",
                                              "persons", "person_type", "reference"};
constexpr std::string_view required_columns[] = {"code", "product", "first_day", "last_day"};

std::optional<std::uint32_t> whole_number(std::string_view text) {
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || text.empty())
        return std::nullopt;
    return value;
}

}  // namespace

CodeImport::CodeImport(SiteId site)
    : site_{site}, reader_{[this](CsvReader::Line&& line) { on_line(std::move(line)); }} {}

void CodeImport::refuse(std::uint64_t line, std::string field, std::string code) {
    ++error_count_;
    if (errors_.size() < errors_kept) errors_.push_back({line, std::move(field), std::move(code)});
}

void CodeImport::finish() {
    reader_.finish();
    if (!header_seen_) refuse(1, {}, "header_missing");
}

void CodeImport::on_header(const CsvReader::Line& line) {
    columns_ = line.fields;
    for (const std::string& column : columns_) {
        if (std::ranges::find(known_columns, column) == std::end(known_columns))
            refuse(line.number, column, "column_unknown");
        if (std::ranges::count(columns_, column) > 1) refuse(line.number, column, "column_twice");
    }
    for (const std::string_view column : required_columns)
        if (std::ranges::find(columns_, column) == columns_.end())
            refuse(line.number, std::string{column}, "column_missing");
}

void CodeImport::on_line(CsvReader::Line&& line) {
    if (line.fault) return refuse(line.number, {}, std::string{to_text(*line.fault)});
    if (!header_seen_) {
        header_seen_ = true;
        return on_header(line);
    }
    if (line.fields.size() != columns_.size()) return refuse(line.number, {}, "field_count");
    if (rows_.size() >= rows_max) return refuse(line.number, {}, "too_many_rows");
    std::map<std::string_view, std::string_view> field;
    for (std::size_t i = 0; i < columns_.size(); ++i) field[columns_[i]] = line.fields[i];

    const std::uint64_t before = error_count_;
    Row row{.line = line.number, .draft = {}};
    row.draft.signed_qr = false;
    const auto product = whole_number(field["product"]);
    const auto first = day_from(field["first_day"]);
    const auto last = day_from(field["last_day"]);
    if (field["code"].empty() || field["code"].size() > carrier_chars_max)
        refuse(line.number, "code", "code_bad");
    if (!product) refuse(line.number, "product", "product_bad");
    if (!first) refuse(line.number, "first_day", "day_bad");
    if (!last) refuse(line.number, "last_day", "day_bad");
    if (first && last && *last < *first) refuse(line.number, "last_day", "days_reversed");
    if (!field["persons"].empty()) {
        const auto persons = whole_number(field["persons"]);
        if (!persons || *persons == 0 || *persons > ticket::persons_max)
            refuse(line.number, "persons", "persons_bad");
        else
            row.draft.persons = static_cast<std::uint16_t>(*persons);
    }
    if (!field["person_type"].empty()) {
        const auto type = ticket::person_type_from(field["person_type"]);
        if (!type)
            refuse(line.number, "person_type", "person_type_bad");
        else
            row.draft.person_type = *type;
    }
    if (error_count_ != before) return;
    row.draft.reference = field["reference"];
    row.draft.carriers.push_back({admission::CarrierKind::code, std::string{field["code"]}});
    row.draft.entitlements.push_back({.site = site_,
                                      .product = ProductId{*product},
                                      .first_day = *first,
                                      .last_day = *last,
                                      .window = {}});
    rows_.push_back(std::move(row));
}

Imported import_codes(Repositories& r, const Call& call, const fleet::Keys& keys,
                      const CodeImport& import) {
    Imported out;
    for (const CodeImport::Row& row : import.rows()) {
        const auto issued = issue(r, call, keys, row.draft, std::to_string(row.line));
        if (issued.has_value()) {
            ++out.count;
            out.effects.moved.insert(row.draft.entitlements.front().site);
            continue;
        }
        if (out.errors.size() < CodeImport::errors_kept)
            out.errors.push_back({row.line, {}, std::string{to_text(issued.error())}});
    }
    if (!out.errors.empty()) out.effects = {};
    return out;
}

}  // namespace pf::server::orders
