// What reading CBOR ourselves gains over libcbor: docs/adr/0004-cbor-codec.md. Build with the
// release preset.
#include <cbor.h>

#include <algorithm>

#include "common/cbor/cbor.hpp"
#include "tests/bench/row.hpp"

using namespace pf;

namespace {

void require(bool holds) { bench::require(holds, "the batch is read"); }

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

int main(int argc, char** argv) {
    const Bytes input = batch();
    const auto check = [&] { require(!cbor::check(input)); };
    return bench::run(
        argc, argv,
        {{"cbor_stream",
          [&](const bench::Asked& asked) {
              const auto figure = bench::alternate(
                  asked.rounds(200), [&] { stream(input); }, check);
              return std::vector{bench::row_of("cbor_stream", "us", figure, {},
                                               "cbor_stream_decode / our check(), 100 events")};
          }},
         {"cbor_load", [&](const bench::Asked& asked) {
              const auto figure = bench::alternate(
                  asked.rounds(200), [&] { load_and_compare(input); }, check);
              return std::vector{bench::row_of("cbor_load", "us", figure, {},
                                               "cbor_load and compare / our check(), 100 events")};
          }}});
}
