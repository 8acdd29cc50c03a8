#pragma once
#include "common/base/bytes.hpp"

namespace pf::cbor {

/// Well-formed UTF-8 (RFC 3629 section 4): shortest forms, no surrogates, nothing above U+10FFFF.
bool is_utf8(BytesView bytes) noexcept;

}  // namespace pf::cbor
