// The first byte chooses the decoder, the rest is what arrived: what decodes encodes to the same
// bytes. The order is that of DISPATCH in tests/vectors/sync_v1_examples.py, which made the corpus.
#include <algorithm>
#include <cstdlib>

#include "common/wire/documents.hpp"
#include "common/wire/lists.hpp"
#include "common/wire/topics.hpp"

namespace {

using namespace pf;

template <auto decode>
void round_trip(BytesView input) {
    using wire::encode;
    const auto message = decode(input);
    if (message && !std::ranges::equal(encode(*message), input)) std::abort();
}

/// The example key: RFC 6979 section A.2.5.
const crypto::PublicKey& authority() {
    static const auto key = crypto::PublicKey::from_point(
        *from_hex("0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
                  "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299"));
    return *key;
}

void open_document(BytesView input) {
    // A signature cannot be guessed, so only the shape is exercised; a document that opens was
    // signed, and its body must read.
    const auto document = wire::open_document(input, authority());
    if (document && document->body.size() > wire::document_bytes_max) std::abort();
}

/// Key length, key, body.
void read_row(BytesView input) {
    if (input.empty() || input.size() < std::size_t{1} + input[0]) return;
    const BytesView key = input.subspan(1, input[0]);
    const BytesView body = input.subspan(std::size_t{1} + input[0]);
    const wire::ListRow row{Bytes(key.begin(), key.end()), Bytes(body.begin(), body.end())};
    const auto revoked = wire::revoked_of(row);
    if (revoked && wire::row_of(*revoked) != row) std::abort();
    const auto carried = wire::carried_of(row);
    if (carried && wire::row_of(*carried) != row) std::abort();
}

void read_topic(BytesView input) {
    const std::string_view text = as_text(input);
    const auto up = wire::up_of(text);
    if (up && wire::topic(wire::device_root(up->partition, up->device), up->kind) != text) {
        std::abort();
    }
    const auto down = wire::down_of("pf/1/3/d/gate-1/", text);
    if (down && wire::topic("pf/1/3/d/gate-1/", *down) != text) std::abort();
}

constexpr void (*decoders[])(BytesView) = {
    round_trip<wire::decode_birth>,
    round_trip<wire::decode_will>,
    round_trip<wire::decode_want>,
    round_trip<wire::decode_ping>,
    round_trip<wire::decode_command_reply>,
    round_trip<wire::decode_ack>,
    round_trip<wire::decode_news>,
    round_trip<wire::decode_buckets>,
    round_trip<wire::decode_uses>,
    round_trip<wire::decode_time>,
    round_trip<wire::decode_list_manifest>,
    round_trip<wire::decode_key_ring>,
    round_trip<wire::decode_product_table>,
    round_trip<wire::decode_configuration>,
    round_trip<wire::decode_secrets>,
    round_trip<wire::decode_command>,
    open_document,
    read_row,
    read_topic,
    round_trip<wire::decode_begins>,
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    decoders[data[0] % std::size(decoders)]({data + 1, size - 1});
    return 0;
}
