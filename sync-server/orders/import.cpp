#include "sync-server/orders/import.hpp"

#include <algorithm>
#include <charconv>

#include "sync-server/orders/issuing.hpp"

namespace pf::server::orders {
namespace {

constexpr std::string_view known_columns[] = {"code",    "product",     "first_day", "last_day",
                                              "persons", "person_type", "reference"};
enum Column : std::size_t { code, product, first_day, last_day, persons, person_type, reference };
constexpr std::size_t required_columns = last_day + 1;  // the first of them

constexpr std::size_t text_block_bytes = 64 * 1024;  // longer than any line

std::optional<std::uint32_t> whole_number(std::string_view text) {
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || text.empty())
        return std::nullopt;
    return value;
}

}  // namespace

CodeImport::CodeImport(SiteId site)
    : site_{site}, reader_{[this](CsvReader::Line&& line) { on_line(std::move(line)); }} {
    static_assert(std::tuple_size_v<decltype(places_)> == std::size(known_columns));
    static_assert(text_block_bytes >= CsvReader::line_bytes_max);
}

void CodeImport::refuse(std::uint64_t line, std::string field, std::string code) {
    ++error_count_;
    if (errors_.size() < errors_kept) errors_.push_back({line, std::move(field), std::move(code)});
}

void CodeImport::finish() {
    reader_.finish();
    if (header_ == Header::awaited) refuse(1, {}, "header_missing");
}

void CodeImport::on_header(const CsvReader::Line& line) {
    const Fields& columns = line.fields;
    const std::uint64_t before = error_count_;
    for (const std::string& column : columns) {
        if (std::ranges::find(known_columns, column) == std::end(known_columns))
            refuse(line.number, column, "column_unknown");
        if (std::ranges::count(columns, column) > 1) refuse(line.number, column, "column_twice");
    }
    column_count_ = columns.size();
    for (std::size_t i = 0; i < std::size(known_columns); ++i) {
        const auto found = std::ranges::find(columns, known_columns[i]);
        places_[i] = static_cast<std::size_t>(found - columns.begin());
        if (found == columns.end() && i < required_columns)
            refuse(line.number, std::string{known_columns[i]}, "column_missing");
    }
    // Without its header no line can be judged: each would be "wrong" for the header's fault.
    header_ = error_count_ == before ? Header::good : Header::bad;
}

void CodeImport::on_line(CsvReader::Line&& line) {
    if (line.fault) {
        refuse(line.number, {}, std::string{to_text(*line.fault)});
        if (header_ == Header::awaited) header_ = Header::bad;
        return;
    }
    switch (header_) {
        case Header::awaited:
            return on_header(line);
        case Header::good:
            return on_row(line.number, line.fields);
        case Header::bad:
            return;
    }
}

std::string_view CodeImport::field(const Fields& fields, std::size_t column) const {
    const std::size_t place = places_[column];
    return place < column_count_ ? std::string_view{fields[place]} : std::string_view{};
}

void CodeImport::on_row(std::uint64_t line, const Fields& fields) {
    if (fields.size() != column_count_) return refuse(line, {}, "field_count");
    if (rows_.size() >= rows_max) return refuse(line, {}, "too_many_rows");
    const auto in = [&](Column column) { return field(fields, column); };

    const std::uint64_t before = error_count_;
    Row row;
    row.line = line;
    const auto number = whole_number(in(product));
    const auto first = day_from(in(first_day));
    const auto last = day_from(in(last_day));
    if (in(code).empty() || in(code).size() > carrier_chars_max) refuse(line, "code", "code_bad");
    if (!number) refuse(line, "product", "product_bad");
    if (!first) refuse(line, "first_day", "day_bad");
    if (!last) refuse(line, "last_day", "day_bad");
    if (first && last && *last < *first) refuse(line, "last_day", "days_reversed");
    if (!in(persons).empty()) {
        const auto count = whole_number(in(persons));
        if (!count || *count == 0 || *count > ticket::persons_max)
            refuse(line, "persons", "persons_bad");
        else
            row.persons = static_cast<std::uint16_t>(*count);
    }
    if (!in(person_type).empty()) {
        const auto type = ticket::person_type_from(in(person_type));
        if (!type)
            refuse(line, "person_type", "person_type_bad");
        else
            row.person_type = *type;
    }
    if (in(reference).size() > reference_bytes_max) refuse(line, "reference", "reference_bad");
    if (error_count_ != before) return;
    row.product = ProductId{*number};
    row.first_day = *first;
    row.last_day = *last;
    row.code = kept(in(code));
    row.reference = kept(in(reference));
    rows_.push_back(row);
}

std::string_view CodeImport::kept(std::string_view text) {
    if (texts_.empty() || texts_.back().capacity() - texts_.back().size() < text.size())
        texts_.emplace_back().reserve(text_block_bytes);
    std::string& block = texts_.back();
    const std::size_t at = block.size();
    block += text;
    return std::string_view{block}.substr(at);
}

TicketDraft CodeImport::draft_of(const Row& row) const {
    TicketDraft draft;
    draft.person_type = row.person_type;
    draft.persons = row.persons;
    draft.signed_qr = false;
    draft.reference = row.reference;
    draft.carriers.push_back({admission::CarrierKind::code, std::string{row.code}});
    draft.entitlements.push_back({.site = site_,
                                  .product = row.product,
                                  .first_day = row.first_day,
                                  .last_day = row.last_day,
                                  .window = {}});
    return draft;
}

Imported import_codes(Repositories& r, const Call& call, const fleet::Keys& keys,
                      const CodeImport& import) {
    Imported out;
    Issuing issuing{r, call, keys};
    for (const CodeImport::Row& row : import.rows()) {
        const TicketDraft draft = import.draft_of(row);
        const auto issued = issuing.issue(draft, std::to_string(row.line));
        if (issued.has_value()) {
            ++out.count;
            out.effects.moved.insert(draft.entitlements.front().site);
            continue;
        }
        ++out.error_count;
        if (out.errors.size() < CodeImport::errors_kept)
            out.errors.push_back({row.line, {}, std::string{to_text(issued.error())}});
    }
    if (out.errors.empty())
        issuing.write();
    else
        out.effects = {};
    return out;
}

}  // namespace pf::server::orders
