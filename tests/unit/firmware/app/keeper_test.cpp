// A device whose files can't be read any more: it refuses, ends, starts again, and loses nothing.
#include "firmware/app/keeper.hpp"

#include "tests/unit/firmware/app/bench.hpp"

namespace {

using namespace pf;
using namespace pf::tests;
using admission::Reason;
using firmware::app::Keeper;
using firmware::app::Notice;

struct Kept {
    explicit Kept(wire::DeviceKind kind = wire::DeviceKind::gate) : bench{kind} {
        REQUIRE_FALSE(keeper.start().has_value());
    }
    Device& device() {
        REQUIRE(keeper.device() != nullptr);
        return *keeper.device();
    }
    /// The handles of the program's files answer with errors from here on.
    void kill_files() { bench.disk.kill_process(); }
    void pass(Millis span) {
        bench.clock.pass(span);
        keeper.tick();
    }
    Reason shown() const {
        REQUIRE_FALSE(bench.cue.shown.empty());
        return bench.cue.shown.back().reason;
    }
    std::vector<pf::journal::Finding> findings() {
        return bench.events<pf::journal::Finding>(device());
    }

    Bench bench;
    int starts = 0, ended = 0;
    std::vector<std::string> said;
    Keeper keeper{
        {bench.clock, &bench.barrier, bench.cue},
        [this](std::optional<std::string> lost) { return bench.try_start(std::move(lost)); },
        {.started = [this] { ++starts; },
         .ended = [this] { ++ended; },
         .notice =
             [this](const Notice& notice) {
                 if (notice.what == Notice::What::storage) said.push_back(notice.text);
             }}};
};

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

}  // namespace
