// Invariant 7: site keys sit in the key vault, also while the cache keeps the document.
#include <algorithm>

#include "common/wire/topics.hpp"
#include "tests/unit/firmware/app/bench.hpp"

namespace {

using namespace pf;
using namespace pf::tests;

constexpr Byte key_byte = 0x5a;

Bytes secrets_of(const Bench& bench, std::uint64_t version, Byte first) {
    wire::Secrets secrets;
    secrets.carrier_keys.push_back({.id = 1, .key = {}});
    secrets.carrier_keys[0].key.fill(key_byte);
    secrets.carrier_keys[0].key[0] = first;
    return wire::sign({.type = wire::DocumentType::secrets,
                       .site = here,
                       .device = self,
                       .generation = Generation{7},
                       .version = version,
                       .issued_at = noon,
                       .body = wire::encode(secrets)},
                      bench.authority);
}

void receive(Bench& bench, Device& device, std::uint64_t version, Byte first) {
    device.on_message(wire::topic(wire::device_root(3, self), wire::Down::document),
                      secrets_of(bench, version, first));
    REQUIRE(device.standing().secrets.carrier_keys.size() == 1);
    REQUIRE(device.standing().secrets.carrier_keys[0].key[0] == first);
}

/// Files of the device that hold the key's bytes; the vault lies elsewhere.
std::vector<std::string> files_with_the_key(const Bench& bench) {
    const Bytes key(31, key_byte);
    std::vector<std::string> found;
    for (const auto& [name, content] : bench.disk.image())
        if (!std::ranges::search(content, key).empty()) found.push_back(name);
    return found;
}

TEST_CASE("site keys are in no file of the device, and are there after a restart") {
    Bench bench{wire::DeviceKind::gate};
    auto device = bench.start();
    receive(bench, *device, 1, 1);
    CHECK(files_with_the_key(bench).empty());
    receive(bench, *device, 2, 2);  // rotated
    device.reset();
    CHECK(files_with_the_key(bench).empty());

    device = bench.start();
    REQUIRE(device->standing().secrets.carrier_keys.size() == 1);
    CHECK(device->standing().secrets.carrier_keys[0].key[0] == 2);

    // Another vault, as after a repair: the document is no good, and asked for again.
    device.reset();
    bench.vault.values.clear();
    device = bench.start();
    CHECK(device->standing().secrets.carrier_keys.empty());
    receive(bench, *device, 2, 2);
}

}  // namespace
