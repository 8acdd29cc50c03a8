// A program that starts on a disk that is full, broken or damaged: no dark gate.
#include <algorithm>

#include "tests/unit/firmware/app/kept.hpp"

namespace {

using namespace pf;
using namespace pf::tests;
using pf::journal::EpochOpened;

void fill(Bench& bench) { bench.disk.set_capacity_bytes(bench.disk.bytes_used()); }

TEST_CASE("a gate that comes up on a full disk refuses, says so, and works when there is room") {
    Kept kept{fill};
    CHECK(kept.keeper.device() == nullptr);
    CHECK(kept.starts == 0);
    REQUIRE_FALSE(kept.bench.cue.shown.empty());  // before anybody came
    CHECK(kept.shown() == Reason::storage_failed);
    CHECK_FALSE(kept.said.empty());
    kept.keeper.on_code(kept.bench.code(1));
    CHECK(kept.shown() == Reason::storage_failed);
    CHECK(kept.bench.barrier.pulses == 0);

    REQUIRE(kept.keeper.wake_at().has_value());
    kept.pass(Keeper::retry_first_ms);
    CHECK(kept.keeper.device() == nullptr);
    kept.bench.disk.set_capacity_bytes(UINT64_MAX);
    kept.pass(2 * Keeper::retry_first_ms);
    CHECK(kept.starts == 1);
    REQUIRE(kept.findings().size() == 1);
    CHECK(kept.findings()[0].code == "storage_unreadable");
    kept.keeper.on_code(kept.bench.code(1));
    CHECK(kept.shown() == Reason::ok);
}

/// One bit of the last event in the file turns.
void flip_a_bit_of_the_last_event(Bench& bench) {
    Bytes last;
    {
        const auto device = bench.start();
        const auto end = device->journal().end();
        last = device->journal().after(end.epoch, end.seq - 1, 1, 1'000).front().event;
    }
    int found = 0;
    for (const auto& [name, content] : bench.disk.image()) {
        const auto at = std::ranges::search(content, last).begin();
        if (at == content.end()) continue;
        bench.disk.flip_bits(name, static_cast<std::uint64_t>(at - content.begin()) + 5, 0x10);
        ++found;
    }
    REQUIRE(found == 1);
}

/// Nothing of the file is a database any more.
void garble_the_header(Bench& bench) { bench.disk.flip_bits("/d/events.db", 0, 0xff); }

TEST_CASE("a damaged journal is set aside as evidence, and a new epoch begins that says so") {
    std::function<void(Bench&)> damage;
    SUBCASE("the last event") { damage = flip_a_bit_of_the_last_event; }
    SUBCASE("the header") { damage = garble_the_header; }
    Kept kept{[&](Bench& bench) {
        {
            const auto device = bench.start();
            REQUIRE(device->cache().apply_uses({}, {Generation{7}, 40}).has_value());
        }
        damage(bench);
    }};
    REQUIRE(kept.keeper.device() != nullptr);
    CHECK(kept.device().journal().epochs().size() == 1);
    CHECK(kept.bench.events<EpochOpened>(kept.device())[0].why == EpochOpened::Why::damaged);
    CHECK(kept.device().cache().uses_position().position == 0);
    CHECK(kept.bench.disk.find("/d/events.db.damaged-1"));
    const auto findings = kept.findings();
    CHECK(std::ranges::any_of(findings,
                              [](const auto& finding) { return finding.code == "journal_lost"; }));
    kept.keeper.on_code(kept.bench.code(1));
    CHECK(kept.shown() == Reason::ok);
}

TEST_CASE("a journal whose structure breaks while it is used is found out at the next start") {
    Kept kept;
    for (int i = 0; i < 400; ++i)
        REQUIRE(kept.device()
                    .journal()
                    .append({noon, SteadyTime{Millis{1'000}}, BootId{11}}, pf::journal::Refused{})
                    .has_value());
    kept.keeper.restart();  // everything is in the database file now
    const auto size = kept.bench.disk.find("/d/events.db")->content.size();
    REQUIRE(size > 40'000);
    for (std::uint64_t page = 8'192; page + 4'096 < size / 2; page += 4'096)
        for (int i = 0; i < 12; ++i)
            kept.bench.disk.flip_bits("/d/events.db", page + static_cast<std::uint64_t>(i), 0x55);
    kept.kill_files();
    (void)kept.keeper.call([](Device& device) { (void)device.journal().open_grants(); });
    kept.pass(Keeper::retry_first_ms);
    CHECK(kept.bench.events<EpochOpened>(kept.device())[0].why == EpochOpened::Why::damaged);
    CHECK(kept.bench.disk.find("/d/events.db.damaged-1"));
}

TEST_CASE("a cache whose revoked tickets rot is found out at the start, and begun anew") {
    Kept kept;
    const auto list = [](Device& device) {
        return device.cache().list(wire::ListScope::revoked).state.version;
    };
    wire::ListDigest digest;
    std::vector<wire::ListRow> rows;
    for (std::uint64_t i = 1; i <= 2'000; ++i) {
        rows.push_back(wire::row_of(wire::Revoked{TicketId{i}, 1, today}));
        digest.add(rows.back().key, *rows.back().body);
    }
    fw::cache::Stage stage;
    stage.to_version = 3;
    auto& cache = kept.device().cache();
    REQUIRE(cache.begin_stage(wire::ListScope::revoked, stage).has_value());
    REQUIRE(cache.stage_rows(wire::ListScope::revoked, rows).has_value());
    const wire::ListManifest manifest{wire::ListScope::revoked, digest.root(), rows.size(), noon};
    REQUIRE(cache.apply_stage(wire::ListScope::revoked, manifest, stage.generation, 3).has_value());
    kept.keeper.restart();  // everything is in the database file now
    kept.kill_files();
    // All but the header, the schema and the tables that do not grow.
    const auto size = kept.bench.disk.find("/d/cache.v2.db")->content.size();
    REQUIRE(size > 60'000);
    for (std::uint64_t page = 20 * 4'096; page < size; page += 4'096)
        for (std::uint64_t i = 0; i < 12; ++i)
            kept.bench.disk.flip_bits("/d/cache.v2.db", page + i, 0x55);
    kept.keeper.restart();
    CHECK(list(kept.device()) == 0);  // asked for again
    CHECK(kept.bench.disk.find("/d/cache.v2.db.damaged-1"));
    kept.keeper.on_code(kept.bench.code(1'000));
    CHECK(kept.bench.barrier.pulses == 0);
}

TEST_CASE("a vault that can't keep the key of the cache is a fault of the disk") {
    Bench bench{wire::DeviceKind::gate};
    bench.vault.broken = true;
    CHECK(bench.try_start().error() == fw::journal::Fault::io_error);
    bench.vault.broken = false;
    CHECK(bench.try_start().has_value());
    bench.vault.broken = true;
    CHECK(bench.try_start().has_value());  // it is kept already
}

}  // namespace
