#include "tests/support/crash_disk.hpp"

#include <doctest/doctest.h>

using pf::Bytes;
using pf::tests::CrashDisk;
using pf::tests::DiskOutcome;
using pf::tests::Rng;

namespace {
const Bytes ones(1024, 1);
const Bytes twos(1024, 2);

/// A disk with one durable file of ones.
struct Fixture {
    CrashDisk disk{1};
    Fixture() {
        const auto file = disk.create("f");
        disk.write(*file, 0, ones);
        disk.sync(*file, true);
    }
    Bytes content() const { return disk.find("f")->content; }
};
}  // namespace

TEST_CASE("what was synced survives every power cut") {
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
        Fixture fixture;
        Rng rng(seed);
        fixture.disk.power_cut(rng);
        CHECK(fixture.content() == ones);
    }
}

TEST_CASE("what was not synced is kept, lost and torn, each for some seed") {
    int kept = 0, lost = 0, mixed = 0;
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
        Fixture fixture;
        fixture.disk.write(*fixture.disk.find("f"), 0, twos);
        Rng rng(seed);
        fixture.disk.power_cut(rng);
        const Bytes after = fixture.content();
        REQUIRE(after.size() == 1024);
        if (after == twos) {
            ++kept;
        } else if (after == ones) {
            ++lost;
        } else {
            ++mixed;
        }
    }
    CHECK(kept > 5);
    CHECK(lost > 5);
    CHECK(mixed > 5);
}

TEST_CASE("bytes outside the writes of a dead program are never touched") {
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
        Fixture fixture;
        fixture.disk.write(*fixture.disk.find("f"), 300, Bytes(400, 2));
        Rng rng(seed);
        fixture.disk.power_cut(rng);
        const Bytes after = fixture.content();
        CHECK(Bytes(after.begin(), after.begin() + 300) == Bytes(300, 1));
        CHECK(Bytes(after.begin() + 700, after.end()) == Bytes(324, 1));
    }
}

TEST_CASE("a new file and a deletion are certain only after the directory was synced") {
    int file_lost = 0, deletion_lost = 0;
    for (std::uint64_t seed = 0; seed < 60; ++seed) {
        Fixture fixture;
        const auto file = fixture.disk.create("g");
        fixture.disk.write(*file, 0, twos);
        fixture.disk.sync(*file, false);
        fixture.disk.remove("f", false);
        Rng rng(seed);
        fixture.disk.power_cut(rng);
        if (!fixture.disk.find("g")) ++file_lost;
        if (fixture.disk.find("f")) ++deletion_lost;
        // In order: the deletion cannot have survived without the creation before it.
        CHECK((fixture.disk.find("g") || fixture.disk.find("f")));

        Fixture synced;
        synced.disk.remove("f", true);
        synced.disk.power_cut(rng);
        CHECK_FALSE(synced.disk.find("f"));
    }
    CHECK(file_lost > 0);
    CHECK(deletion_lost > file_lost);
}

TEST_CASE("after the planned cut nothing works until the power is back") {
    Fixture fixture;  // three operations so far
    const std::uint64_t life = fixture.disk.life();
    fixture.disk.cut_power_at(5);
    const auto file = fixture.disk.find("f");
    CHECK(fixture.disk.write(*file, 0, twos) == DiskOutcome::done);
    CHECK(fixture.disk.sync(*file, false) == DiskOutcome::io_error);
    CHECK(fixture.disk.dead());
    CHECK(fixture.disk.last_operation() == pf::tests::DiskOperation::sync);
    CHECK(fixture.disk.last_file() == "f");
    CHECK_FALSE(fixture.disk.usable(life));
    Rng rng(1);
    fixture.disk.power_on(rng);
    CHECK_FALSE(fixture.disk.dead());
    CHECK_FALSE(fixture.disk.usable(life));  // the old program stays dead
    CHECK(fixture.disk.usable(fixture.disk.life()));
}

TEST_CASE("a failed sync vouches for nothing, and neither does the next one") {
    int lost = 0;
    for (std::uint64_t seed = 0; seed < 40; ++seed) {
        CrashDisk disk(seed);
        const auto file = disk.create("f");
        disk.sync(*file, true);
        disk.write(*file, 0, ones);
        disk.fail_at(4);
        REQUIRE(disk.sync(*file, false) == DiskOutcome::io_error);
        REQUIRE(disk.sync(*file, false) == DiskOutcome::done);
        Rng rng(seed);
        disk.power_cut(rng);
        if (disk.find("f")->content != ones) ++lost;
    }
    CHECK(lost > 0);
}

TEST_CASE("a full disk refuses growth, allows overwriting, and recovers") {
    Fixture fixture;
    fixture.disk.set_capacity_bytes(1500);
    const auto file = fixture.disk.find("f");
    CHECK(fixture.disk.write(*file, 1024, twos) == DiskOutcome::full);
    CHECK(fixture.disk.write(*file, 0, twos) == DiskOutcome::done);
    fixture.disk.set_capacity_bytes(4096);
    CHECK(fixture.disk.write(*file, 1024, twos) == DiskOutcome::done);
}

TEST_CASE("kill -9 keeps what the operating system had; a later cut may still take it") {
    int lost = 0;
    for (std::uint64_t seed = 0; seed < 40; ++seed) {
        Fixture fixture;
        fixture.disk.write(*fixture.disk.find("f"), 0, twos);
        fixture.disk.kill_process();
        CHECK(fixture.content() == twos);
        Rng rng(seed);
        fixture.disk.power_cut(rng);
        if (fixture.content() != twos) ++lost;
    }
    CHECK(lost > 0);
}
