// A journal that is gone, old or damaged: what the device still knows of it, and what it asks back.
#include <algorithm>

#include "tests/unit/firmware/app/bench.hpp"

namespace {

using namespace pf;
using namespace pf::tests;
using admission::Reason;
using pf::journal::EpochOpened;

/// A gate that told the server everything and was told the uses of others.
struct Told {
    Told() {
        device = bench.start();
        CHECK(reason(device->on_code(bench.code(1))) == Reason::ok);
        device->on_barrier(fw::ports::BarrierEvent::passed);
        granted = {self, device->journal().end().epoch, 0};
        confirm();
    }
    void confirm() {
        REQUIRE(device->cache().set_confirmed(Generation{7}, device->journal().end()).has_value());
        REQUIRE(device->cache().apply_uses({}, {Generation{7}, 40}).has_value());
    }
    /// The disk of the switched-off gate loses its journal, or gets back an older one.
    void replace_journal(const DiskImage& old = {}) {
        device.reset();
        DiskImage image = bench.disk.image();
        std::erase_if(image,
                      [](const auto& file) { return file.first.starts_with("/d/events.db"); });
        for (const auto& [name, bytes] : old)
            if (name.starts_with("/d/events.db")) image[name] = bytes;
        bench.disk.restore(image);
    }
    std::vector<std::string> findings() const {
        std::vector<std::string> codes;
        for (const auto& finding : bench.events<pf::journal::Finding>(*device))
            codes.push_back(finding.code);
        return codes;
    }
    EpochOpened::Why why() const { return bench.events<EpochOpened>(*device).back().why; }
    std::uint64_t uses_from() const { return device->cache().uses_position().position; }

    Bench bench{wire::DeviceKind::gate};
    std::unique_ptr<Device> device;
    GrantId granted{self, {}, 0};
};

TEST_CASE("a lost journal: the log of uses is read again from its beginning, once") {
    Told gate;
    SUBCASE("what the server confirmed tells") {}
    SUBCASE("nothing is confirmed in the server's new life") {
        REQUIRE(gate.device->cache().forget_confirmed(Generation{8}).has_value());
    }
    gate.replace_journal();
    gate.device = gate.bench.start();
    CHECK(gate.uses_from() == 0);
    CHECK(gate.device->cache().uses_position().generation == Generation{7});
    CHECK(gate.why() == EpochOpened::Why::damaged);
    CHECK(gate.findings() == std::vector<std::string>{"journal_lost"});

    // What the server tells back counts: the used ticket is not new.
    const wire::UseItem use{.grant = gate.granted,
                            .ticket = TicketId{1},
                            .product = adult,
                            .day = today,
                            .last_day = today,
                            .persons = 1,
                            .return_pending = false,
                            .at = noon};
    REQUIRE(gate.device->cache().apply_uses({use}, {Generation{7}, 41}).has_value());
    CHECK(reason(gate.device->on_code(gate.bench.code(1))) == Reason::already_used);

    gate.device.reset();
    gate.device = gate.bench.start();
    CHECK(gate.uses_from() == 41);
    CHECK(gate.findings().size() == 1);
}

TEST_CASE("an old copy of the journal ends, and the uses are read again") {
    Told gate;
    const DiskImage old = gate.bench.disk.image();
    SUBCASE("older than what the server confirmed of its epoch") {
        (void)gate.device->on_code(gate.bench.code(2));
        gate.device->on_barrier(fw::ports::BarrierEvent::passed);
    }
    SUBCASE("older than its epoch") {
        const fw::journal::Stamp stamp{noon, SteadyTime{Millis{1'000}}, BootId{11}};
        REQUIRE(gate.device->journal()
                    .open_epoch(EpochOpened::Why::rolled_back, stamp, gate.bench.entropy)
                    .has_value());
        gate.device.reset();
        gate.device = gate.bench.start();
    }
    gate.confirm();
    const auto epochs = gate.device->journal().epochs().size();
    gate.replace_journal(old);
    gate.device = gate.bench.start();
    CHECK(gate.uses_from() == 0);
    CHECK(gate.device->journal().epochs().size() == std::max<std::size_t>(epochs, 2));
    CHECK(gate.why() == EpochOpened::Why::rolled_back);
    gate.confirm();
    gate.device.reset();
    gate.device = gate.bench.start();
    CHECK(gate.uses_from() == 40);
}

}  // namespace
