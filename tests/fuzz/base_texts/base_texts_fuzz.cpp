// Whatever stands where an identifier, a day, an instant or hexadecimal is expected, in a path, a
// body, a file: what reads is written again the same way, so one thing has one spelling.
#include <cstdlib>
#include <string>

#include "common/base/bytes.hpp"
#include "common/base/ids.hpp"
#include "common/base/time.hpp"

namespace {

using namespace pf;

void require(bool holds) {
    if (!holds) std::abort();
}

std::string lower(std::string_view text) {
    std::string out;
    for (const char c : text) out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (const auto bytes = from_hex(text)) require(to_hex(*bytes) == lower(text));
    if (const auto device = DeviceId::parse(text)) {
        require(device->text() == text);
        require(text.size() >= 1 && text.size() <= DeviceId::length_max);
        require(text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") ==
                std::string_view::npos);
    }
    if (const auto ticket = ticket_id_from(text)) require(to_text(*ticket) == lower(text));
    if (const auto day = day_from(text)) require(to_text(*day) == text);
    if (const auto at = wall_from_rfc3339(text)) {
        // An offset may lead out of the years 0000 to 9999, where there is no text to read again.
        const std::string again = to_rfc3339(*at);
        const bool four_digits = again.front() != '-' && again.find('-') == 4;
        require(!four_digits || wall_from_rfc3339(again) == *at);
    }
    return 0;
}
