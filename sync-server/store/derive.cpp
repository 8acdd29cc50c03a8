#include "common/crypto/crypto.hpp"
#include "sync-server/store/transaction.hpp"

namespace pf::server {

Bytes derive(const Call& call, std::string_view label, std::size_t count) {
    // Counter mode over HMAC: as many bytes as asked, bound to the label.
    Bytes out;
    for (Byte counter = 0; out.size() < count; ++counter) {
        Bytes message = to_bytes(label);
        message.push_back(0);
        message.push_back(counter);
        const Digest block = crypto::hmac_sha256(call.seed, message);
        out.insert(out.end(), block.begin(), block.end());
    }
    out.resize(count);
    return out;
}

std::uint64_t derive_u64(const Call& call, std::string_view label) {
    const Bytes bytes = derive(call, label, 8);
    return from_be8(std::span<const Byte, 8>{bytes.data(), 8});
}

}  // namespace pf::server
