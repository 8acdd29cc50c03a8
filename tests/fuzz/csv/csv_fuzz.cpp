// Whatever a file of codes says: how its bytes were cut into packets must not change what is read,
// every line is told with a number that rises, and what was read, written down again, reads the
// same.
#include <cstdlib>
#include <string>
#include <vector>

#include "sync-server/orders/csv.hpp"
#include "sync-server/orders/import.hpp"

using namespace pf::server::orders;

namespace {

template <class Reader>
void feed(Reader& reader, std::string_view bytes, std::size_t at_once) {
    for (; !bytes.empty(); bytes.remove_prefix(std::min(at_once, bytes.size())))
        reader.feed(bytes.substr(0, at_once));
    reader.finish();
}

std::vector<CsvReader::Line> lines(std::string_view bytes, std::size_t at_once) {
    std::vector<CsvReader::Line> out;
    CsvReader reader{[&](CsvReader::Line&& line) { out.push_back(std::move(line)); }};
    feed(reader, bytes, at_once);
    return out;
}

bool same(const std::vector<CsvReader::Line>& a, const std::vector<CsvReader::Line>& b) {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i)
        if (a[i].number != b[i].number || a[i].fields != b[i].fields || a[i].fault != b[i].fault)
            return false;
    return true;
}

std::string quoted(const std::string& field) {
    std::string out = "\"";
    for (const char c : field) out += c == '"' ? std::string{"\"\""} : std::string(1, c);
    return out + '"';
}

void check_lines(const std::vector<CsvReader::Line>& read) {
    std::uint64_t before = 0;
    for (const CsvReader::Line& line : read) {
        if (line.number <= before) std::abort();
        before = line.number;
        if (line.fault.has_value() != line.fields.empty()) std::abort();
        if (line.fields.size() > CsvReader::fields_max) std::abort();
        std::string again;
        for (const std::string& field : line.fields)
            again += (again.empty() ? "" : ",") + quoted(field);
        // Quotes make a line longer; one near the limit may not fit any more.
        if (line.fault || again.size() >= CsvReader::line_bytes_max) continue;
        const auto reread = lines(again, again.size());
        if (reread.size() != 1 || reread[0].fields != line.fields) std::abort();
    }
}

/// What an import makes of it, as far as it is told.
std::string story(std::string_view bytes, std::size_t at_once) {
    CodeImport import{pf::SiteId{1}};
    feed(import, bytes, at_once);
    if (import.errors().size() > CodeImport::errors_kept) std::abort();
    if (import.errors().size() > import.error_count()) std::abort();
    std::string told;
    for (const ImportError& error : import.errors())
        told += std::to_string(error.line) + '/' + error.field + '/' + error.code + '\n';
    for (const CodeImport::Row& row : import.rows()) {
        const auto draft = import.draft_of(row);
        const auto& entitlement = draft.entitlements.at(0);
        if (draft.carriers.size() != 1 || draft.signed_qr) std::abort();
        if (draft.persons < 1 || draft.persons > pf::ticket::persons_max) std::abort();
        if (entitlement.last_day < entitlement.first_day) std::abort();
        told += std::to_string(row.line) + ' ' + draft.carriers[0].text + ' ' + draft.reference;
    }
    return told;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const auto whole = lines(bytes, size + 1);
    check_lines(whole);
    if (!same(lines(bytes, 1), whole) || !same(lines(bytes, 7), whole)) std::abort();
    if (story(bytes, 1) != story(bytes, size + 1)) std::abort();
    return 0;
}
