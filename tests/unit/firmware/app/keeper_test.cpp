// A device whose files can't be read any more: it refuses, ends, starts again, and loses nothing.
#include "tests/unit/firmware/app/kept.hpp"

namespace {

using namespace pf;
using namespace pf::tests;
using admission::Reason;
using firmware::app::Keeper;

TEST_CASE("a scan whose files can't be read is refused, and the device starts again") {
    Kept kept;
    const auto end = kept.device().journal().end();
    kept.kill_files();
    kept.keeper.on_code(kept.bench.code(1));
    CHECK(kept.shown() == Reason::storage_failed);
    CHECK(kept.bench.barrier.pulses == 0);
    CHECK(kept.keeper.device() == nullptr);
    CHECK(kept.ended == 1);
    CHECK_FALSE(kept.said.empty());

    // Until it runs again nobody is admitted, and everybody is told.
    kept.keeper.on_code(kept.bench.code(1));
    kept.keeper.on_document({"11010519491231002X", "reader"});
    CHECK(kept.bench.cue.shown.size() == 3);
    CHECK(kept.shown() == Reason::storage_failed);

    kept.pass(Keeper::retry_first_ms);
    CHECK(kept.starts == 2);
    CHECK(kept.device().journal().head_at(end.epoch, end.seq) == end.head);  // nothing was lost
    REQUIRE(kept.findings().size() == 1);
    CHECK(kept.findings()[0].code == "storage_unreadable");
    kept.keeper.on_code(kept.bench.code(1));
    CHECK(kept.shown() == Reason::ok);
    CHECK(kept.bench.barrier.pulses == 1);
}

TEST_CASE("files that die while the arm is open: locked, and the outcome is unknown") {
    Kept kept;
    kept.keeper.on_code(kept.bench.code(1));
    REQUIRE(kept.bench.barrier.pulses == 1);
    kept.kill_files();
    const int locks = kept.bench.barrier.locks;
    (void)kept.keeper.call([](Device& device) { (void)device.journal().open_grants(); });
    CHECK(kept.keeper.device() == nullptr);
    CHECK(kept.bench.barrier.locks == locks + 1);
    kept.pass(Keeper::retry_first_ms);
    const auto outcomes = kept.bench.outcomes(kept.device());
    REQUIRE(outcomes.size() == 1);
    CHECK(outcomes[0].how == Outcome::How::unknown);
    kept.keeper.on_code(kept.bench.code(1));
    CHECK(kept.shown() == Reason::outcome_unknown);
}

TEST_CASE("fire and a broken sensor outlive the device") {
    struct Row {
        fw::ports::BarrierEvent event;
        Reason then;
    };
    for (const Row& row : {Row{fw::ports::BarrierEvent::fire_on, Reason::emergency},
                           Row{fw::ports::BarrierEvent::fault, Reason::lane_fault}}) {
        for (const bool before : {true, false}) {
            Kept kept;
            if (before) kept.keeper.on_barrier(row.event);
            kept.kill_files();
            (void)kept.keeper.call([](Device& device) { (void)device.journal().open_grants(); });
            if (!before) kept.keeper.on_barrier(row.event);
            const int locks = kept.bench.barrier.locks;
            kept.pass(Keeper::retry_first_ms);
            kept.keeper.on_code(kept.bench.code(1));
            CHECK(kept.shown() == row.then);
            CHECK(kept.bench.barrier.pulses == 0);
            CHECK(kept.bench.barrier.locks == locks);
        }
    }
}

TEST_CASE("waits grow while it fails, and begin anew after a while that was well") {
    Kept kept;
    const auto kill = [&] {
        kept.kill_files();
        (void)kept.keeper.call([](Device& device) { (void)device.journal().open_grants(); });
    };
    Millis wait = Keeper::retry_first_ms;
    for (int i = 0; i < 10; ++i) {
        kill();
        kept.pass(wait - Millis{1});
        CHECK(kept.keeper.device() == nullptr);
        kept.pass(Millis{1});
        CHECK(kept.keeper.device() != nullptr);
        wait = std::min(wait * 2, Keeper::retry_max_ms);
    }
    kept.pass(Keeper::well_after_ms);
    kill();
    kept.pass(Keeper::retry_first_ms);
    CHECK(kept.keeper.device() != nullptr);
}

TEST_CASE("a disk that is full at the start is tried again") {
    Kept kept;
    kept.bench.disk.set_capacity_bytes(kept.bench.disk.bytes_used());
    kept.keeper.restart();
    CHECK(kept.keeper.device() == nullptr);
    kept.keeper.on_code(kept.bench.code(1));
    CHECK(kept.shown() == Reason::storage_failed);
    kept.bench.disk.set_capacity_bytes(UINT64_MAX);
    REQUIRE(kept.keeper.wake_at().has_value());
    kept.pass(Keeper::retry_first_ms);
    kept.keeper.on_code(kept.bench.code(1));
    CHECK(kept.shown() == Reason::ok);
}

TEST_CASE("files that die in a call inside a call: the device ends when the outermost is done") {
    Kept kept;
    bool inner = true;
    const bool outer = kept.keeper.call([&](Device& device) {
        kept.kill_files();
        // As a control socket does: the reader's handler calls the keeper again.
        kept.keeper.on_document({"11010519491231002X", "reader"});
        inner = kept.keeper.call([](Device&) {});
        (void)device.lane_state();
        (void)device.failing();
        (void)device.journal().end();
    });
    CHECK_FALSE(inner);
    CHECK_FALSE(outer);
    CHECK(kept.shown() == Reason::storage_failed);
    CHECK(kept.keeper.device() == nullptr);
    CHECK(kept.ended == 1);
    kept.pass(Keeper::retry_first_ms);
    CHECK(kept.findings().size() == 1);
}

TEST_CASE("while it burns nobody is told of a broken disk") {
    Kept kept;
    kept.keeper.on_barrier(fw::ports::BarrierEvent::fire_on);
    kept.kill_files();
    (void)kept.keeper.call([](Device& device) { (void)device.journal().open_grants(); });
    REQUIRE(kept.keeper.device() == nullptr);
    kept.keeper.on_code(kept.bench.code(1));
    CHECK(kept.shown() == Reason::emergency);
    kept.keeper.on_barrier(fw::ports::BarrierEvent::fire_off);
    kept.keeper.on_code(kept.bench.code(1));
    CHECK(kept.shown() == Reason::storage_failed);
}

TEST_CASE("a restart waits for whoever is walking through") {
    Kept kept;
    kept.keeper.on_code(kept.bench.code(1));
    REQUIRE(kept.bench.barrier.pulses == 1);
    kept.keeper.restart();
    CHECK(kept.ended == 0);
    CHECK(kept.bench.barrier.locks == 0);
    SUBCASE("until they have passed") { kept.keeper.on_barrier(fw::ports::BarrierEvent::passed); }
    SUBCASE("until they have not come") { kept.pass(Millis{60'000}); }
    CHECK(kept.ended == 1);
    CHECK(kept.starts == 2);
    const auto outcomes = kept.bench.outcomes(kept.device());
    REQUIRE(outcomes.size() == 1);
    CHECK(outcomes[0].how != Outcome::How::unknown);
    CHECK(kept.findings().empty());  // nothing was lost
}

TEST_CASE("a restart waits while staff look at a group, or for an outcome the disk refused") {
    SUBCASE("a handheld's preview") {
        Kept kept{wire::DeviceKind::handheld};
        kept.keeper.on_code(kept.bench.code(1, 5));
        kept.keeper.restart();
        CHECK(kept.ended == 0);
        (void)kept.keeper.call(
            [](Device& device) { CHECK(device.admit(2, false, {}).grant_seq.has_value()); });
        CHECK(kept.ended == 1);
        CHECK(kept.starts == 2);
    }
    SUBCASE("an outcome") {
        Kept kept;
        kept.keeper.on_code(kept.bench.code(1));
        kept.bench.disk.set_capacity_bytes(kept.bench.disk.bytes_used());
        kept.keeper.on_barrier(fw::ports::BarrierEvent::passed);
        kept.keeper.restart();
        CHECK(kept.ended == 0);
        kept.bench.disk.set_capacity_bytes(UINT64_MAX);
        kept.pass(Millis{1'000});
        CHECK(kept.ended == 1);
        REQUIRE(kept.bench.outcomes(kept.device()).size() == 1);
        CHECK(kept.bench.outcomes(kept.device())[0].how == Outcome::How::complete);
    }
}

TEST_CASE("a restart asked for inside a call happens after it") {
    Kept kept;
    (void)kept.keeper.call([&](Device& device) {
        kept.keeper.restart();
        CHECK(kept.ended == 0);
        (void)device.journal().end();
    });
    CHECK(kept.ended == 1);
    CHECK(kept.starts == 2);
}

TEST_CASE("a cache that can't be written is said and opened anew, a full disk is waited for") {
    Kept kept;
    const auto connect = [&] {
        (void)kept.keeper.call([](Device& device) { (void)device.next_will(); });
    };
    kept.bench.disk.set_capacity_bytes(kept.bench.disk.bytes_used());
    connect();
    CHECK(kept.ended == 0);
    kept.bench.disk.set_capacity_bytes(UINT64_MAX);
    kept.bench.disk.fail_at(kept.bench.disk.operations() + 1);
    connect();
    CHECK(kept.ended == 1);
    kept.pass(Keeper::retry_first_ms);
    REQUIRE(kept.findings().size() == 1);
    CHECK(kept.findings()[0].code == "storage_unreadable");
    CHECK(kept.findings()[0].detail.starts_with("the cache"));
}

}  // namespace
