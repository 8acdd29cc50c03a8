#pragma once
// Shapes the codecs of journal and wire share: the enums of other rooms.
#include <algorithm>

#include "common/admission/decide.hpp"
#include "common/journal/event.hpp"
#include "common/journal/fields.hpp"

namespace pf::journal {

inline constexpr codec::Named<admission::Reason> reason_shape{&admission::reason_from};
inline constexpr codec::Named<ticket::PersonType> person_type_shape{&ticket::person_type_from};
inline constexpr codec::Upto carrier_kind_shape{admission::CarrierKind::card};
inline bool printable_ascii(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
}
inline constexpr codec::Text firmware_shape{firmware_chars_max, &printable_ascii};
inline constexpr codec::Upto clock_quality_shape{ClockQuality::confirmed};

/// {1: epoch, 2: seq, 3: head}
void fields(auto& io, codec::Of<Cursor> auto& v) {
    io(1, v.epoch);
    io(2, v.seq, codec::Uint{0, codec::number_max});
    io(3, v.head);
}

}  // namespace pf::journal
