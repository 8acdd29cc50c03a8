#include "sync-server/orders/csv.hpp"

#include <cstdlib>
#include <utility>

namespace pf::server::orders {
namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

bool valid_utf8(std::string_view text) {
    std::size_t i = 0;
    while (i < text.size()) {
        const auto lead = static_cast<unsigned char>(text[i]);
        const std::size_t more = lead < 0x80         ? 0
                                 : (lead >> 5) == 6  ? 1
                                 : (lead >> 4) == 14 ? 2
                                 : (lead >> 3) == 30 ? 3
                                                     : 9;
        if (more == 9 || i + more >= text.size() + (more == 0 ? 1 : 0)) return false;
        unsigned code = more == 0 ? lead : lead & (0x3fU >> more);
        for (std::size_t k = 1; k <= more; ++k) {
            const auto next = static_cast<unsigned char>(text[i + k]);
            if ((next >> 6) != 2) return false;
            code = code << 6 | (next & 0x3fU);
        }
        constexpr unsigned smallest[] = {0, 0x80, 0x800, 0x10000};
        if (code < smallest[more] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
            return false;
        i += more + 1;
    }
    return true;
}

}  // namespace

std::string_view to_text(CsvFault fault) noexcept {
    switch (fault) {
        case CsvFault::quote_misplaced:
            return "quote_misplaced";
        case CsvFault::quote_open:
            return "quote_open";
        case CsvFault::line_too_long:
            return "line_too_long";
        case CsvFault::too_many_fields:
            return "too_many_fields";
        case CsvFault::bad_utf8:
            return "bad_utf8";
        case CsvFault::nul:
            return "nul";
        case CsvFault::return_misplaced:
            return "return_misplaced";
    }
    std::abort();
}

void CsvReader::feed(std::string_view piece) {
    for (const char c : piece) {
        if (mark_seen_ < byte_order_mark.size()) {
            if (c == byte_order_mark[mark_seen_]) {
                ++mark_seen_;
                continue;
            }
            // Not a mark after all: what looked like its beginning is text.
            const std::size_t matched = mark_seen_;
            mark_seen_ = byte_order_mark.size();
            for (std::size_t i = 0; i < matched; ++i) take(byte_order_mark[i]);
        }
        take(c);
    }
}

void CsvReader::take(char c) {
    if (!any_) {
        line_.number = physical_line_;
        any_ = true;
    }
    if (c == '\n') ++physical_line_;
    if (++line_bytes_ > line_bytes_max && state_ != State::skipping) fail(CsvFault::line_too_long);
    // Dropped in silence it would make another code of this one.
    if (std::exchange(return_seen_, false) && c != '\n' && state_ != State::skipping)
        fail(CsvFault::return_misplaced);
    switch (state_) {
        case State::field_start:
            if (c == '"') {
                state_ = State::quoted;
                return;
            }
            state_ = State::unquoted;
            [[fallthrough]];
        case State::unquoted:
            if (c == ',') return end_field();
            if (c == '\n') return end_line();
            if (c == '"') return fail(CsvFault::quote_misplaced);
            if (c == '\r')
                return_seen_ = true;
            else
                field_ += c;
            return;
        case State::quoted:
            if (c == '"')
                state_ = State::quote_seen;
            else
                field_ += c;
            return;
        case State::quote_seen:
            if (c == '"') {
                field_ += c;
                state_ = State::quoted;
                return;
            }
            if (c == ',') return end_field();
            if (c == '\n') return end_line();
            if (c != '\r') return fail(CsvFault::quote_misplaced);
            return_seen_ = true;
            return;
        case State::skipping:
            if (c == '\n') end_line();
            return;
    }
}

void CsvReader::fail(CsvFault fault) {
    if (!line_.fault) line_.fault = fault;
    state_ = State::skipping;
}

void CsvReader::end_field() {
    if (line_.fields.size() >= fields_max) return fail(CsvFault::too_many_fields);
    if (!valid_utf8(field_)) return fail(CsvFault::bad_utf8);
    if (field_.find('\0') != std::string::npos) return fail(CsvFault::nul);
    line_.fields.push_back(std::exchange(field_, {}));
    state_ = State::field_start;
}

void CsvReader::end_line() {
    const bool empty =
        line_.fields.empty() && field_.empty() && !line_.fault && state_ != State::quote_seen;
    if (!empty) {
        if (!line_.fault) end_field();
        if (line_.fault) line_.fields.clear();
        on_line_(std::exchange(line_, {}));
    }
    line_ = {};
    field_.clear();
    line_bytes_ = 0;
    state_ = State::field_start;
    any_ = false;
    return_seen_ = false;
}

void CsvReader::finish() {
    if (mark_seen_ < byte_order_mark.size()) {
        const std::size_t matched = std::exchange(mark_seen_, byte_order_mark.size());
        for (std::size_t i = 0; i < matched; ++i) take(byte_order_mark[i]);
    }
    if (!any_) return;
    if (state_ == State::quoted) fail(CsvFault::quote_open);
    end_line();
}

}  // namespace pf::server::orders
