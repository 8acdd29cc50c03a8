#include "common/cbor/utf8.hpp"

namespace pf::cbor {
namespace {

// One row of the table in RFC 3629 section 4: a lead byte's range fixes the range of the byte that
// follows it, which is where overlong forms, surrogates and too large characters show.
struct Lead {
    Byte first, last;
    Byte second_min, second_max;
    std::size_t length;
};

constexpr Lead leads[] = {
    {0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3}, {0xE1, 0xEC, 0x80, 0xBF, 3},
    {0xED, 0xED, 0x80, 0x9F, 3}, {0xEE, 0xEF, 0x80, 0xBF, 3}, {0xF0, 0xF0, 0x90, 0xBF, 4},
    {0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4},
};

bool is_within(Byte byte, Byte min, Byte max) { return min <= byte && byte <= max; }

/// Bytes of the character at the front, 0 when it is none.
std::size_t character_length(BytesView rest) {
    if (rest[0] < 0x80) return 1;
    for (const Lead& lead : leads) {
        if (!is_within(rest[0], lead.first, lead.last)) continue;
        if (rest.size() < lead.length) return 0;
        if (!is_within(rest[1], lead.second_min, lead.second_max)) return 0;
        for (std::size_t i = 2; i < lead.length; ++i) {
            if (!is_within(rest[i], 0x80, 0xBF)) return 0;
        }
        return lead.length;
    }
    return 0;
}

}  // namespace

bool is_utf8(BytesView bytes) noexcept {
    while (!bytes.empty()) {
        const std::size_t length = character_length(bytes);
        if (length == 0) return false;
        bytes = bytes.subspan(length);
    }
    return true;
}

}  // namespace pf::cbor
