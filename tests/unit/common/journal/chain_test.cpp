#include <doctest/doctest.h>

#include "common/journal/event.hpp"

using namespace pf;

namespace {
const DeviceId gate = *DeviceId::parse("gate-1");
constexpr Epoch epoch{0x0102030405060708};
}  // namespace

TEST_CASE("the genesis head is the hash of the context, the device and the epoch") {
    // ["paifang/journal/1", "gate-1", h'0102030405060708']
    const Bytes preimage = *from_hex(
        "83"
        "7170616966616e672f6a6f75726e616c2f31"
        "66676174652d31"
        "480102030405060708");
    CHECK(journal::genesis(gate, epoch) == crypto::sha256(preimage));
    CHECK(journal::genesis(gate, {epoch.value + 1}) != journal::genesis(gate, epoch));
    CHECK(journal::genesis(*DeviceId::parse("gate-2"), epoch) != journal::genesis(gate, epoch));
}

TEST_CASE("a head is the hash of the head before it and the event's bytes") {
    Digest head{};
    head.fill(0x11);
    const Bytes event = *from_hex("0a0b0c");
    Bytes preimage(head.begin(), head.end());
    preimage.insert(preimage.end(), event.begin(), event.end());
    CHECK(journal::next_head(head, event) == crypto::sha256(preimage));
}

TEST_CASE("what is signed names device, epoch, seq and head") {
    Digest head{};
    head.fill(0x22);
    const std::string expect =
        "85"
        "6e70616966616e672f686561642f31"
        "66676174652d31"
        "480102030405060708"
        "190100"
        "5820" +
        std::string(64, '2');
    CHECK(to_hex(journal::head_to_sign(gate, {epoch, 256, head})) == expect);
}
