#pragma once
// CSV (RFC 4180) read in pieces of any size: a file of a million lines never stands in memory.
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pf::server::orders {

enum class CsvFault : std::uint8_t {
    quote_misplaced = 1,  // a quote inside an unquoted field, or text after a closing quote
    quote_open = 2,       // the file ends inside quotes
    line_too_long = 3,
    too_many_fields = 4,
    bad_utf8 = 5,
    return_misplaced = 6,  // a carriage return that ends no line
    nul = 7,               // the character no database keeps in a text
};
std::string_view to_text(CsvFault fault) noexcept;

/// Push parser. A UTF-8 byte order mark is skipped, lines end with LF or CRLF, empty lines are
/// skipped but counted. After a fault the rest of that line is skipped and reading goes on.
class CsvReader {
public:
    struct Line {
        std::uint64_t number = 0;  // from 1, as an editor shows the line the record begins on
        std::vector<std::string> fields;
        std::optional<CsvFault> fault;
    };
    using OnLine = std::function<void(Line&&)>;
    explicit CsvReader(OnLine on_line) : on_line_{std::move(on_line)} {}

    void feed(std::string_view piece);
    void finish();

    static constexpr std::size_t line_bytes_max = 16 * 1024;
    static constexpr std::size_t fields_max = 32;

private:
    enum class State : std::uint8_t { field_start, unquoted, quoted, quote_seen, skipping };
    void take(char c);
    void end_field();
    void end_line();
    void fail(CsvFault fault);

    OnLine on_line_;
    State state_ = State::field_start;
    Line line_;
    std::string field_;
    std::size_t line_bytes_ = 0;
    std::uint64_t physical_line_ = 1;
    std::size_t mark_seen_ =
        0;              // bytes of the byte order mark matched so far; 3: no longer looked for
    bool any_ = false;  // something was read since the last line's end
    bool return_seen_ = false;  // outside quotes: only a line feed may follow
};

}  // namespace pf::server::orders
