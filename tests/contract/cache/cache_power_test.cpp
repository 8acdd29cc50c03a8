// Invariant 4 under power cuts: the list in force is the old one or the new one, never between, and
// what was stored durably stays.
#include <functional>

#include "tests/contract/cache/fixture.hpp"
#include "tests/support/crash_vfs.hpp"

using namespace pf;
using namespace pf::tests;

namespace {

const ListScope scope = ListScope::revoked;

/// The list in force, its successor, and the two updates that lead there.
const Rows& old_rows() {
    static const Rows rows = revoked_list(400);
    return rows;
}
const Rows& new_rows() {
    static const Rows rows = [] {
        Rows changed = old_rows();
        for (int i = 0; i < 20; ++i) changed.erase(changed.begin());
        changed.begin()->second = *revoked_row(1, 20'801).body;
        changed.merge(revoked_list(30, 100'000));
        return changed;
    }();
    return rows;
}

struct Device {
    explicit Device(std::uint64_t seed) : vfs(seed, "cache-power"), disk(seed) {}

    fc::Result<std::unique_ptr<fc::Cache>> try_open() {
        return fc::Cache::open({"/sim/gate-1/cache.v2.db", vfs.name()});
    }

    CrashVfs vfs;
    CrashDisk disk;
    CrashVfs::Mount mounted = vfs.mount("/sim/gate-1/", disk);
};

/// The disk of a device with the old list in force and, when `stage` says so, the update staged.
DiskImage prepared(const std::optional<fc::Stage>& stage,
                   const std::vector<wire::ListRow>& staged_rows) {
    Device device{1};
    auto cache = device.try_open();
    REQUIRE(ok(cache));
    give(**cache, old_rows(), 6);
    if (stage) {
        REQUIRE(ok((*cache)->begin_stage(scope, *stage)));
        REQUIRE(ok((*cache)->stage_rows(scope, staged_rows)));
    }
    return device.disk.image();
}

/// Cuts the power at every operation of `step`; `look` sees the cache after the restart and whether
/// the step had returned.
void cut_everywhere(const DiskImage& image, const std::function<bool(fc::Cache&)>& step,
                    const std::function<void(fc::Cache&, bool)>& look) {
    constexpr std::uint64_t fates = 4;
    std::uint64_t cuts = 0;
    bool cut_happened = true;
    for (std::uint64_t operation = 1; cut_happened; ++operation) {
        for (std::uint64_t fate = 0; fate < fates; ++fate) {
            CAPTURE(operation);
            CAPTURE(fate);
            Device device{operation * fates + fate};
            device.disk.restore(image);
            bool returned = false;
            {
                auto cache = device.try_open();
                REQUIRE(ok(cache));
                device.disk.cut_power_at(device.disk.operations() + operation);
                returned = step(**cache);
                cut_happened = device.disk.dead();
                device.disk.cut_power();
            }
            Rng rng{fate};
            device.disk.power_on(rng);
            auto cache = device.try_open();
            REQUIRE(ok(cache));
            CHECK_FALSE((*cache)->rebuilt());
            look(**cache, returned);
            cuts += cut_happened ? 1 : 0;
        }
    }
    CHECK(cuts > fates);
}

void old_or_new(fc::Cache& cache, bool applied) {
    const bool is_old = in_force(cache, old_rows(), 6);
    const bool is_new = in_force(cache, new_rows(), 7);
    CHECK((is_old || is_new));
    if (applied) CHECK(is_new);
    if (is_old) {
        // The update goes on from where it stood.
        const auto stage = cache.stage(scope);
        REQUIRE(stage);
        CHECK(ok(cache.apply_stage(scope, manifest_of(new_rows()), life, 7)));
        CHECK(in_force(cache, new_rows(), 7));
    }
}

bool apply(fc::Cache& cache) {
    return ok(cache.apply_stage(scope, manifest_of(new_rows()), life, 7));
}

}  // namespace

TEST_CASE("a power cut anywhere in applying a snapshot: old or new") {
    cut_everywhere(prepared(snapshot_stage(7), page_of(new_rows())), apply, old_or_new);
}

TEST_CASE("a power cut anywhere in applying a difference: old or new") {
    const auto page = difference_of(old_rows(), new_rows());
    cut_everywhere(prepared(difference_stage(6, 7), page), apply, old_or_new);
}

TEST_CASE("a power cut anywhere in applying a bucket: old or new") {
    // Only one bucket differs: its first row is gone.
    Rows right = old_rows();
    const std::uint8_t bucket = right.begin()->first.front();
    right.erase(right.begin());
    fc::Stage stage = snapshot_stage(7);
    stage.what = What::bucket;
    stage.bucket = bucket;
    Rows of_bucket;
    for (const auto& row : right) {
        if (wire::bucket_of(scope, row.first) == bucket) of_bucket.insert(row);
    }
    cut_everywhere(
        prepared(stage, page_of(of_bucket)),
        [&](fc::Cache& cache) { return ok(cache.apply_stage(scope, manifest_of(right), life, 7)); },
        [&](fc::Cache& cache, bool applied) {
            const bool is_old = in_force(cache, old_rows(), 6);
            const bool is_new = in_force(cache, right, 7);
            CHECK((is_old || is_new));
            if (applied) CHECK(is_new);
        });
}

TEST_CASE("a power cut anywhere in a page: the stage stands at a page's end and can go on") {
    const auto page = page_of(new_rows());
    const std::vector<wire::ListRow> first{page.begin(), page.begin() + 200};
    const std::vector<wire::ListRow> second{page.begin() + 200, page.end()};
    cut_everywhere(
        prepared(snapshot_stage(7), first),
        [&](fc::Cache& cache) { return ok(cache.stage_rows(scope, second)); },
        [&](fc::Cache& cache, bool) {
            CHECK(in_force(cache, old_rows(), 6));
            const auto stage = cache.stage(scope);
            REQUIRE(stage);
            CHECK((stage->after == first.back().key || stage->after == second.back().key));
            REQUIRE(ok(cache.stage_rows(scope, second)));
            CHECK(apply(cache));
            CHECK(in_force(cache, new_rows(), 7));
        });
}

TEST_CASE("a power cut anywhere in a small write: before or after, and after once it returned") {
    const pf::journal::Cursor cursor{Epoch{4}, 9, {}};
    const std::array<Byte, 16> command{1};
    cut_everywhere(
        prepared(snapshot_stage(7), {}),
        [&](fc::Cache& cache) {
            // A page before them does not wait for the disk; what follows it does again.
            return ok(cache.stage_rows(scope, page_of(revoked_list(50)))) &&
                   ok(cache.set_confirmed(life, cursor)) && ok(cache.put_number("connects", 5)) &&
                   ok(cache.remember_command(command, fresh));
        },
        [&](fc::Cache& cache, bool returned) {
            const bool confirmed = cache.confirmed() == std::vector{cursor};
            const bool counted = cache.number("connects", 0) == 5;
            const bool seen = cache.command_seen(command);
            // In this order, because each was durable before the next began.
            CHECK((confirmed || !counted));
            CHECK((counted || !seen));
            if (returned) CHECK(seen);
            CHECK(in_force(cache, old_rows(), 6));
        });
}

TEST_CASE("a power cut anywhere in making the file: the next start makes it") {
    bool cut_happened = true;
    for (std::uint64_t operation = 1; cut_happened; ++operation) {
        CAPTURE(operation);
        Device device{operation};
        device.disk.cut_power_at(operation);
        static_cast<void>(device.try_open());
        cut_happened = device.disk.dead();
        device.disk.cut_power();
        Rng rng{operation};
        device.disk.power_on(rng);
        auto cache = device.try_open();
        REQUIRE(ok(cache));
        CHECK((*cache)->list(scope).state.version == 0);
        give(**cache, old_rows(), 6);
    }
}

TEST_CASE("a full disk: a fault, everything as before, and it works again with room") {
    const DiskImage image = prepared(snapshot_stage(7), {});
    for (std::uint64_t spare = 0; spare < 60'000; spare += 6'000) {
        CAPTURE(spare);
        Device device{spare + 1};
        device.disk.restore(image);
        auto cache = device.try_open();
        REQUIRE(ok(cache));
        device.disk.set_capacity_bytes(device.disk.bytes_used() + spare);
        auto staged = (*cache)->stage_rows(scope, page_of(new_rows()));
        if (!ok(staged)) {
            CHECK(staged.error() == fc::Fault::disk_full);
            CHECK((*cache)->stage(scope) == snapshot_stage(7));
        }
        CHECK(in_force(**cache, old_rows(), 6));
        device.disk.set_capacity_bytes(UINT64_MAX);
        if (!ok(staged)) REQUIRE(ok((*cache)->stage_rows(scope, page_of(new_rows()))));
        CHECK(apply(**cache));
        CHECK(in_force(**cache, new_rows(), 7));
    }
}

TEST_CASE("rotten bytes are noticed at the next start and the cache begun anew") {
    const DiskImage image = prepared(std::nullopt, {});
    Device device{1};
    device.disk.restore(image);
    {
        // Closed in order, so that everything is in the one file.
        auto cache = device.try_open();
        REQUIRE(ok(cache));
    }
    constexpr std::uint64_t list_table = 4'096;  // the first page after the header's
    for (std::uint64_t at = list_table; at < list_table + 64; ++at) {
        device.disk.flip_bits("/sim/gate-1/cache.v2.db", at, 0xff);
    }
    auto cache = device.try_open();
    REQUIRE(ok(cache));
    CHECK((*cache)->rebuilt());
    CHECK((*cache)->list(scope).state.version == 0);
    CHECK(device.disk.find("/sim/gate-1/cache.v2.db.damaged-1"));
}
