#include <cstdlib>

#include "common/cbor/cbor.hpp"

namespace pf::cbor {

std::string_view to_text(Fault fault) noexcept {
    switch (fault) {
        case Fault::truncated:
            return "truncated";
        case Fault::trailing_bytes:
            return "trailing_bytes";
        case Fault::not_canonical:
            return "not_canonical";
        case Fault::duplicate_key:
            return "duplicate_key";
        case Fault::indefinite:
            return "indefinite";
        case Fault::unsupported:
            return "unsupported";
        case Fault::wrong_type:
            return "wrong_type";
        case Fault::out_of_range:
            return "out_of_range";
        case Fault::too_deep:
            return "too_deep";
        case Fault::bad_utf8:
            return "bad_utf8";
    }
    std::abort();  // a value outside the enum means memory is corrupt
}

}  // namespace pf::cbor
