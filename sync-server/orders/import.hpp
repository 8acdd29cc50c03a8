#pragma once
// Other sellers' codes from a CSV file: read as it streams in, checked line by line, booked all or
// nothing.
#include <array>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "sync-server/orders/csv.hpp"
#include "sync-server/orders/orders.hpp"

namespace pf::server::orders {

/// What is wrong with one line, by its number in the file.
struct ImportError {
    std::uint64_t line = 0;
    std::string field;  // column name, or empty for the whole line
    std::string code;   // "day_bad", "product_unknown", "duplicate", …
    friend bool operator==(const ImportError&, const ImportError&) = default;
};

/// Columns, by the header line and in any order: code, product, first_day, last_day; optional
/// persons, person_type, reference. Days as 2026-05-01.
class CodeImport {
public:
    explicit CodeImport(SiteId site);
    CodeImport(const CodeImport&) = delete;
    CodeImport& operator=(const CodeImport&) = delete;
    void feed(std::string_view piece) { reader_.feed(piece); }
    void finish();

    /// A line as it waits for the end of the file: a season of them is held, so each is small.
    struct Row {
        std::uint64_t line = 0;
        ProductId product;
        Day first_day, last_day;
        std::uint16_t persons = 1;
        ticket::PersonType person_type = ticket::PersonType::adult;
        std::string_view code, reference;  // as long as the import lives
    };
    const std::deque<Row>& rows() const noexcept { return rows_; }
    TicketDraft draft_of(const Row& row) const;
    /// At most errors_kept of them; error_count() tells how many there were.
    const std::vector<ImportError>& errors() const noexcept { return errors_; }
    std::uint64_t error_count() const noexcept { return error_count_; }

    static constexpr std::size_t rows_max =
        200'000;  // a season of one seller; more comes in several files
    static constexpr std::size_t errors_kept = 100;
    static constexpr std::size_t reference_bytes_max = 64;

private:
    using Fields = std::vector<std::string>;
    void on_line(CsvReader::Line&& line);
    void on_header(const CsvReader::Line& line);
    void on_row(std::uint64_t line, const Fields& fields);
    void refuse(std::uint64_t line, std::string field, std::string code);
    /// The field of a known column; empty when the file does not have it.
    std::string_view field(const Fields& fields, std::size_t column) const;
    std::string_view kept(std::string_view text);

    SiteId site_;
    CsvReader reader_;
    std::size_t column_count_ = 0;
    std::array<std::size_t, 7> places_{};  // of the known columns; column_count_: not there
    enum class Header : std::uint8_t { awaited, good, bad } header_ = Header::awaited;
    std::deque<Row> rows_;
    std::deque<std::string> texts_;  // blocks that never grow, so that views into them stay good
    std::vector<ImportError> errors_;
    std::uint64_t error_count_ = 0;
};

struct Imported {
    std::uint64_t count = 0;
    std::vector<ImportError> errors;  // not empty: nothing was imported, undo the transaction
    std::uint64_t error_count = 0;    // of errors the first errors_kept are listed
    Effects effects;
};
/// Books every row of a finished import without errors.
Imported import_codes(Repositories& r, const Call& call, const fleet::Keys& keys,
                      const CodeImport& import);

}  // namespace pf::server::orders
