// Forgetting goes on until nothing is left, in slices, between visitors.
#include <algorithm>

#include "tests/unit/firmware/app/bench.hpp"

namespace {

using namespace pf;
using namespace pf::tests;
using std::chrono::hours;

/// A month's journal, all of it confirmed by a server, thirty-one days ago.
struct Month {
    explicit Month(int events) : device{bench.start()} {
        const fw::journal::Stamp then{noon, SteadyTime{Millis{1'000}}, BootId{11},
                                      pf::journal::ClockQuality::confirmed};
        for (int i = 0; i < events; ++i)
            REQUIRE(device->journal().append(then, pf::journal::Booted{"1.0"}).has_value());
        REQUIRE(device->cache().set_confirmed(Generation{7}, device->journal().end()).has_value());
        bench.clock.pass(hours{24 * 31});
        const fw::verify::Reading now{bench.clock.wall(), bench.clock.steady()};
        static_cast<fw::sync::Host&>(*device).server_time(now.wall, now.steady, now);
    }
    std::size_t kept() const {
        return device->journal().after(device->journal().end().epoch, 0, 100'000, 1U << 30U).size();
    }
    /// Is a tick wanted for another slice?
    bool wanted() const {
        const auto at = device->wake_at();
        return at && *at <= bench.clock.steady() + Device::tidy_pause_ms;
    }

    Bench bench{wire::DeviceKind::gate};
    std::unique_ptr<Device> device;
};

TEST_CASE("an hour's tidying goes on until nothing is left") {
    Month month{1'700};
    std::size_t before = month.kept();
    REQUIRE(before > 1'700);
    int slices = 0;
    month.device->tick();
    while (month.wanted()) {
        const std::size_t now = month.kept();
        CHECK(before - now <= 1'000);  // two windows of the journal: what a visitor may wait for
        before = now;
        REQUIRE(++slices < 20);
        month.bench.clock.pass(Device::tidy_pause_ms);
        month.device->tick();
    }
    CHECK(slices >= 3);
    CHECK(month.kept() < 10);
}

TEST_CASE("nothing is tidied while somebody is in the lane") {
    Month month{1'700};
    wire::Command command;
    command.persons = 1;
    const fw::verify::Reading now{month.bench.clock.wall(), month.bench.clock.steady()};
    (void)static_cast<fw::sync::Host&>(*month.device).carry_out(command, now);
    REQUIRE(month.bench.barrier.pulses == 1);
    const std::size_t before = month.kept();
    month.device->tick();
    CHECK(month.kept() == before);
    CHECK_FALSE(month.wanted());
    month.device->on_barrier(fw::ports::BarrierEvent::passed);
    CHECK(month.wanted());
    month.device->tick();
    CHECK(month.kept() < before);
}

TEST_CASE("a list that was replaced is tidied away too, whatever the clock") {
    Bench bench{wire::DeviceKind::gate};
    const auto device = bench.start();
    const auto give = [&](std::uint64_t version) {
        std::vector<wire::ListRow> rows;
        for (std::uint64_t id = 1; id <= 9'000; ++id)
            rows.push_back(wire::row_of(wire::Revoked{TicketId{id}, 1, today}));
        std::ranges::sort(rows, {}, &wire::ListRow::key);
        wire::ListDigest digest;
        for (const wire::ListRow& row : rows) digest.add(row.key, *row.body);
        const auto scope = wire::ListScope::revoked;
        REQUIRE(device->cache()
                    .begin_stage(scope, {.what = wire::Want::What::snapshot,
                                         .generation = Generation{7},
                                         .from_version = 0,
                                         .to_version = version,
                                         .bucket = 0,
                                         .after = {}})
                    .has_value());
        REQUIRE(device->cache().stage_rows(scope, rows).has_value());
        REQUIRE(device->cache()
                    .apply_stage(scope, {scope, digest.root(), rows.size(), noon + hours{1}},
                                 Generation{7}, version)
                    .has_value());
    };
    give(1);
    give(2);
    bench.clock.pass(Device::tidy_every_ms);
    for (int i = 0; i < 10; ++i) {
        device->tick();
        bench.clock.pass(Device::tidy_pause_ms);
    }
    const auto more = device->cache().tidy();
    REQUIRE(more.has_value());
    CHECK_FALSE(*more);
}

}  // namespace
