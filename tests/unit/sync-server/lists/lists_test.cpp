// Lists as devices take them: every version is served whole while the list moves on (invariant 4).
#include "sync-server/lists/lists.hpp"

#include "common/wire/documents.hpp"
#include "sync-server/lists/repository.hpp"
#include "tests/support/rng.hpp"
#include "tests/unit/sync-server/ingest/world.hpp"

using namespace pf;
using namespace pf::tests;
using wire::ListRow;
using wire::ListScope;
using wire::Want;

namespace {

using Rows = std::map<Bytes, Bytes>;

ListRow revoked(std::uint64_t ticket, std::uint32_t below = 2) {
    return wire::row_of(wire::Revoked{TicketId{ticket}, below, today});
}

wire::ListDigest digest_of(const Rows& rows) {
    wire::ListDigest digest;
    for (const auto& [key, body] : rows) digest.add(key, body);
    return digest;
}

/// What firmware/sync/list_puller.cpp does with pages, without its disk.
struct Copy {
    Rows rows;
    std::uint64_t version = 0;
    std::size_t pages = 0;
};

struct Lists : World {
    Lists() {
        add_site();
        gate.emplace(add_gate("gate-1"));
        authority.emplace(act([&](Repositories& r, const Call&) {
            return server::fleet::site_authority(r, keys(), SiteId{1}).public_key();
        }));
    }
    void put(const std::vector<ListRow>& rows, ListScope scope = ListScope::revoked) {
        act([&](Repositories& r, const Call& call) {
            for (const ListRow& row : rows) server::lists::put(r, call, SiteId{1}, scope, row);
            return true;
        });
    }
    wire::ListState state(ListScope scope = ListScope::revoked) {
        return act([&](Repositories& r, const Call&) {
            return server::lists::state(r, SiteId{1}, scope);
        });
    }
    Want want(Want::What what, std::uint64_t from, std::uint64_t to, Bytes after = {}) {
        return {.what = what,
                .request = 77,
                .scope = ListScope::revoked,
                .generation = generation(),
                .from_version = from,
                .to_version = to,
                .bucket = 0,
                .after = std::move(after),
                .uses_after = 0,
                .document_type = 0};
    }
    Effects ask(const Want& want) {
        const auto me = device(gate->id());
        return act([&](Repositories& r, const Call& call) {
            return server::lists::answer(r, call, keys(), me, want);
        });
    }
    wire::Chunk page(const Want& want) {
        const auto found =
            messages(ask(want), device(gate->id()), wire::Down::chunk, wire::decode_chunk);
        REQUIRE(found.size() == 1);
        CHECK(found.front().request == 77);
        return found.front();
    }
    wire::Buckets buckets(std::uint64_t version) {
        const auto found = messages(ask(want(Want::What::buckets, 0, version)), device(gate->id()),
                                    wire::Down::buckets, wire::decode_buckets);
        REQUIRE(found.size() == 1);
        return found.front();
    }
    wire::ListManifest manifest(BytesView bytes, std::uint64_t version) {
        const auto document = wire::open_document(bytes, *authority);
        REQUIRE(document.has_value());
        CHECK(document->type == wire::DocumentType::list_manifest);
        CHECK(document->site == SiteId{1});
        CHECK(document->generation == generation());
        CHECK(document->version == version);
        const auto body = wire::decode_list_manifest(document->body);
        REQUIRE(body.has_value());
        CHECK(body->fresh_until == now + server::lists::fresh_span_ms);
        return *body;
    }
    /// All pages of a question, applied to a copy, proved against the manifest of the last.
    void take(
        Copy& copy, Want want, const std::function<void()>& between = [] {}) {
        Rows staged = want.what == Want::What::snapshot ? Rows{} : copy.rows;
        for (;;) {
            const wire::Chunk chunk = page(want);
            REQUIRE_FALSE(chunk.snapshot_needed);
            ++copy.pages;
            want.to_version = chunk.to_version;
            for (const ListRow& row : chunk.rows) {
                if (row.body) {
                    staged[row.key] = *row.body;
                } else {
                    CHECK(staged.erase(row.key) == 1);  // nobody is told of what he never had
                }
                want.after = row.key;
            }
            if (!chunk.last) {
                CHECK(chunk.manifest.empty());
                REQUIRE_FALSE(chunk.rows.empty());
                between();
                continue;
            }
            const auto proof = manifest(chunk.manifest, chunk.to_version);
            CHECK(proof.root == digest_of(staged).root());
            CHECK(proof.rows == staged.size());
            copy.rows = std::move(staged);
            copy.version = chunk.to_version;
            return;
        }
    }
    std::optional<Gate> gate;
    std::optional<crypto::PublicKey> authority;
};

}  // namespace

TEST_CASE("an untouched list is empty, at version 1, and can be fresh") {
    Lists world;
    CHECK(world.state() ==
          wire::ListState{ListScope::revoked, world.generation(), 1, wire::ListDigest{}.root()});
    Copy copy;
    world.take(copy, world.want(Want::What::snapshot, 0, 0));
    CHECK(copy.version == 1);
    world.take(copy, world.want(Want::What::difference, 1, 1));
    CHECK(copy.rows.empty());
}

TEST_CASE("a version rises once a call, and only when something changed") {
    Lists world;
    world.put({revoked(1), revoked(2), revoked(3)});
    CHECK(world.state().version == 2);
    world.put({revoked(1), revoked(2)});  // the same again
    CHECK(world.state().version == 2);
    world.put({revoked(1, 3), ListRow{revoked(2).key, std::nullopt}});
    CHECK(world.state().version == 3);
    CHECK(world.state().root ==
          digest_of({{revoked(1).key, *revoked(1, 3).body}, {revoked(3).key, *revoked(3).body}})
              .root());
    world.put({ListRow{revoked(9).key, std::nullopt}});  // was never there
    CHECK(world.state().version == 3);
    CHECK(world.state(ListScope::tickets).version == 1);
}

TEST_CASE("differences name what differs at their two ends and nothing else") {
    Lists world;
    world.put({revoked(1), revoked(2), revoked(3)});          // 2
    world.put({revoked(4), ListRow{revoked(2).key, {}}});     // 3
    world.put({revoked(1, 9), ListRow{revoked(4).key, {}}});  // 4: 4 came and went
    world.put({revoked(2, 7)});                               // 5: 2 is back, other body
    struct Case {
        std::uint64_t from, to;
        std::vector<ListRow> rows;
        const char* why;
    };
    const Case cases[] = {
        {1, 2, {revoked(1), revoked(2), revoked(3)}, "all new"},
        {2, 3, {{revoked(2).key, {}}, revoked(4)}, "one gone, one new"},
        {2, 4, {revoked(1, 9), {revoked(2).key, {}}}, "what came and went is not told"},
        {3, 4, {revoked(1, 9), {revoked(4).key, {}}}, "seen before, gone now"},
        {2, 5, {revoked(1, 9), revoked(2, 7)}, "gone and back is a change"},
        {3, 3, {}, "no change, a fresh manifest"},
        {5, 5, {}, "no change at the newest"},
    };
    for (const Case& c : cases) {
        CAPTURE(c.why);
        const auto chunk = world.page(world.want(Want::What::difference, c.from, c.to));
        CHECK(chunk.rows == c.rows);
        CHECK(chunk.last);
        CHECK(chunk.from_version == c.from);
        CHECK(chunk.to_version == c.to);
        CHECK_FALSE(chunk.snapshot_needed);
    }
}

TEST_CASE("a row put and taken back within one call was never there") {
    Lists world;
    world.put({revoked(1)});
    const auto before = world.state().root;
    world.put({revoked(2), ListRow{revoked(2).key, {}}, revoked(1, 5), revoked(1)});
    CHECK(world.state().root == before);
    Copy copy;
    world.take(copy, world.want(Want::What::snapshot, 0, 2));
    world.take(copy, world.want(Want::What::difference, 2, 0));
    CHECK(copy.rows.size() == 1);
}

TEST_CASE("what can't be given is answered with snapshot_needed") {
    Lists world;
    world.put({revoked(1)});
    world.put({revoked(2)});
    struct Case {
        Want::What what;
        std::uint64_t from, to;
        std::int64_t generation;  // added to ours
        bool refused;
        const char* why;
    };
    const Case cases[] = {
        {Want::What::difference, 1, 3, 0, false, "known"},
        {Want::What::difference, 1, 0, 0, false, "to the newest"},
        {Want::What::difference, 0, 3, 0, true, "from nothing"},
        {Want::What::difference, 4, 4, 0, true, "a version nobody has"},
        {Want::What::difference, 3, 2, 0, true, "backwards"},
        {Want::What::difference, 1, 3, -1, true, "of an older generation"},
        {Want::What::difference, 1, 3, 1, true, "of a newer generation"},
        {Want::What::bucket, 0, 3, -1, true, "a repair of an older generation"},
        {Want::What::snapshot, 0, 3, -1, true, "pages of two generations don't fit together"},
        {Want::What::snapshot, 0, 3, 0, false, "known"},
        {Want::What::snapshot, 0, 9, 0, true, "a version nobody has"},
    };
    for (const Case& c : cases) {
        CAPTURE(c.why);
        Want want = world.want(c.what, c.from, c.to);
        want.generation.value += static_cast<std::uint64_t>(c.generation);
        const auto chunk = world.page(want);
        CHECK(chunk.snapshot_needed == c.refused);
        CHECK(chunk.last);
        CHECK(chunk.manifest.empty() == c.refused);
        CHECK(chunk.generation == world.generation());
    }
    Want first = world.want(Want::What::snapshot, 0, 0);
    first.generation = Generation{};
    CHECK_FALSE(world.page(first).snapshot_needed);
}

TEST_CASE("any walk over versions ends in the rows and sums the server has") {
    for (std::uint64_t seed = 1; seed <= 8; ++seed) {
        CAPTURE(seed);
        Rng rng{seed};
        Lists world;
        std::vector<Rows> history{{}, {}};  // by version
        Copy copy;
        for (int step = 0; step < 25; ++step) {
            Rows rows = history.back();
            std::vector<ListRow> changes;
            for (std::uint64_t n = rng.below(12) + 1; n > 0; --n) {
                const std::uint64_t ticket = rng.below(40) << 56U | rng.below(3);
                ListRow row = revoked(ticket, static_cast<std::uint32_t>(rng.below(4) + 1));
                if (rng.percent(40)) {
                    row.body.reset();
                    rows.erase(row.key);
                } else {
                    rows[row.key] = *row.body;
                }
                changes.push_back(row);
            }
            world.put(changes);
            if (world.state().version == history.size()) history.push_back(rows);
            REQUIRE(world.state().version + 1 == history.size());
            CHECK(history.back() == rows);
            CHECK(world.state().root == digest_of(rows).root());
            if (!rng.percent(30)) continue;
            const std::uint64_t to =
                rng.percent(50)
                    ? 0
                    : static_cast<std::uint64_t>(rng.between(
                          static_cast<std::int64_t>(std::max<std::uint64_t>(copy.version, 1)),
                          static_cast<std::int64_t>(history.size() - 1)));
            const bool fresh = copy.version == 0 || rng.percent(20);
            world.take(copy, fresh ? world.want(Want::What::snapshot, 0, to)
                                   : world.want(Want::What::difference, copy.version, to));
            CHECK(copy.rows == history[copy.version]);
            // Repairs at the copy's own version, which may be an old one.
            const auto sums = world.buckets(copy.version);
            CHECK(sums.version == copy.version);
            CHECK(wire::ListDigest::from_sums(sums.sums) == digest_of(copy.rows));
            CHECK(world.manifest(sums.manifest, copy.version).root == digest_of(copy.rows).root());
            Want bucket = world.want(Want::What::bucket, 0, copy.version);
            bucket.bucket = static_cast<std::uint8_t>(rng.below(40));
            Rows expected = copy.rows;
            std::erase_if(expected, [&](const auto& row) {
                return wire::bucket_of(ListScope::revoked, row.first) != bucket.bucket;
            });
            Rows got;
            for (const ListRow& row : world.page(bucket).rows) got[row.key] = *row.body;
            CHECK(got == expected);
        }
    }
}

TEST_CASE("a long list comes in pages that keep their limits while it moves on") {
    Lists world;
    constexpr std::uint64_t count = 4'500;
    std::vector<ListRow> rows;
    Rows expected;
    for (std::uint64_t i = 0; i < count; ++i) {
        rows.push_back(revoked(i * 0x9e3779b97f4a7c15U));
        expected[rows.back().key] = *rows.back().body;
    }
    world.put(rows);
    Copy copy;
    std::uint64_t next = 1;
    const auto move_on = [&] { world.put({revoked(next++), ListRow{rows[next].key, {}}}); };
    world.take(copy, world.want(Want::What::snapshot, 0, 0), move_on);
    CHECK(copy.pages == 3);  // 2000 rows a page
    CHECK(copy.version == 2);
    CHECK(copy.rows == expected);
    world.take(copy, world.want(Want::What::difference, 2, 0));
    CHECK(copy.version == world.state().version);
    CHECK(digest_of(copy.rows).root() == world.state().root);

    // A difference may be as long.
    Copy other;
    world.take(other, world.want(Want::What::snapshot, 0, 1));
    world.take(other, world.want(Want::What::difference, 1, 2), move_on);
    CHECK(other.rows == expected);
}

TEST_CASE("a page of long bodies ends before its bytes do") {
    Lists world;
    std::vector<ListRow> rows;
    for (std::uint64_t i = 0; i < 600; ++i) {
        ticket::Claims claims{.id = TicketId{i}, .persons = 1, .holder = {}, .entitlements = {}};
        for (std::uint32_t product = 1; product <= 8; ++product)
            claims.entitlements.push_back(
                {.site = SiteId{1},
                 .product = ProductId{product + 8 * static_cast<std::uint32_t>(i)},
                 .first_day = today,
                 .last_day = today,
                 .window = {}});
        wire::Carried carried{admission::CarrierKind::code, {}, claims};
        carried.hash[0] = static_cast<Byte>(i);
        carried.hash[1] = static_cast<Byte>(i >> 8U);
        rows.push_back(wire::row_of(carried));
    }
    world.put(rows, ListScope::tickets);
    Want want = world.want(Want::What::snapshot, 0, 0);
    want.scope = ListScope::tickets;
    Copy copy;
    world.take(copy, want);
    CHECK(copy.rows.size() == 600);
    CHECK(copy.pages >= 1);
    want.generation.value -= 1;
    CHECK(world.page(want).snapshot_needed);
}

// --- history
// -------------------------------------------------------------------------------------------

namespace {

struct Archive : Lists {
    bool tick() {
        return act([](Repositories& r, const Call& call) { return server::lists::tick(r, call); });
    }
    /// A tick an hour, as the program does it, until nothing is left.
    void pass(Millis span) {
        for (const WallTime end = now + span; now < end;) {
            now = std::min(end, now + server::lists::tick_every_ms * 24);
            while (tick()) {}
        }
    }
    bool served(Want::What what, std::uint64_t from, std::uint64_t to) {
        return !page(want(what, from, to)).snapshot_needed;
    }
    /// Rows nobody is served any more and that are there all the same.
    std::size_t leftover() {
        return act([](Repositories& r, const Call&) {
            const server::lists::Name name{SiteId{1}, ListScope::revoked};
            return r.lists.forget(name, r.lists.head(name.site, name.scope)->oldest, 10'000);
        });
    }
};

constexpr Millis day_ms{24LL * 60 * 60 * 1000};

}  // namespace

TEST_CASE("a version is served for its time after a newer one came, then a snapshot is due") {
    struct Case {
        Millis later;  // than the newer version
        bool kept;
        const char* why;
    };
    const Millis kept = server::lists::history_kept_ms;
    const Case cases[] = {
        {day_ms, true, "a day"},
        {kept - Millis{1}, true, "the last moment"},
        {kept + day_ms, false, "over"},
        {kept * 12, false, "long over"},
    };
    for (const Case& c : cases) {
        CAPTURE(c.why);
        Archive world;
        world.put({revoked(1), revoked(2)});  // 2
        world.pass(server::lists::history_kept_ms * 3);
        world.put({revoked(1, 9), ListRow{revoked(2).key, {}}, revoked(3)});  // 3
        world.pass(c.later);
        CHECK(world.served(Want::What::difference, 2, 3) == c.kept);
        CHECK(world.served(Want::What::difference, 2, 0) == c.kept);
        CHECK(world.served(Want::What::snapshot, 0, 2) == c.kept);
        CHECK(world.served(Want::What::bucket, 0, 2) == c.kept);
        CHECK(world.buckets(2).version == (c.kept ? 2 : 3));
        CHECK(world.served(Want::What::difference, 3, 0));  // the newest never ages
        Copy copy;
        world.take(copy, world.want(Want::What::snapshot, 0, 0));
        CHECK(copy.version == 3);
        CHECK(copy.rows ==
              Rows{{revoked(1).key, *revoked(1, 9).body}, {revoked(3).key, *revoked(3).body}});
        CHECK(world.leftover() == 0);
    }
}

TEST_CASE("a list that rests is served from the version it rests at, for ever") {
    Archive world;
    world.put({revoked(1)});
    world.pass(server::lists::history_kept_ms * 10);
    CHECK(world.served(Want::What::difference, 2, 0));
    CHECK(world.served(Want::What::snapshot, 0, 2));
    CHECK_FALSE(world.served(Want::What::difference, 1, 0));
}

TEST_CASE("history goes in slices, and what is still served stays whole meanwhile") {
    Archive world;
    constexpr std::size_t gone = server::lists::purge_rows_max * 2 + 200;
    std::vector<ListRow> rows;
    for (std::uint64_t i = 1; i <= gone; ++i) rows.push_back(revoked(i << 40U));
    world.put(rows);                      // 2
    world.put({revoked(5), revoked(6)});  // 3
    std::vector<ListRow> ends{revoked(5, 7)};
    for (const ListRow& row : rows) ends.push_back({row.key, {}});
    world.put(ends);  // 4
    world.tick();
    world.now += server::lists::history_kept_ms - Millis{1};
    world.put({revoked(6, 7)});  // 5
    Copy old;
    world.take(old, world.want(Want::What::snapshot, 0, 4));
    world.now += Millis{1};
    std::vector<bool> more;
    do {
        more.push_back(world.tick());
        Copy copy = old;
        world.take(copy, world.want(Want::What::difference, 4, 5));
        CHECK(copy.rows.size() == 2);
        CHECK_FALSE(world.served(Want::What::difference, 3, 5));
    } while (more.back() && more.size() < 10);
    CHECK(more == std::vector{true, true, false});
    CHECK(world.leftover() == 0);
    CHECK_FALSE(world.tick());
}

TEST_CASE("a clock that ran ahead and came back does not stop the forgetting, or hurry it") {
    Archive world;
    world.put({revoked(1)});  // 2
    world.tick();
    const WallTime right = world.now;
    world.now += day_ms * 365 * 70;
    world.tick();
    world.now = right + day_ms;
    world.put({ListRow{revoked(1).key, {}}});  // 3
    world.tick();
    CHECK(world.served(Want::What::difference, 2, 0));
    world.pass(server::lists::history_kept_ms + day_ms);
    CHECK_FALSE(world.served(Want::What::difference, 2, 0));
    CHECK(world.leftover() == 0);
}
