// Whatever a QR code says: decoding never misbehaves, and what decodes encodes to the same text, so
// one ticket has one spelling.
#include <cstdlib>
#include <string_view>

#include "common/base/base45.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto bytes = pf::base45_decode(text);
    if (bytes && pf::base45_encode(*bytes) != text) std::abort();
    if (pf::base45_decode(pf::base45_encode({data, size})) != pf::Bytes(data, data + size)) {
        std::abort();
    }
    return 0;
}
