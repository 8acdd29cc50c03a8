#include "tests/vectors/vectors.hpp"

#include <doctest/doctest.h>

#include <charconv>
#include <fstream>
#include <sstream>

namespace pf::tests {
namespace {

constexpr std::string_view fence = "```";
constexpr std::string_view opening = "```vector";

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

std::string_view trim(std::string_view text) {
    while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
    return text;
}

bool is_word(std::string_view text, std::string_view also) {
    if (text.empty()) return false;
    for (const char c : text) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!plain && also.find(c) == std::string_view::npos) return false;
    }
    return true;
}

std::vector<std::string> cells_of(std::string_view row) {
    std::vector<std::string> cells;
    row = trim(row);
    row.remove_prefix(1);
    while (!row.empty()) {
        const std::size_t end = row.find('|');
        std::string cell{trim(row.substr(0, end))};
        std::erase(cell, '`');
        cells.push_back(std::move(cell));
        if (end == std::string_view::npos) break;
        row.remove_prefix(end + 1);
    }
    return cells;
}

}  // namespace

/// Reads a document line by line.
struct DocumentReader {
    std::string document;
    std::vector<Vector> out{};
    std::set<std::string> names{};
    std::size_t line_number = 0;
    bool in_vector = false;
    bool in_other = false;
    std::string field{};

    [[noreturn]] void refuse(std::string_view why) const {
        throw Malformed{document + ":" + std::to_string(line_number) + ": " + std::string{why}};
    }

    void open(std::string_view info) {
        std::istringstream words{std::string{info}};
        std::string kind, name, more;
        words >> kind >> name;
        if (!is_word(kind, "._-") || !is_word(name, "._-") || words >> more) {
            refuse("the fence reads ```vector <kind> <name>");
        }
        if (!names.insert(name).second) refuse("a second vector named " + name);
        out.emplace_back(document + ":" + std::to_string(line_number), kind, name);
        in_vector = true;
        field.clear();
    }

    void inside(std::string_view line) {
        if (line.empty() || line.front() == '#') return;
        auto& fields = out.back().fields_;
        if (is_blank(line.front())) {
            if (field.empty()) refuse("a continuation of nothing");
            fields[field].emplace_back(trim(line));
            return;
        }
        const std::size_t colon = line.find(':');
        if (colon == std::string_view::npos || !is_word(line.substr(0, colon), "_")) {
            refuse("neither a field nor a continuation");
        }
        field = std::string{line.substr(0, colon)};
        if (fields.contains(field)) refuse("field given twice: " + field);
        fields[field].emplace_back(trim(line.substr(colon + 1)));
    }

    void line(std::string_view line) {
        ++line_number;
        const bool is_fence = line.starts_with(fence);
        if (in_vector || in_other) {
            if (trim(line) == fence) {
                in_vector = in_other = false;
            } else if (in_vector) {
                inside(line);
            }
        } else if (line.starts_with(opening)) {
            open(line.substr(opening.size()));
        } else if (is_fence) {
            in_other = true;
        }
    }
};

const std::vector<std::string>& Vector::lines(const std::string& field) const {
    const auto found = fields_.find(field);
    if (found == fields_.end()) fail(field, "missing");
    read_.insert(field);
    return found->second;
}

void Vector::fail(const std::string& field, std::string_view why) const {
    throw Malformed{where() + ", field " + field + ": " + std::string{why}};
}

std::string Vector::text(const std::string& field) const {
    std::string out;
    for (const std::string& line : lines(field)) {
        if (!out.empty() && !line.empty()) out += ' ';
        out += line;
    }
    return out;
}

std::string Vector::block(const std::string& field) const {
    std::string out;
    for (const std::string& line : lines(field)) {
        if (!line.empty()) out += line + "\n";
    }
    return out;
}

Bytes Vector::bytes(const std::string& field) const {
    std::string hex = text(field);
    std::erase(hex, ' ');
    const auto out = from_hex(hex);
    if (!out) fail(field, "not hexadecimal");
    return *out;
}

std::string Vector::quoted(const std::string& field) const {
    std::string out;
    for (std::string_view piece : lines(field)) {
        if (piece.empty()) continue;
        if (piece.size() < 2 || piece.front() != '"' || piece.back() != '"') {
            fail(field, "not in quotation marks");
        }
        piece = piece.substr(1, piece.size() - 2);
        if (piece.find('"') != std::string_view::npos) fail(field, "a mark inside the marks");
        out += piece;
    }
    return out;
}

std::uint64_t Vector::number(const std::string& field) const {
    const std::string digits = text(field);
    std::uint64_t out = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out);
    if (error != std::errc{} || end != digits.data() + digits.size()) fail(field, "not a number");
    return out;
}

std::vector<std::string> Vector::unread() const {
    std::vector<std::string> out;
    for (const auto& [field, lines] : fields_) {
        if (!read_.contains(field)) out.push_back(field);
    }
    return out;
}

std::vector<Vector> vectors_in(std::string_view text, const std::string& document) {
    DocumentReader reader{document};
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        reader.line(text.substr(0, end));
        text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    }
    if (reader.in_vector) reader.refuse("the last vector is not closed");
    return std::move(reader.out);
}

std::vector<std::vector<std::string>> table_in(std::string_view text, std::string_view heading) {
    std::istringstream in{std::string{text}};
    std::string line;
    bool under_heading = false;
    std::vector<std::vector<std::string>> rows;
    while (std::getline(in, line)) {
        const bool is_row = trim(line).starts_with('|');
        if (trim(line) == heading) {
            under_heading = true;
        } else if (under_heading && is_row) {
            rows.push_back(cells_of(line));
        } else if (under_heading && (!rows.empty() || line.starts_with('#'))) {
            break;
        }
    }
    if (rows.size() < 3) throw Malformed{"no table under " + std::string{heading}};
    rows.erase(rows.begin(), rows.begin() + 2);
    return rows;
}

std::string read_document(const std::string& document) {
    // Tests run in the root of the tree (paifang_test).
    std::ifstream in{"docs/protocol/" + document};
    if (!in) throw Malformed{"no document docs/protocol/" + document};
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
}

std::vector<Vector> read_vectors(const std::string& document) {
    return vectors_in(read_document(document), document);
}

std::vector<std::vector<std::string>> read_table(const std::string& document,
                                                 std::string_view heading) {
    return table_in(read_document(document), heading);
}

void for_each_vector(const std::string& document, const std::map<std::string, Handler>& handlers) {
    std::set<std::string> idle;
    for (const auto& [kind, handler] : handlers) idle.insert(kind);
    for (const Vector& vector : read_vectors(document)) {
        const std::string where = vector.where();
        CAPTURE(where);
        const auto handler = handlers.find(vector.kind());
        if (handler == handlers.end()) {
            FAIL_CHECK("no handler of kind " << vector.kind());
            continue;
        }
        idle.erase(vector.kind());
        handler->second(vector);
        for (const std::string& field : vector.unread()) FAIL_CHECK("nobody read " << field);
    }
    for (const std::string& kind : idle) FAIL_CHECK(document << " has no vector " << kind);
}

}  // namespace pf::tests
