// Lists down (docs/protocol/sync-v1.md, 8.8 to 8.10).
#include <doctest/doctest.h>

#include "tests/unit/firmware/sync/device.hpp"

namespace {

using namespace pf;
using namespace pf::tests;

using Rows = std::map<Bytes, Bytes>;

wire::ListRow row(std::uint64_t ticket, std::uint32_t below = admission::generation_all) {
    return wire::row_of(wire::Revoked{TicketId{ticket}, below, Day{20'800}});
}

/// Tickets whose first byte, and so whose bucket, is `bucket`.
std::uint64_t in_bucket(std::uint64_t bucket, std::uint64_t number) {
    return (bucket << 56U) | number;
}

Rows rows_of(const std::vector<std::uint64_t>& tickets) {
    Rows rows;
    for (const std::uint64_t ticket : tickets) {
        const auto one = row(ticket);
        rows[one.key] = *one.body;
    }
    return rows;
}

wire::ListDigest digest_of(const Rows& rows) {
    wire::ListDigest digest;
    for (const auto& [key, body] : rows) digest.add(key, body);
    return digest;
}

/// The list `revoked` as the server has it.
struct ServerList {
    std::uint64_t version = 1;
    Rows rows;
    Generation generation = life;

    wire::ListState state() const {
        return {ListScope::revoked, generation, version, digest_of(rows).root()};
    }
    Bytes news() const { return wire::encode(wire::News{generation, {state()}, 0, {}}); }
    Bytes manifest(const Device& device, SiteId site = here) const {
        const wire::ListManifest body{ListScope::revoked, digest_of(rows).root(), rows.size(),
                                      noon + std::chrono::hours{24}};
        return wire::sign({.type = wire::DocumentType::list_manifest,
                           .site = site,
                           .device = {},
                           .generation = generation,
                           .version = version,
                           .issued_at = noon,
                           .body = wire::encode(body)},
                          device.authority);
    }
    /// An answer to `want` with these rows; the manifest when it is the last page.
    Bytes page(const Device& device, const wire::Want& want, std::vector<wire::ListRow> some,
               bool last) const {
        return wire::encode(wire::Chunk{.request = want.request,
                                        .what = want.what,
                                        .scope = want.scope,
                                        .generation = generation,
                                        .from_version = want.from_version,
                                        .to_version = want.to_version,
                                        .bucket = want.bucket,
                                        .last = last,
                                        .rows = std::move(some),
                                        .manifest = last ? manifest(device) : Bytes{},
                                        .snapshot_needed = false});
    }
    std::vector<wire::ListRow> all() const {
        std::vector<wire::ListRow> out;
        for (const auto& [key, body] : rows) out.push_back({key, body});
        return out;
    }
};

wire::ListState ours(const Device& device) { return device.cache->list(ListScope::revoked).state; }
bool knows(const Device& device, std::uint64_t ticket) {
    return device.cache->revoked(TicketId{ticket}).has_value();
}

/// A device that holds the server's list already.
void settle(Device& device, const ServerList& server) {
    device.link_up();
    device.say(Down::news, server.news());
    const auto want = device.want();
    REQUIRE(want.what == What::snapshot);
    device.say(Down::chunk, server.page(device, want, server.all(), true));
    REQUIRE(ours(device) == server.state());
    (void)device.wants();
}

TEST_CASE("a first list is a snapshot, by pages, and goes on after a restart") {
    Device device;
    const ServerList server{5, rows_of({1, 2, 3}), life};
    device.link_up();
    device.say(Down::news, server.news());
    const auto first = device.want();
    CHECK(first.what == What::snapshot);
    CHECK(first.to_version == 5);
    CHECK(first.after.empty());
    CHECK(device.engine->status().list_update_under_way);
    device.say(Down::chunk, server.page(device, first, {row(1), row(2)}, false));
    // Nothing is applied in part (invariant 4).
    CHECK(ours(device).version == 0);
    CHECK_FALSE(knows(device, 1));

    device.restart();
    device.link_up();
    device.say(Down::news, server.news());
    const auto second = device.want();
    CHECK(second.what == What::snapshot);
    CHECK(second.to_version == 5);
    CHECK(second.after == row(2).key);
    device.say(Down::chunk, server.page(device, second, {row(3)}, true));
    CHECK(ours(device) == server.state());
    CHECK(knows(device, 1));
    CHECK(knows(device, 3));
    CHECK(device.count<pf::journal::ListApplied>() == 1);
    CHECK_FALSE(device.engine->status().list_update_under_way);
    CHECK(device.wants().empty());
}

TEST_CASE("the next page is on its way while this one is stored") {
    Device device;
    const ServerList server{5, rows_of({1, 2, 3}), life};
    device.link_up();
    device.say(Down::news, server.news());
    const auto first = device.want();
    std::vector<Bytes> stored;  // up to where, whenever something is sent
    device.host.publishing = [&] {
        stored.push_back(device.cache->stage(ListScope::revoked)->after);
    };
    SUBCASE("and is taken") {
        device.say(Down::chunk, server.page(device, first, {row(1), row(2)}, false));
        const auto second = device.want();
        CHECK(second.after == row(2).key);
        CHECK(stored == std::vector<Bytes>{{}});
        CHECK(device.cache->stage(ListScope::revoked)->after == row(2).key);
        device.say(Down::chunk, server.page(device, second, {row(3)}, true));
        CHECK(ours(device) == server.state());
    }
    SUBCASE("and is let go when this one can't be stored") {
        device.disk.set_capacity_bytes(device.disk.bytes_used());
        device.say(Down::chunk, server.page(device, first, {row(1), row(2)}, false));
        const auto second = device.want();
        CHECK(second.after == row(2).key);
        device.disk.set_capacity_bytes(UINT64_MAX);
        device.say(Down::chunk, server.page(device, second, {row(3)}, true));
        CHECK(ours(device).version == 0);
        CHECK(device.findings().empty());
        device.pass(fs::Engine::answer_wait_ms.count());
        const auto again = device.want();
        CHECK(again.after.empty());
        device.say(Down::chunk, server.page(device, again, server.all(), true));
        CHECK(ours(device) == server.state());
    }
}

TEST_CASE("a difference is applied whole") {
    Device device;
    settle(device, {5, rows_of({1, 2}), life});
    const ServerList server{6, rows_of({2, 3}), life};
    device.say(Down::news, server.news());
    const auto want = device.want();
    CHECK(want.what == What::difference);
    CHECK(want.from_version == 5);
    CHECK(want.to_version == 6);
    device.say(Down::chunk, server.page(device, want, {{row(1).key, std::nullopt}, row(3)}, true));
    CHECK(ours(device) == server.state());
    CHECK_FALSE(knows(device, 1));
    CHECK(knows(device, 3));
    CHECK(device.findings().empty());
}

TEST_CASE("the server can't bridge the difference: a snapshot") {
    Device device;
    settle(device, {5, rows_of({1}), life});
    const ServerList server{9, rows_of({2}), life};
    device.say(Down::news, server.news());
    auto answer = wire::decode_chunk(server.page(device, device.want(), {}, false));
    REQUIRE(answer.has_value());
    answer->snapshot_needed = true;
    device.say(Down::chunk, wire::encode(*answer));
    const auto want = device.want();
    CHECK(want.what == What::snapshot);
    device.say(Down::chunk, server.page(device, want, server.all(), true));
    CHECK(ours(device) == server.state());
}

TEST_CASE("a server that serves no snapshot either is not asked again at once") {
    Device device;
    settle(device, {5, rows_of({1}), life});
    const ServerList server{9, rows_of({2}), life};
    device.say(Down::news, server.news());
    const auto refuse = [&](const wire::Want& want) {
        auto answer = wire::decode_chunk(server.page(device, want, {}, false));
        REQUIRE(answer.has_value());
        answer->snapshot_needed = true;
        device.say(Down::chunk, wire::encode(*answer));
    };
    refuse(device.want());
    refuse(device.want());
    CHECK(device.wants().empty());
    device.pass(fs::Engine::answer_wait_ms.count() - 1);
    CHECK(device.wants().empty());
    device.pass(1);
    const auto again = device.want();
    CHECK(again.what == What::snapshot);
    refuse(again);
    device.pass(fs::Engine::answer_wait_ms.count());
    CHECK(device.wants().empty());  // the second wait is longer
    device.pass(fs::Engine::answer_wait_ms.count());
    CHECK(device.want().what == What::snapshot);
}

TEST_CASE("a new life of the server: its list anew") {
    Device device;
    settle(device, {5, rows_of({1}), life});
    const ServerList server{2, rows_of({2}), next_life};
    device.say(Down::news, server.news());
    const auto want = device.want();
    CHECK(want.what == What::snapshot);
    device.say(Down::chunk, server.page(device, want, server.all(), true));
    CHECK(ours(device) == server.state());
    // News of the life before are old.
    device.say(Down::news, ServerList{99, {}, life}.news());
    CHECK(device.wants().empty());
}

TEST_CASE("a difference that does not give what the manifest signs: buckets, one repair") {
    Device device;
    settle(device, {5, rows_of({in_bucket(1, 1), in_bucket(2, 1)}), life});
    const ServerList server{6, rows_of({in_bucket(1, 1), in_bucket(2, 1), in_bucket(2, 2)}), life};
    device.say(Down::news, server.news());
    // A row is missing in the answer.
    device.say(Down::chunk, server.page(device, device.want(), {}, true));
    CHECK(ours(device).version == 5);
    CHECK(device.findings() == std::vector<std::string>{"list_mismatch"});
    const auto buckets = device.want();
    CHECK(buckets.what == What::buckets);
    CHECK(buckets.to_version == 5);
    // Our sums are right, so rows of ours that SQLite no longer finds are what does not fit: the
    // same difference would fail for ever.
    const ServerList held{5, rows_of({in_bucket(1, 1), in_bucket(2, 1)}), life};
    const auto sums = digest_of(held.rows).sums();
    device.say(Down::buckets, wire::encode(wire::Buckets{buckets.request,
                                                         ListScope::revoked,
                                                         life,
                                                         5,
                                                         {sums.begin(), sums.end()},
                                                         held.manifest(device)}));
    const auto whole = device.want();
    CHECK(whole.what == What::snapshot);
    device.say(Down::chunk, server.page(device, whole, server.all(), true));
    CHECK(ours(device) == server.state());
}

/// The device's copy is not what its version should be; `truth` is.
void show_buckets(Device& device, const ServerList& truth) {
    device.say(Down::news, truth.news());
    const auto want = device.want();
    REQUIRE(want.what == What::buckets);
    const auto sums = digest_of(truth.rows).sums();
    device.say(Down::buckets, wire::encode(wire::Buckets{want.request,
                                                         ListScope::revoked,
                                                         life,
                                                         truth.version,
                                                         {sums.begin(), sums.end()},
                                                         truth.manifest(device)}));
}

TEST_CASE("one bucket differs: that bucket is fetched") {
    Device device;
    settle(device, {5, rows_of({in_bucket(1, 1), in_bucket(2, 1)}), life});
    const ServerList truth{5, rows_of({in_bucket(1, 1), in_bucket(2, 7), in_bucket(2, 8)}), life};
    show_buckets(device, truth);
    const auto want = device.want();
    CHECK(want.what == What::bucket);
    CHECK(want.bucket == 2);
    CHECK(want.to_version == 5);
    SUBCASE("and cures it") {
        device.say(Down::chunk,
                   truth.page(device, want, {row(in_bucket(2, 7)), row(in_bucket(2, 8))}, true));
        CHECK(ours(device) == truth.state());
        CHECK(knows(device, in_bucket(1, 1)));
        CHECK_FALSE(knows(device, in_bucket(2, 1)));
        CHECK(knows(device, in_bucket(2, 8)));
    }
    SUBCASE("and does not: a snapshot") {
        device.say(Down::chunk, truth.page(device, want, {row(in_bucket(2, 7))}, true));
        CHECK(device.findings() == std::vector<std::string>{"list_mismatch"});
        const auto whole = device.want();
        CHECK(whole.what == What::snapshot);
        device.say(Down::chunk, truth.page(device, whole, truth.all(), true));
        CHECK(ours(device) == truth.state());
    }
}

TEST_CASE("several buckets differ: a snapshot") {
    Device device;
    settle(device, {5, rows_of({in_bucket(1, 1), in_bucket(2, 1)}), life});
    show_buckets(device, {5, rows_of({in_bucket(1, 2), in_bucket(2, 2)}), life});
    CHECK(device.want().what == What::snapshot);
}

TEST_CASE("nothing is applied that the site authority did not sign for this list") {
    Device device;
    const ServerList server{5, rows_of({1}), life};
    SeededEntropy entropy{77};
    const crypto::PrivateKey authority = device.authority;
    device.authority = crypto::PrivateKey::generate(entropy);
    const Bytes by_stranger = server.manifest(device);
    device.authority = authority;
    ServerList other_version = server;
    other_version.version = 6;
    struct Row {
        const char* what;
        Bytes manifest;
    };
    const Row rows[] = {
        {"another authority", by_stranger},
        {"another site", server.manifest(device, SiteId{4})},
        {"another version", other_version.manifest(device)},
        {"no manifest", {}},
    };
    device.link_up();
    device.say(Down::news, server.news());
    for (const Row& forged : rows) {
        CAPTURE(forged.what);
        auto page = wire::decode_chunk(server.page(device, device.want(), server.all(), true));
        REQUIRE(page.has_value());
        page->manifest = forged.manifest;
        device.say(Down::chunk, wire::encode(*page));
        CHECK(ours(device).version == 0);
        CHECK_FALSE(knows(device, 1));
        CHECK(device.findings().back() == "manifest_refused");
        // Asked for again, not at once.
        CHECK(device.wants().empty());
        device.pass(60'000);
    }
    device.say(Down::chunk, server.page(device, device.want(), server.all(), true));
    CHECK(ours(device) == server.state());
}

TEST_CASE("answers nobody waits for are dropped") {
    Device device;
    const ServerList server{5, rows_of({1}), life};
    device.link_up();
    device.say(Down::news, server.news());
    auto want = device.want();
    ++want.request;
    device.say(Down::chunk, server.page(device, want, server.all(), true));
    CHECK(ours(device).version == 0);
    CHECK(device.findings().empty());
}

TEST_CASE("a page that does not come is asked for again, under another number") {
    Device device;
    device.link_up();
    device.say(Down::news, ServerList{5, rows_of({1}), life}.news());
    const auto first = device.want();
    device.pass(4'999);
    CHECK(device.wants().empty());
    device.pass(1);
    const auto second = device.want();
    CHECK(second.what == What::snapshot);
    CHECK(second.request != first.request);
}

TEST_CASE("a list stays fresh without news") {
    Device device;
    const ServerList server{5, rows_of({1}), life};
    settle(device, server);
    device.pass(fs::Engine::freshen_every_ms.count());
    const auto want = device.want();
    CHECK(want.what == What::difference);
    CHECK(want.from_version == 5);
    CHECK(want.to_version == 5);
    device.say(Down::chunk, server.page(device, want, {}, true));
    CHECK(ours(device) == server.state());
    CHECK(device.count<pf::journal::ListApplied>() == 1);  // only a change is worth an event
    CHECK(device.wants().empty());
}

TEST_CASE("a silent server does not keep the device awake") {
    Device device;
    const auto sleeps = [&] {
        const auto at = device.engine->wake_at();
        return !at || *at > device.now().steady;
    };
    SUBCASE("a first list is asked for and does not come") {
        device.link_up();
        device.say(Down::news, ServerList{5, rows_of({1}), life}.news());
        CHECK(device.wants().size() == 1);
    }
    SUBCASE("a list past its time is asked for and does not come") {
        settle(device, {5, rows_of({1}), life});
        device.pass(fs::Engine::freshen_every_ms.count());
        CHECK(device.wants().size() == 1);
    }
    SUBCASE("the server has no such list yet") {
        device.link_up();
        device.say(Down::news, ServerList{0, {}, life}.news());
        CHECK(device.wants().empty());
    }
    SUBCASE("the link went away while a list was due") {
        settle(device, {5, rows_of({1}), life});
        device.engine->on_link_down(device.now());
        device.pass(fs::Engine::freshen_every_ms.count());
    }
    CHECK(sleeps());
    for (int i = 0; i < 20; ++i) {
        device.pass(4'000);
        CHECK(sleeps());
    }
}

TEST_CASE("a full disk keeps the list it has and goes on later") {
    Device device;
    settle(device, {5, rows_of({1}), life});
    ServerList server{6, {}, life};
    for (std::uint64_t i = 1; i <= 1'000; ++i) server.rows.merge(rows_of({i << 40U}));
    server.rows.merge(rows_of({1}));
    device.say(Down::news, server.news());
    const auto want = device.want();
    std::vector<wire::ListRow> added = server.all();
    std::erase_if(added, [](const wire::ListRow& one) { return one.key == row(1).key; });
    device.disk.set_capacity_bytes(device.disk.bytes_used());
    device.say(Down::chunk, server.page(device, want, added, true));
    CHECK(ours(device).version == 5);
    CHECK(device.engine->status().storage_faults > 0);
    device.disk.set_capacity_bytes(UINT64_MAX);
    device.pass(60'000);
    device.say(Down::chunk, server.page(device, device.want(), added, true));
    CHECK(ours(device) == server.state());
}

}  // namespace
