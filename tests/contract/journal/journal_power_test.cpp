// Invariant 1, taken literally: the power goes at every operation of a write, the disk drops, tears
// and reorders what was not synced, and whatever was promised before is still there.
#include <functional>
#include <vector>

#include "tests/contract/journal/fixture.hpp"
#include "tests/support/crash_vfs.hpp"

using namespace pf;
using namespace pf::tests;
using pf::journal::EpochOpened;
using pf::journal::Outcome;

namespace {

/// What a device did before and during the cut, and what it was promised.
struct Device {
    explicit Device(std::uint64_t seed) : vfs(seed, "journal-power"), disk(seed), entropy(seed) {}

    fj::Result<std::unique_ptr<fj::Journal>> try_open() {
        fj::Journal::Options options{"/sim/gate-1/events.db", vfs.name(), gate};
        return fj::Journal::open(options, entropy, stamp_at(noon_ms));
    }

    CrashVfs vfs;
    CrashDisk disk;
    SeededEntropy entropy;
    CrashVfs::Mount mounted = vfs.mount("/sim/gate-1/", disk);
    std::vector<pf::journal::Cursor> promised;
};

bool has(const fj::Journal& journal, const pf::journal::Cursor& cursor) {
    return journal.head_at(cursor.epoch, cursor.seq) == cursor.head;
}

using Step = std::function<void(Device&, fj::Journal&)>;
using Prepare = std::function<void(Device&)>;

void promise(Device& device, const fj::Result<fj::Appended>& appended) {
    if (appended) device.promised.push_back(appended->cursor);
}

/// Two admissions lie on the disk before the step that is cut.
void prepare(Device& device) {
    auto journal = device.try_open();
    REQUIRE(ok(journal));
    promise(device, (*journal)->append(stamp_at(noon_ms), an_admission(ticket_a, 2)));
    promise(device, (*journal)->append(stamp_at(noon_ms), an_admission(ticket_b)));
    REQUIRE(device.promised.size() == 2);
}

/// Opens after the cut and looks at everything that was promised; then goes on working.
void look(Device& device, bool step_returned) {
    auto opened = device.try_open();
    REQUIRE(ok(opened));
    fj::Journal& journal = **opened;
    for (const auto& cursor : device.promised) CHECK(has(journal, cursor));
    for (const fj::EpochState& state : journal.epochs()) {
        CHECK(chain_verifies(journal, state.epoch));
    }
    CHECK(journal.epochs().size() <= (step_returned ? 2U : 3U));
    CHECK(uses_of(journal, ticket_b).size() == 1);
    const auto more = journal.append(stamp_at(noon_ms), an_admission(ticket_b));
    REQUIRE(ok(more));
    CHECK(uses_of(journal, ticket_b).size() == 2);
    CHECK(chain_verifies(journal, journal.end().epoch));
}

/// Cuts the power at every operation of `step`, with several fates of what was not synced.
void cut_everywhere(const Step& step, const Prepare& prepare_disk = prepare,
                    std::uint64_t fates = 6) {
    std::uint64_t cuts = 0;
    bool cut_happened = true;
    for (std::uint64_t operation = 1; cut_happened; ++operation) {
        for (std::uint64_t fate = 0; fate < fates; ++fate) {
            CAPTURE(operation);
            CAPTURE(fate);
            Device device{operation * fates + fate};
            prepare_disk(device);
            bool returned = false;
            {
                auto journal = device.try_open();
                REQUIRE(ok(journal));
                device.disk.cut_power_at(device.disk.operations() + operation);
                const std::size_t promised = device.promised.size();
                step(device, **journal);
                returned = device.promised.size() > promised;
                // In memory too only what is durable: the last promise is the end.
                CHECK((*journal)->end() == device.promised.back());
                cut_happened = device.disk.dead();
                device.disk.cut_power();
            }
            Rng rng{fate};
            device.disk.power_on(rng);
            look(device, returned);
            cuts += cut_happened ? 1 : 0;
        }
    }
    CHECK(cuts > fates);  // a write of at least one page and its sync
}

}  // namespace

TEST_CASE("a power cut anywhere in an admission: promised is there, the chain verifies") {
    cut_everywhere([](Device& device, fj::Journal& journal) {
        promise(device, journal.append(stamp_at(noon_ms), an_admission(ticket_a)));
    });
}

TEST_CASE("a power cut anywhere in an outcome: the grant is open or ended, nothing else") {
    cut_everywhere([](Device& device, fj::Journal& journal) {
        promise(device, journal.append(stamp_at(noon_ms), outcome(2, 1, 1, Outcome::How::timeout)));
    });
}

TEST_CASE("a power cut anywhere in the opening of an epoch: the old one stays whole") {
    cut_everywhere([](Device& device, fj::Journal& journal) {
        promise(device, journal.open_epoch(EpochOpened::Why::rolled_back, stamp_at(noon_ms),
                                           device.entropy));
    });
}

TEST_CASE("a power cut anywhere while the WAL is written back loses nothing") {
    // Once: a journal whose WAL is nearly long enough to be written back.
    constexpr std::uint64_t frame_bytes = 4096 + 24;
    constexpr std::uint64_t nearly_frames = 990;  // SQLite writes back at 1000
    const std::string detail(pf::journal::detail_bytes_max, 'x');
    const auto append = [&](Device& device, fj::Journal& journal) {
        promise(device, journal.append(stamp_at(noon_ms), pf::journal::finding("filler", detail)));
    };
    DiskImage image;
    std::vector<pf::journal::Cursor> promised;
    {
        Device first{1};
        prepare(first);
        auto journal = first.try_open();
        REQUIRE(ok(journal));
        std::uint64_t wal_bytes = 0;
        while (wal_bytes < nearly_frames * frame_bytes) {
            append(first, **journal);
            wal_bytes = first.disk.find("/sim/gate-1/events.db-wal")->content.size();
        }
        image = first.disk.image();
        promised = first.promised;
    }
    const auto put_image = [&](Device& device) {
        device.disk.restore(image);
        device.promised = promised;
    };
    std::uint64_t syncs = 0;
    const auto write_back = [&](Device& device, fj::Journal& journal) {
        syncs = device.disk.syncs();
        for (int i = 0; i < 8 && !device.disk.dead(); ++i) append(device, journal);
        syncs = device.disk.syncs() - syncs;
    };
    constexpr std::uint64_t fates = 1;  // the disk draws another one at every operation
    cut_everywhere(write_back, put_image, fates);
    CHECK(syncs > 8 + 1);  // the last, uncut round: more than one a commit, so it was written back
}

TEST_CASE("a power cut anywhere in making the file: the next start makes it") {
    constexpr std::uint64_t fates = 6;
    bool cut_happened = true;
    for (std::uint64_t operation = 1; cut_happened; ++operation) {
        for (std::uint64_t fate = 0; fate < fates; ++fate) {
            CAPTURE(operation);
            CAPTURE(fate);
            Device device{operation * fates + fate};
            device.disk.cut_power_at(operation);
            const bool made = ok(device.try_open());
            cut_happened = device.disk.dead();
            device.disk.cut_power();
            Rng rng{fate};
            device.disk.power_on(rng);
            const auto opened = device.try_open();
            REQUIRE(ok(opened));
            CHECK((*opened)->epochs().size() == 1);
            CHECK((*opened)->end().seq == 1);
            CHECK(chain_verifies(**opened, (*opened)->end().epoch));
            CHECK((made || cut_happened));
        }
    }
}

TEST_CASE("one failed operation anywhere: a fault and nothing appended, and then it works again") {
    bool failure_happened = true;
    for (std::uint64_t operation = 1; failure_happened; ++operation) {
        CAPTURE(operation);
        Device device{operation};
        prepare(device);
        auto journal = device.try_open();
        REQUIRE(ok(journal));
        const auto before = (*journal)->end();
        const std::uint64_t at = device.disk.operations() + operation;
        device.disk.fail_at(at);
        const auto failed = (*journal)->append(stamp_at(noon_ms), an_admission(ticket_a));
        failure_happened = device.disk.operations() >= at;
        device.disk.fail_at(0);
        if (!ok(failed)) {
            CHECK(failed.error() == fj::Fault::io_error);
            CHECK((*journal)->end() == before);
            CHECK(uses_of(**journal, ticket_a).size() == 1);
        }
        const auto again = (*journal)->append(stamp_at(noon_ms), an_admission(ticket_a));
        REQUIRE(ok(again));
        CHECK(again->cursor.seq == before.seq + (ok(failed) ? 2 : 1));
        CHECK(chain_verifies(**journal, before.epoch));
        device.promised.push_back(again->cursor);
        device.disk.cut_power();
        journal = fj::Fault::io_error;
        Rng rng{operation};
        device.disk.power_on(rng);
        const auto opened = device.try_open();
        REQUIRE(ok(opened));
        CHECK(has(**opened, again->cursor));
    }
}

TEST_CASE("a full disk refuses, appends nothing, and is forgotten when there is room again") {
    for (std::uint64_t spare = 0; spare < 40'000; spare += 1'500) {
        CAPTURE(spare);
        Device device{spare + 1};
        prepare(device);
        auto journal = device.try_open();
        REQUIRE(ok(journal));
        device.disk.set_capacity_bytes(device.disk.bytes_used() + spare);
        pf::journal::Cursor last = (*journal)->end();
        std::optional<fj::Fault> fault;
        for (int i = 0; i < 400 && !fault; ++i) {
            const auto appended = (*journal)->append(stamp_at(noon_ms), an_admission(ticket_a));
            if (ok(appended)) {
                last = appended->cursor;
            } else {
                fault = appended.error();
            }
        }
        REQUIRE(fault);
        CHECK(*fault == fj::Fault::disk_full);
        CHECK((*journal)->end() == last);
        CHECK(uses_of(**journal, ticket_a).size() == last.seq - 2);
        CHECK((*journal)->append(stamp_at(noon_ms), an_admission(ticket_a)).error() ==
              fj::Fault::disk_full);
        CHECK(chain_verifies(**journal, last.epoch));

        device.disk.set_capacity_bytes(UINT64_MAX);
        const auto again = (*journal)->append(stamp_at(noon_ms), an_admission(ticket_a));
        REQUIRE(ok(again));
        CHECK(again->cursor.seq == last.seq + 1);
        CHECK(chain_verifies(**journal, last.epoch));
    }
}

TEST_CASE("a read from a dead disk is an exception, a transaction a fault") {
    Device device{1};
    prepare(device);
    auto journal = device.try_open();
    REQUIRE(ok(journal));
    device.disk.cut_power();
    CHECK((*journal)->append(stamp_at(noon_ms), an_admission(ticket_a)).error() ==
          fj::Fault::io_error);
    CHECK_THROWS_AS(static_cast<void>((*journal)->open_grants()), fj::ReadFailed);
    CHECK((*journal)->end().seq == 3);  // what is kept in memory still answers
}
