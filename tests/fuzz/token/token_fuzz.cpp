// Whatever a code says: reading never misbehaves, and what reads is written again character by
// character, so one ticket has one spelling. Input is taken as a text, and once more as the bytes
// of a token, because random text rarely gets past Base45.
#include <cstdlib>
#include <string>
#include <string_view>

#include "common/base/base45.hpp"
#include "common/ticket/token.hpp"

namespace {

using namespace pf;

void read_and_write_again(std::string_view text) {
    const auto found = ticket::read(text);
    if (!found) {
        if (ticket::to_text(found.error()).empty()) std::abort();
        // Only open() asks for keys.
        if (found.error() == ticket::Fault::key_unknown) std::abort();
        if (found.error() == ticket::Fault::bad_signature) std::abort();
        return;
    }
    if (ticket::check(found->token.claims)) std::abort();
    if (ticket::text_of(found->token, found->signature) != text) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    read_and_write_again({reinterpret_cast<const char*>(data), size});
    read_and_write_again(std::string{ticket::prefix} + base45_encode({data, size}));
    return 0;
}
