#pragma once
// Base45 (RFC 9285): bytes in the 45 characters of a QR code's alphanumeric mode.
#include <optional>
#include <string>
#include <string_view>

#include "common/base/bytes.hpp"

namespace pf {

/// RFC 9285 section 4: two bytes become three characters, a last single byte two.
std::string base45_encode(BytesView bytes);

/// Nothing when a character is outside the alphabet, a length leaves remainder 1 by 3, or a group
/// exceeds its two or one bytes (section 6: such input must be refused).
std::optional<Bytes> base45_decode(std::string_view text);

}  // namespace pf
