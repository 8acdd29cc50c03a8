// The device put together, where two rooms meet: arm and verdict, handheld and disk, clock and
// memory.
#include <algorithm>

#include "tests/unit/firmware/app/bench.hpp"

namespace {

using namespace pf;
using namespace pf::tests;

TEST_CASE("a gate: one scan, one opening, one outcome") {
    using admission::Reason;
    Bench bench{wire::DeviceKind::gate};
    const auto device = bench.start();
    CHECK(reason(device->on_code(bench.code(1))) == Reason::ok);
    CHECK(bench.barrier.pulses == 1);
    CHECK(reason(device->on_code(bench.code(2))) == Reason::lane_busy);
    CHECK(bench.barrier.pulses == 1);
    device->on_barrier(fw::ports::BarrierEvent::passed);
    CHECK(reason(device->on_code(bench.code(1))) == Reason::already_used);
    REQUIRE(bench.outcomes(*device).size() == 1);
    CHECK(bench.outcomes(*device)[0].how == Outcome::How::complete);
    CHECK(bench.cue.shown.size() == 3);
}

wire::Command open_command(std::uint16_t persons) {
    wire::Command command;
    command.id.fill(0xc0);
    command.kind = wire::CommandKind::open;
    command.expires_at = noon + std::chrono::hours{1};
    command.issuer = "A017";
    command.persons = persons;
    return command;
}

TEST_CASE("a command lets people in: booked as that, before the arm opens, without an alarm") {
    using pf::journal::LaneAlarm;
    using pf::journal::LetIn;
    using pf::journal::Opened;
    Bench bench{wire::DeviceKind::gate};
    const auto device = bench.start();
    auto& host = static_cast<fw::sync::Host&>(*device);
    const fw::verify::Reading now{bench.clock.wall(), bench.clock.steady()};
    const wire::Command command = open_command(2);

    bench.disk.set_capacity_bytes(bench.disk.bytes_used());
    CHECK(host.carry_out(command, now).state == wire::CommandState::failed);
    CHECK(bench.barrier.pulses == 0);
    bench.disk.set_capacity_bytes(UINT64_MAX);

    CHECK(host.carry_out(command, now).state == wire::CommandState::done);
    CHECK(bench.barrier.pulses == 1);
    REQUIRE(bench.events<Opened>(*device).size() == 1);
    CHECK(bench.events<Opened>(*device)[0] == Opened{command.id, 2});
    const std::uint64_t opened_seq = device->journal().end().seq;
    CHECK(host.carry_out(command, now).state == wire::CommandState::refused);  // the lane is busy
    CHECK(reason(device->on_code(bench.code(1))) == admission::Reason::lane_busy);
    device->on_barrier(fw::ports::BarrierEvent::passed);
    CHECK(bench.barrier.pulses == 2);
    device->on_barrier(fw::ports::BarrierEvent::passed);
    REQUIRE(bench.events<LetIn>(*device).size() == 1);
    CHECK(bench.events<LetIn>(*device)[0] == LetIn{opened_seq, 2, Outcome::How::complete});
    CHECK(bench.events<LaneAlarm>(*device).empty());
    CHECK(bench.outcomes(*device).empty());
    // Who comes next without ticket or command is still an alarm.
    device->on_barrier(fw::ports::BarrierEvent::passed);
    CHECK(bench.events<LaneAlarm>(*device).size() == 1);
}

TEST_CASE("nobody came after a command, or the device restarted meanwhile") {
    using pf::journal::LetIn;
    Bench bench{wire::DeviceKind::gate};
    auto device = bench.start();
    const fw::verify::Reading now{bench.clock.wall(), bench.clock.steady()};
    (void)static_cast<fw::sync::Host&>(*device).carry_out(open_command(1), now);
    SUBCASE("the wait ends") {
        bench.clock.pass(Millis{60'000});
        device->tick();
        REQUIRE(bench.events<LetIn>(*device).size() == 1);
        CHECK(bench.events<LetIn>(*device)[0].how == Outcome::How::timeout);
        CHECK(bench.barrier.locks == 1);
    }
    SUBCASE("a restart") {
        device.reset();
        device = bench.start();
        CHECK(bench.events<LetIn>(*device).empty());
        CHECK(reason(device->on_code(bench.code(1))) == admission::Reason::ok);
    }
}

TEST_CASE("what came of a command is written in the epoch that opened, or nowhere") {
    using pf::journal::EpochOpened;
    using pf::journal::LaneAlarm;
    using pf::journal::LetIn;
    Bench bench{wire::DeviceKind::gate};
    const auto device = bench.start();
    const fw::verify::Reading now{bench.clock.wall(), bench.clock.steady()};
    const auto end_epoch = [&] {
        const fw::journal::Stamp stamp{noon, SteadyTime{Millis{1'000}}, BootId{11}};
        REQUIRE(device->journal()
                    .open_epoch(EpochOpened::Why::rolled_back, stamp, bench.entropy)
                    .has_value());
    };
    SUBCASE("the epoch ended while the arm was open") {
        // The newest grant is of the epoch that goes on: only the opening is of another.
        (void)static_cast<fw::sync::Host&>(*device).carry_out(open_command(1), now);
        end_epoch();
        device->on_barrier(fw::ports::BarrierEvent::passed);
        CHECK(bench.events<LetIn>(*device).empty());
    }
    SUBCASE("an alarm beside a ticket's passage names no foreign event") {
        (void)device->on_code(bench.code(1, 2));
        end_epoch();
        device->on_barrier(fw::ports::BarrierEvent::wrong_way);
        REQUIRE(bench.events<LaneAlarm>(*device).size() == 1);
        CHECK_FALSE(bench.events<LaneAlarm>(*device)[0].grant_seq.has_value());
    }
    SUBCASE("opened in the new epoch, after a grant of the old one") {
        (void)device->on_code(bench.code(1));
        device->on_barrier(fw::ports::BarrierEvent::passed);
        end_epoch();
        (void)static_cast<fw::sync::Host&>(*device).carry_out(open_command(1), now);
        device->on_barrier(fw::ports::BarrierEvent::passed);
        CHECK(bench.events<LetIn>(*device).size() == 1);
    }
    SUBCASE("a full disk keeps it for later") {
        (void)static_cast<fw::sync::Host&>(*device).carry_out(open_command(1), now);
        bench.disk.set_capacity_bytes(bench.disk.bytes_used());
        device->on_barrier(fw::ports::BarrierEvent::passed);
        CHECK(bench.events<LetIn>(*device).empty());
        SUBCASE("and its epoch goes on") {
            bench.disk.set_capacity_bytes(UINT64_MAX);
            device->tick();
            CHECK(bench.events<LetIn>(*device).size() == 1);
        }
        SUBCASE("but not beyond its epoch") {
            bench.disk.set_capacity_bytes(UINT64_MAX);
            end_epoch();
            device->tick();
            CHECK(bench.events<LetIn>(*device).empty());
        }
    }
}

TEST_CASE("a handheld: some of a group, and back") {
    Bench bench{wire::DeviceKind::handheld};
    const auto device = bench.start();
    CHECK(device->on_code(bench.code(1, 5)).verdict.persons == 5);
    CHECK(device->admit(2, false, {}).verdict.persons_left == 3);
    CHECK_FALSE(device->admit(2, false, {}).grant_seq.has_value());
    CHECK(device->undo());
    CHECK_FALSE(device->undo());
    CHECK(device->on_code(bench.code(1, 5)).verdict.persons == 5);
}

TEST_CASE(
    "a fault in the middle of a passage: staff at a handheld let in again, once and only once") {
    using admission::Reason;
    const auto told = [](TicketId ticket, std::uint16_t unseen) {
        return wire::UseItem{.grant = {*DeviceId::parse("gate-7"), Epoch{7}, 9},
                             .ticket = ticket,
                             .product = adult,
                             .day = today,
                             .last_day = today,
                             .persons = 1,
                             .return_pending = false,
                             .at = noon,
                             .unseen = unseen};
    };
    Bench bench{wire::DeviceKind::handheld};
    const auto device = bench.start();
    REQUIRE(device->cache().apply_uses({told(TicketId{1}, 0)}, {Generation{7}, 1}).has_value());
    CHECK(reason(device->on_code(bench.code(1))) == Reason::already_used);
    REQUIRE(device->cache().apply_uses({told(TicketId{1}, 1)}, {Generation{7}, 2}).has_value());
    const auto asked = device->on_code(bench.code(1));
    CHECK(reason(asked) == Reason::outcome_unknown);
    CHECK_FALSE(device->admit({}, false, {}).grant_seq.has_value());
    const auto admitted = device->admit({}, true, {});
    CHECK(reason(admitted) == Reason::ok);
    REQUIRE(admitted.grant_seq.has_value());
    CHECK((device->journal().admitted(*admitted.grant_seq)->flags & admission::flag_staff) != 0);
    CHECK(reason(device->on_code(bench.code(1))) == Reason::already_used);
    CHECK_FALSE(device->admit({}, true, {}).grant_seq.has_value());
}

TEST_CASE("automatic returns are two a ticket and day over all lanes this one was told of") {
    Bench bench{wire::DeviceKind::gate};
    const auto device = bench.start();
    const auto told = [](std::uint64_t seq, Day day) {
        return wire::UseItem{.grant = {*DeviceId::parse("gate-7"), Epoch{7}, seq},
                             .ticket = TicketId{1},
                             .product = adult,
                             .day = day,
                             .last_day = today,
                             .persons = 0,
                             .return_pending = false,
                             .at = noon,
                             .automatic_return = true};
    };
    // Yesterday's do not count.
    REQUIRE(device->cache()
                .apply_uses({told(8, today + -1), told(9, today)}, {Generation{7}, 1})
                .has_value());
    for (int i = 0; i < 2; ++i) {
        REQUIRE(device->on_code(bench.code(1)).grant_seq.has_value());
        bench.clock.pass(Millis{60'000});
        device->tick();
    }
    const auto outcomes = bench.outcomes(*device);
    REQUIRE(outcomes.size() == 2);
    CHECK(outcomes[0].how == Outcome::How::timeout);
    CHECK(outcomes[0].returned == 1);
    CHECK(outcomes[1].how == Outcome::How::unknown);  // the third of the day
    CHECK(outcomes[1].returned == 0);
}

TEST_CASE("an undo on a full disk did not happen, and may be tried again") {
    Bench bench{wire::DeviceKind::handheld};
    const auto device = bench.start();
    (void)device->on_code(bench.code(1, 5));
    (void)device->admit(2, false, {});
    bench.disk.set_capacity_bytes(bench.disk.bytes_used());
    CHECK_FALSE(device->undo());
    bench.disk.set_capacity_bytes(UINT64_MAX);
    device->tick();
    CHECK(bench.outcomes(*device).empty());
    CHECK(device->undo());
    CHECK(bench.outcomes(*device).size() == 1);
}

TEST_CASE("an undo of a grant whose epoch ended does nothing, the next one works") {
    Bench bench{wire::DeviceKind::handheld};
    const auto device = bench.start();
    (void)device->on_code(bench.code(1, 5));
    const auto grant = device->admit(2, false, {}).grant_seq;
    REQUIRE(grant.has_value());
    const fw::journal::Stamp stamp{noon, SteadyTime{Millis{1'000}}, BootId{11}};
    REQUIRE(device->journal()
                .open_epoch(pf::journal::EpochOpened::Why::rolled_back, stamp, bench.entropy)
                .has_value());
    // The same number is another admission in the new epoch.
    while (device->journal().end().seq + 1 < *grant)
        REQUIRE(device->journal().append(stamp, pf::journal::Booted{"1.0"}).has_value());
    SUBCASE("nothing has that number") {}
    SUBCASE("another admission has it") {
        pf::journal::Admitted other;
        other.ticket = TicketId{2};
        other.persons = 9;
        REQUIRE(device->journal().append(stamp, other).has_value());
    }
    CHECK_FALSE(device->undo());
    CHECK(bench.outcomes(*device).empty());
    (void)device->on_code(bench.code(1, 5));
    CHECK(device->admit(1, false, {}).verdict.persons_left == 2);
    CHECK(device->undo());
    CHECK(bench.outcomes(*device).size() == 1);
}

TEST_CASE("what others told is forgotten only by a confirmed clock, a day late") {
    struct Row {
        const char* what;
        Millis wall_moves;
        bool confirmed;
        bool remembered;
    };
    constexpr std::chrono::hours hour{1};
    const Row rows[] = {
        {"the clock may be days ahead", 72 * hour, false, true},
        {"the same day", 2 * hour, true, true},
        {"the day after, while the rule may still be lenient", 12 * hour + Millis{30'000}, true,
         true},
        {"the day after that", 37 * hour, true, false},
    };
    for (const Row& row : rows) {
        CAPTURE(row.what);
        Bench bench{wire::DeviceKind::gate};
        const auto device = bench.start();
        const wire::UseItem use{.grant = {*DeviceId::parse("gate-2"), Epoch{9}, 1},
                                .ticket = TicketId{1},
                                .product = adult,
                                .day = today,
                                .last_day = today,
                                .persons = 1,
                                .return_pending = false,
                                .at = noon};
        REQUIRE(device->cache().apply_uses({use}, {Generation{7}, 1}).has_value());
        bench.clock.pass(row.wall_moves);
        if (row.confirmed) {
            const fw::verify::Reading now{bench.clock.wall(), bench.clock.steady()};
            static_cast<fw::sync::Host&>(*device).server_time(now.wall, now.steady, now);
        }
        device->tick();
        CHECK(device->cache().uses_of(TicketId{1}).empty() != row.remembered);
    }
}

}  // namespace
