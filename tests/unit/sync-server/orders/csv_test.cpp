// Files of other people's making, read in pieces: whatever is wrong with a line is said of that
// line, and the next one is read as if nothing had been.
#include "sync-server/orders/csv.hpp"

#include <doctest/doctest.h>

#include <set>

using namespace pf::server::orders;
using Line = CsvReader::Line;

namespace {

std::vector<Line> read(std::string_view text, std::size_t at_once = 1'000'000) {
    std::vector<Line> out;
    CsvReader reader{[&](Line&& line) { out.push_back(std::move(line)); }};
    for (; !text.empty(); text.remove_prefix(std::min(at_once, text.size())))
        reader.feed(text.substr(0, at_once));
    reader.finish();
    return out;
}

std::string told(const std::vector<Line>& lines) {
    std::string out;
    for (const Line& line : lines) {
        out += std::to_string(line.number) + ":";
        if (line.fault) out += std::string{"!"} + std::string{to_text(*line.fault)};
        for (const std::string& field : line.fields) out += "[" + field + "]";
        out += "\n";
    }
    return out;
}

}  // namespace

TEST_CASE("what a file says, line by line") {
    struct Case {
        const char* why;
        std::string text;
        std::string told;
    };
    const std::string long_line(CsvReader::line_bytes_max, 'x');
    const Case cases[] = {
        {"nothing", "", ""},
        {"one field", "a", "1:[a]\n"},
        {"a line with and without an end", "a,b\nc,d", "1:[a][b]\n2:[c][d]\n"},
        {"CRLF", "a,b\r\nc\r\n", "1:[a][b]\n2:[c]\n"},
        {"CR at the very end", "a\r", "1:[a]\n"},
        {"empty fields", ",\n,,x\n", "1:[][]\n2:[][][x]\n"},
        {"empty lines count and are passed over", "a\n\n\r\nb\n", "1:[a]\n4:[b]\n"},
        {"an empty field alone, quoted", "\"\"\n", "1:[]\n"},
        {"a byte order mark",
         "\xEF\xBB\xBF"
         "a,b\n",
         "1:[a][b]\n"},
        {"a mark later is text",
         "a\n\xEF\xBB\xBF"
         "b\n",
         "1:[a]\n2:[\xEF\xBB\xBF"
         "b]\n"},
        {"half a mark is no mark",
         "\xEF\xBB"
         "a\nb\n",
         "1:!bad_utf8\n2:[b]\n"},
        {"half a mark and the end", "\xEF\xBB", "1:!bad_utf8\n"},
        {"quotes", "\"a,b\",\"say \"\"hi\"\"\"\n", "1:[a,b][say \"hi\"]\n"},
        {"lines within quotes are counted", "\"a\nb\",c\nd\n", "1:[a\nb][c]\n3:[d]\n"},
        {"CR within quotes is text", "\"a\rb\"\n", "1:[a\rb]\n"},
        {"a quote too late", "a\"b\",c\nd\n", "1:!quote_misplaced\n2:[d]\n"},
        {"text behind a quote", "\"a\"b,c\nd\n", "1:!quote_misplaced\n2:[d]\n"},
        {"never closed", "a\n\"b\nc\n", "1:[a]\n2:!quote_open\n"},
        {"CR that ends nothing", "a\rb,c\nd\n", "1:!return_misplaced\n2:[d]\n"},
        {"CR before a comma", "\"a\"\r,c\nd\n", "1:!return_misplaced\n2:[d]\n"},
        {"two CR", "a\r\r\nd\n", "1:!return_misplaced\n2:[d]\n"},
        {"Chinese", "黄山,成人票\n", "1:[黄山][成人票]\n"},
        {"a zero byte", std::string{"a\0,1\nb\n", 7}, "1:!nul\n2:[b]\n"},
        {"GBK is not UTF-8", "\xBB\xC6\xC9\xBD,1\nb\n", "1:!bad_utf8\n2:[b]\n"},
        {"overlong", "\xC0\xAF\nb\n", "1:!bad_utf8\n2:[b]\n"},
        {"half a surrogate pair", "\xED\xA0\x80\nb\n", "1:!bad_utf8\n2:[b]\n"},
        {"cut in a character", "\xE9\xBB", "1:!bad_utf8\n"},
        {"beyond Unicode", "\xF4\x90\x80\x80\n", "1:!bad_utf8\n"},
        {"the largest character", "\xF4\x8F\xBF\xBF\n", "1:[\xF4\x8F\xBF\xBF]\n"},
        {"a line as long as one may be", long_line.substr(1) + "\nb\n",
         "1:[" + long_line.substr(1) + "]\n2:[b]\n"},
        {"one byte more", long_line + "\nb\n", "1:!line_too_long\n2:[b]\n"},
        {"32 fields", std::string(31, ',') + "\n",
         "1:" +
             [] {
                 std::string fields;
                 for (int i = 0; i < 32; ++i) fields += "[]";
                 return fields;
             }() +
             "\n"},
        {"33 fields", std::string(32, ',') + "\nb\n", "1:!too_many_fields\n2:[b]\n"},
        {"two things wrong: the first is said", "a\"b,\xFF\nc\n", "1:!quote_misplaced\n2:[c]\n"},
    };
    for (const Case& c : cases) {
        CAPTURE(c.why);
        CHECK(told(read(c.text)) == c.told);
        // How the bytes were cut into packets must change nothing.
        CHECK(told(read(c.text, 1)) == c.told);
        CHECK(told(read(c.text, 3)) == c.told);
    }
}

TEST_CASE("every fault has a word of its own") {
    std::set<std::string_view> words;
    for (int i = 1; i <= static_cast<int>(CsvFault::return_misplaced); ++i)
        words.insert(to_text(static_cast<CsvFault>(i)));
    CHECK(words.size() == static_cast<std::size_t>(CsvFault::return_misplaced));
}
