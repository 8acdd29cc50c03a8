// Whatever arrives as a page of a list: what decodes encodes to the same bytes, its rows rise, and
// a row that can be read is written the same way again.
#include <algorithm>
#include <cstdlib>

#include "common/wire/lists.hpp"

namespace {

void check_row(pf::wire::ListScope scope, const pf::wire::ListRow& row) {
    if (scope == pf::wire::ListScope::revoked) {
        const auto revoked = pf::wire::revoked_of(row);
        if (revoked && pf::wire::row_of(*revoked) != row) std::abort();
    } else {
        const auto carried = pf::wire::carried_of(row);
        if (carried && pf::wire::row_of(*carried) != row) std::abort();
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const pf::BytesView input{data, size};
    const auto chunk = pf::wire::decode_chunk(input);
    if (!chunk) return 0;
    if (!std::ranges::equal(pf::wire::encode(*chunk), input)) std::abort();
    const auto falls = [](const pf::wire::ListRow& a, const pf::wire::ListRow& b) {
        return a.key >= b.key;
    };
    if (std::ranges::adjacent_find(chunk->rows, falls) != chunk->rows.end()) std::abort();
    for (const pf::wire::ListRow& row : chunk->rows) check_row(chunk->scope, row);
    return 0;
}
