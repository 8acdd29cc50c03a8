#pragma once
// Other sellers' codes from a CSV file: read as it streams in, checked line by line, booked all or
// nothing.
#include <string>
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
    void feed(std::string_view piece) { reader_.feed(piece); }
    void finish();

    struct Row {
        std::uint64_t line = 0;
        TicketDraft draft;
    };
    const std::vector<Row>& rows() const noexcept { return rows_; }
    /// At most errors_kept of them; error_count() tells how many there were.
    const std::vector<ImportError>& errors() const noexcept { return errors_; }
    std::uint64_t error_count() const noexcept { return error_count_; }

    static constexpr std::size_t rows_max =
        200'000;  // a season of one seller; more comes in several files
    static constexpr std::size_t errors_kept = 100;

private:
    void on_line(CsvReader::Line&& line);
    void on_header(const CsvReader::Line& line);
    void refuse(std::uint64_t line, std::string field, std::string code);

    SiteId site_;
    CsvReader reader_;
    std::vector<std::string> columns_;
    bool header_seen_ = false;
    std::vector<Row> rows_;
    std::vector<ImportError> errors_;
    std::uint64_t error_count_ = 0;
};

struct Imported {
    std::uint64_t count = 0;
    std::vector<ImportError> errors;  // not empty: nothing was imported, undo the transaction
    Effects effects;
};
/// Books every row of a finished import without errors.
Imported import_codes(Repositories& r, const Call& call, const fleet::Keys& keys,
                      const CodeImport& import);

}  // namespace pf::server::orders
