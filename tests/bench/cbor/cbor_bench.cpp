// What reading CBOR ourselves gains over libcbor: docs/adr/0004-cbor-codec.md. Build with the
// release preset.
#include <cbor.h>

#include <cstdlib>

#include "common/cbor/cbor.hpp"
#include "tests/bench/measure.hpp"

using namespace pf;

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

/// A hundred events of the size the journal writes.
Bytes batch() {
    cbor::Encoder encoder;
    encoder.array(100);
    for (std::uint64_t i = 0; i < 100; ++i) {
        encoder.map(9);
        encoder.key(0).uint(i).key(1).uint(1777593600000 + i).key(2).uint(40000 + i);
        encoder.key(3).bytes(Bytes(8, static_cast<Byte>(i))).key(4).text("gate-17");
        encoder.key(5).array(3).uint(1).uint(20576).boolean(true);
        encoder.key(6).bytes(Bytes(32, 0xAB)).key(7).null().key(-1).integer(-5);
    }
    return encoder.take();
}

/// libcbor's low-level reader over the same bytes: heads only, no tree, no checks of ours.
void stream(BytesView input) {
    while (!input.empty()) {
        const auto step =
            cbor_stream_decode(input.data(), input.size(), &cbor_empty_callbacks, nullptr);
        require(step.status == CBOR_DECODER_FINISHED);
        input = input.subspan(step.read);
    }
}

/// "Decode, encode, compare" with libcbor.
void load_and_compare(BytesView input) {
    cbor_load_result result{};
    cbor_item_t* item = cbor_load(input.data(), input.size(), &result);
    require(item != nullptr);
    Bytes again(input.size());
    require(cbor_serialize(item, again.data(), again.size()) == input.size());
    require(std::ranges::equal(again, input));
    cbor_decref(&item);
}

}  // namespace

int main() {
    const Bytes input = batch();
    constexpr int calls = 200;
    std::printf("a batch of 100 events, %zu bytes\n", input.size());
    bench::compare(
        "cbor_stream_decode / check()", calls, [&] { stream(input); },
        [&] { require(!cbor::check(input)); });
    bench::compare(
        "cbor_load + compare / check()", calls, [&] { load_and_compare(input); },
        [&] { require(!cbor::check(input)); });
    return 0;
}
