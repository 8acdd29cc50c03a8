// Invariant 4: a list is whole or not there.
#include <SQLiteCpp/SQLiteCpp.h>

#include "tests/contract/cache/fixture.hpp"

using namespace pf;
using namespace pf::tests;
using fc::Fault;

namespace {

const ListScope scope = ListScope::revoked;

std::int64_t rows_stored(const std::string& path) {
    SQLite::Database database{path};
    return database.execAndGet("SELECT count(*) FROM row").getInt64();
}

Rows changed(Rows rows) {
    // One goes, one changes, three come.
    rows.erase(rows.begin());
    rows.begin()->second = *revoked_row(1, 20'801).body;
    rows.merge(revoked_list(3, 100'000));
    return rows;
}

}  // namespace

TEST_CASE("a new cache has no list, and says so") {
    CacheOnFiles files;
    const fc::Cache& cache = files.open();
    CHECK_FALSE(cache.rebuilt());
    for (const ListScope each : wire::list_scopes) {
        CHECK(cache.list(each).state == wire::ListState{each, {}, 0, {}});
        CHECK(cache.list(each).fresh_until == WallTime{});
        CHECK(cache.list(each).rows == 0);
        CHECK_FALSE(cache.stage(each));
    }
    CHECK_FALSE(cache.revoked(TicketId{1}));
    CHECK(cache.carried(admission::CarrierKind::code, {}).empty());
}

TEST_CASE("a snapshot is not there until it is applied, and then whole, also after a restart") {
    CacheOnFiles files;
    fc::Cache& cache = files.open();
    const Rows rows = revoked_list(500);
    REQUIRE(ok(cache.begin_stage(scope, snapshot_stage(7))));
    REQUIRE(ok(cache.stage_rows(scope, page_of(rows))));
    CHECK(cache.list(scope).state.version == 0);
    CHECK_FALSE(cache.revoked(TicketId{0x9e3779b97f4a7c15U}));

    const auto applied = cache.apply_stage(scope, manifest_of(rows), life, 7);
    REQUIRE(ok(applied));
    CHECK(applied->state == wire::ListState{scope, life, 7, digest_of(rows).root()});
    CHECK(applied->fresh_until == fresh);
    CHECK(in_force(cache, rows, 7));
    CHECK_FALSE(cache.stage(scope));
    CHECK(in_force(files.open(), rows, 7));
}

TEST_CASE("an empty list is a list") {
    CacheOnFiles files;
    fc::Cache& cache = files.open();
    REQUIRE(ok(cache.begin_stage(scope, snapshot_stage(1))));
    REQUIRE(ok(cache.apply_stage(scope, manifest_of({}), life, 1)));
    CHECK(in_force(files.open(), {}, 1));
}

TEST_CASE("a stage goes on where the link was cut, over restarts") {
    CacheOnFiles files;
    const Rows rows = revoked_list(90);
    const auto page = page_of(rows);
    REQUIRE(ok(files.open().begin_stage(scope, snapshot_stage(7))));
    for (std::size_t at = 0; at < page.size(); at += 30) {
        fc::Cache& cache = files.open();
        const auto stage = cache.stage(scope);
        REQUIRE(stage);
        CHECK(stage->what == What::snapshot);
        CHECK(stage->generation == life);
        CHECK(stage->to_version == 7);
        CHECK(stage->after == (at == 0 ? Bytes{} : page[at - 1].key));
        REQUIRE(ok(cache.stage_rows(scope, {page.begin() + static_cast<std::ptrdiff_t>(at),
                                            page.begin() + static_cast<std::ptrdiff_t>(at) + 30})));
    }
    fc::Cache& cache = files.open();
    REQUIRE(ok(cache.apply_stage(scope, manifest_of(rows), life, 7)));
    CHECK(in_force(cache, rows, 7));
}

TEST_CASE("a page that comes twice is stored once") {
    CacheOnFiles files;
    fc::Cache& cache = files.open();
    const Rows rows = revoked_list(40);
    REQUIRE(ok(cache.begin_stage(scope, snapshot_stage(7))));
    REQUIRE(ok(cache.stage_rows(scope, page_of(rows))));
    REQUIRE(ok(cache.stage_rows(scope, page_of(rows))));
    REQUIRE(ok(cache.apply_stage(scope, manifest_of(rows), life, 7)));
    CHECK(in_force(cache, rows, 7));
}

TEST_CASE("what is not what the manifest signs is not applied, and its stage is gone") {
    const Rows old_rows = revoked_list(20);
    const Rows rows = revoked_list(25);
    Rows one_missing = rows;
    one_missing.erase(one_missing.begin());
    Rows one_other = rows;
    one_other.begin()->second = *revoked_row(1, 1).body;
    wire::ListManifest other_count = manifest_of(rows);
    ++other_count.rows;
    const struct {
        Rows sent;
        wire::ListManifest manifest;
        const char* why;
    } table[] = {
        {one_missing, manifest_of(rows), "a row is missing"},
        {one_other, manifest_of(rows), "a row says something else"},
        {revoked_list(26), manifest_of(rows), "a row too many"},
        {{}, manifest_of(rows), "no rows at all"},
        {rows, other_count, "the manifest counts other rows"},
    };
    for (const auto& row : table) {
        CAPTURE(std::string{row.why});
        CacheOnFiles files;
        fc::Cache& cache = files.open();
        give(cache, old_rows, 6);
        REQUIRE(ok(cache.begin_stage(scope, snapshot_stage(7))));
        REQUIRE(ok(cache.stage_rows(scope, page_of(row.sent))));
        CHECK(fault(cache.apply_stage(scope, row.manifest, life, 7)) == Fault::digest_mismatch);
        CHECK_FALSE(cache.stage(scope));
        CHECK(in_force(files.open(), old_rows, 6));
    }
}

TEST_CASE("a row no list can hold ends the stage") {
    const Rows base = revoked_list(300);
    fc::Stage bucket = snapshot_stage(6);
    bucket.what = What::bucket;
    bucket.bucket = 7;
    const wire::ListRow fits = revoked_row(0x07ULL << 56U);
    const struct {
        fc::Stage stage;
        wire::ListRow row;
        const char* why;
    } table[] = {
        {snapshot_stage(7), {Bytes{}, Bytes{1}}, "no key"},
        {snapshot_stage(7), {Bytes(7, 1), Bytes{1}}, "a key too short"},
        {snapshot_stage(7), {Bytes(25, 1), Bytes{1}}, "a key of the other list"},
        {snapshot_stage(7), {Bytes(8, 1), std::nullopt}, "a deletion in a snapshot"},
        {bucket, {Bytes(8, 8), Bytes{1}}, "a row of another bucket"},
        {bucket, {fits.key, std::nullopt}, "a deletion in a bucket"},
    };
    for (const auto& row : table) {
        CAPTURE(std::string{row.why});
        CacheOnFiles files;
        fc::Cache& cache = files.open();
        give(cache, base, 6);
        REQUIRE(ok(cache.begin_stage(scope, row.stage)));
        CHECK(fault(cache.stage_rows(scope, {row.row})) == Fault::digest_mismatch);
        CHECK_FALSE(cache.stage(scope));
        CHECK(fault(cache.stage_rows(scope, {fits})) == Fault::wrong_base);
        CHECK(in_force(cache, base, 6));
    }
}

TEST_CASE("a difference changes what it names and nothing else") {
    CacheOnFiles files;
    fc::Cache& cache = files.open();
    const Rows from = revoked_list(200);
    const Rows to = changed(from);
    give(cache, from, 6);
    const auto page = difference_of(from, to);
    REQUIRE(ok(cache.begin_stage(scope, difference_stage(6, 8))));
    REQUIRE(ok(cache.stage_rows(scope, {page.begin(), page.begin() + 2})));
    REQUIRE(ok(files.open().stage_rows(scope, {page.begin() + 2, page.end()})));
    fc::Cache& again = files.open();
    CHECK(in_force(again, from, 6));
    REQUIRE(ok(again.apply_stage(scope, manifest_of(to), life, 8)));
    CHECK(in_force(files.open(), to, 8));
    for (const auto& [key, body] : from) {
        const TicketId ticket{from_be8(std::span<const Byte, 8>{key})};
        CHECK(files.open().revoked(ticket).has_value() == to.contains(key));
        if (!to.contains(key)) break;
    }
}

TEST_CASE("a deletion of what is not there changes nothing") {
    CacheOnFiles files;
    fc::Cache& cache = files.open();
    const Rows rows = revoked_list(20);
    give(cache, rows, 6);
    REQUIRE(ok(cache.begin_stage(scope, difference_stage(6, 7))));
    REQUIRE(ok(cache.stage_rows(scope, {{Bytes(8, 0xee), std::nullopt}})));
    REQUIRE(ok(cache.apply_stage(scope, manifest_of(rows), life, 7)));
    CHECK(in_force(cache, rows, 7));
}

TEST_CASE("a bucket is replaced whole, in both scopes") {
    CacheOnFiles files;
    fc::Cache& cache = files.open();
    SUBCASE("revoked") {
        Rows wrong = revoked_list(2'000);
        Rows right = wrong;
        const std::uint8_t bucket = right.begin()->first.front();
        right.erase(right.begin());  // one too many there
        right[revoked_row(std::uint64_t{bucket} << 56U).key] = *revoked_row(1).body;  // one missing
        give(cache, wrong, 6);
        fc::Stage stage = snapshot_stage(6);
        stage.what = What::bucket;
        stage.bucket = bucket;
        Rows of_bucket;
        for (const auto& row : right) {
            if (wire::bucket_of(scope, row.first) == bucket) of_bucket.insert(row);
        }
        REQUIRE(ok(cache.begin_stage(scope, stage)));
        REQUIRE(ok(cache.stage_rows(scope, page_of(of_bucket))));
        REQUIRE(ok(cache.apply_stage(scope, manifest_of(right), life, 6)));
        CHECK(in_force(files.open(), right, 6));
    }
    SUBCASE("tickets") {
        const ListScope tickets = ListScope::tickets;
        const Rows wrong = rows_of({carried_row(1, 4), carried_row(2, 5), carried_row(3, 5)});
        const Rows right = rows_of({carried_row(1, 4), carried_row(2, 5, 6)});
        give(cache, wrong, 6, tickets);
        fc::Stage stage = snapshot_stage(7);
        stage.what = What::bucket;
        stage.bucket = 5;
        REQUIRE(ok(cache.begin_stage(tickets, stage)));
        REQUIRE(ok(cache.stage_rows(tickets, {carried_row(2, 5, 6)})));
        REQUIRE(ok(cache.apply_stage(tickets, manifest_of(right, tickets), life, 7)));
        wire::CarrierHash hash;
        hash.fill(5);
        const auto found = cache.carried(admission::CarrierKind::document, hash);
        REQUIRE(found.size() == 1);
        CHECK(found.front().claims.persons == 6);
        CHECK(cache.list(tickets).rows == 2);
    }
}

TEST_CASE("several tickets on one carrier are all found, and no others") {
    CacheOnFiles files;
    fc::Cache& cache = files.open();
    give(cache, rows_of({carried_row(1, 4), carried_row(2, 4), carried_row(3, 5)}), 1,
         ListScope::tickets);
    wire::CarrierHash hash;
    hash.fill(4);
    const auto found = cache.carried(admission::CarrierKind::document, hash);
    REQUIRE(found.size() == 2);
    CHECK(wire::row_of(found[0]) == carried_row(1, 4));
    CHECK(wire::row_of(found[1]) == carried_row(2, 4));
    CHECK(cache.carried(admission::CarrierKind::code, hash).empty());
}

TEST_CASE("the two scopes know nothing of each other") {
    CacheOnFiles files;
    fc::Cache& cache = files.open();
    const Rows revoked = revoked_list(10);
    give(cache, revoked, 3);
    give(cache, rows_of({carried_row(1, 4)}), 9, ListScope::tickets);
    REQUIRE(ok(cache.begin_stage(scope, snapshot_stage(4))));
    CHECK_FALSE(cache.stage(ListScope::tickets));
    CHECK(in_force(cache, revoked, 3));
    CHECK(cache.list(ListScope::tickets).state.version == 9);
}

TEST_CASE("an update that does not fit on ours is refused at its beginning") {
    CacheOnFiles files;
    fc::Cache& cache = files.open();
    fc::Stage bucket = snapshot_stage(6);
    bucket.what = What::bucket;
    CHECK(fault(cache.begin_stage(scope, difference_stage(0, 6))) == Fault::wrong_base);
    CHECK(fault(cache.begin_stage(scope, bucket)) == Fault::wrong_base);
    give(cache, revoked_list(10), 6);
    const struct {
        fc::Stage stage;
        bool fits;
        const char* why;
    } table[] = {
        {difference_stage(6, 7), true, "ours to newer"},
        {difference_stage(5, 7), false, "from another version"},
        {difference_stage(6, 7, next_life), false, "from another life"},
        {snapshot_stage(6), true, "the same again: a repair"},
        {snapshot_stage(5), false, "back within a life"},
        {snapshot_stage(1, next_life), true, "a new life counts from the beginning"},
        {bucket, true, "a bucket of ours"},
    };
    for (const auto& row : table) {
        CAPTURE(std::string{row.why});
        const auto begun = cache.begin_stage(scope, row.stage);
        CHECK(ok(begun) == row.fits);
        if (!row.fits) CHECK(begun.error() == Fault::wrong_base);
    }
}

TEST_CASE("a stage is applied only as what it was begun for") {
    CacheOnFiles files;
    fc::Cache& cache = files.open();
    const Rows rows = revoked_list(10);
    CHECK(fault(cache.apply_stage(scope, manifest_of(rows), life, 6)) == Fault::wrong_base);
    REQUIRE(ok(cache.begin_stage(scope, snapshot_stage(6))));
    REQUIRE(ok(cache.stage_rows(scope, page_of(rows))));
    const auto manifest = manifest_of(rows);
    const auto other = manifest_of(rows, ListScope::tickets);
    CHECK(fault(cache.apply_stage(scope, manifest, life, 7)) == Fault::wrong_base);
    CHECK(fault(cache.apply_stage(scope, manifest, next_life, 6)) == Fault::wrong_base);
    CHECK(fault(cache.apply_stage(scope, other, life, 6)) == Fault::wrong_base);
    CHECK(ok(cache.apply_stage(scope, manifest, life, 6)));
}

TEST_CASE("beginning anew drops the stage under way") {
    CacheOnFiles files;
    fc::Cache& cache = files.open();
    const Rows rows = revoked_list(10, 50);
    REQUIRE(ok(cache.begin_stage(scope, snapshot_stage(6))));
    REQUIRE(ok(cache.stage_rows(scope, page_of(revoked_list(30)))));
    REQUIRE(ok(cache.begin_stage(scope, snapshot_stage(7))));
    CHECK(cache.stage(scope) == snapshot_stage(7));
    REQUIRE(ok(cache.stage_rows(scope, page_of(rows))));
    REQUIRE(ok(cache.apply_stage(scope, manifest_of(rows), life, 7)));
    CHECK(in_force(cache, rows, 7));
    REQUIRE(ok(cache.begin_stage(scope, snapshot_stage(8))));
    REQUIRE(ok(cache.drop_stage(scope)));
    CHECK_FALSE(files.open().stage(scope));
}

TEST_CASE("a manifest for the version we have moves freshness only") {
    CacheOnFiles files;
    fc::Cache& cache = files.open();
    const Rows rows = revoked_list(10);
    wire::ListManifest manifest = manifest_of(rows);
    CHECK(fault(cache.refresh(scope, manifest, {}, 0)) == Fault::wrong_base);
    give(cache, rows, 6);
    manifest.fresh_until = fresh + Millis{5'000};
    REQUIRE(ok(cache.refresh(scope, manifest, life, 6)));
    CHECK(cache.list(scope).fresh_until == manifest.fresh_until);
    CHECK(in_force(files.open(), rows, 6));
    fc::Cache& again = files.open();
    CHECK(again.list(scope).fresh_until == manifest.fresh_until);
    CHECK(fault(again.refresh(scope, manifest, life, 7)) == Fault::wrong_base);
    CHECK(fault(again.refresh(scope, manifest, next_life, 6)) == Fault::wrong_base);
    const auto other = manifest_of(revoked_list(11));
    CHECK(fault(again.refresh(scope, other, life, 6)) == Fault::digest_mismatch);
}

TEST_CASE("leftovers of old lists and stages go in slices, and the list stays") {
    CacheOnFiles files;
    fc::Cache& cache = files.open();
    give(cache, revoked_list(9'000), 1);
    const Rows rows = revoked_list(10, 20'000);
    REQUIRE(ok(cache.begin_stage(scope, snapshot_stage(2))));
    REQUIRE(ok(cache.stage_rows(scope, page_of(rows))));
    REQUIRE(ok(cache.apply_stage(scope, manifest_of(rows), life, 2)));
    CHECK(rows_stored(files.path()) == 9'010);
    int slices = 0;
    while (true) {
        const auto more = cache.tidy();
        REQUIRE(ok(more));
        if (!*more) break;
        ++slices;
    }
    CHECK(slices > 1);
    CHECK(rows_stored(files.path()) == 10);
    CHECK(in_force(cache, rows, 2));
}

TEST_CASE("a revoked row in words of a newer version still revokes") {
    CacheOnFiles files;
    fc::Cache& cache = files.open();
    Rows rows;
    const auto id = to_be8(0xabc);
    rows[Bytes(id.begin(), id.end())] = Bytes{0xa1, 0x01, 0x02};
    give(cache, rows, 1);
    REQUIRE(cache.revoked(TicketId{0xabc}));
    CHECK(cache.revoked(TicketId{0xabc})->below == admission::generation_all);
}
