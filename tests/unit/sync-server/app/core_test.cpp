// The core in a world of its own: effects leave after the COMMIT, news once for what it moved, and
// what is gone is not touched.
#include "sync-server/app/core.hpp"

#include <algorithm>
#include <deque>

#include "common/wire/topics.hpp"
#include "sync-server/catalog/catalog.hpp"
#include "sync-server/exchange/exchange.hpp"
#include "tests/unit/sync-server/ingest/world.hpp"

using namespace pf;
using namespace pf::server;

namespace {

/// A store that commits when told, or fails.
class StubStore final : public store::Store {
public:
    explicit StubStore(store::Store& real) : real_{real} {}
    using store::Store::write;
    void write(Transaction transaction, Then then, std::string_view) override {
        if (fail == store::Fault::uncertain)
            return real_.write(std::move(transaction),
                               [then](auto) { then(store::Fault::uncertain); });
        if (fail) return then(*fail);
        if (!hold) return real_.write(std::move(transaction), std::move(then));
        held.push_back([this, transaction = std::move(transaction), then = std::move(then)] {
            real_.write(transaction, then);
        });
    }
    std::optional<store::Fault> read(const std::function<void(Repositories&)>& reader) override {
        return real_.read(reader);
    }
    std::optional<store::Fault> fail;
    bool hold = false;
    std::deque<std::function<void()>> held;

private:
    store::Store& real_;
};

class Outer final : public app::Outside {
public:
    WallTime now() override { return tests::start + late; }
    std::array<Byte, 32> seed() override {
        std::array<Byte, 32> out{};
        entropy.fill(out);
        return out;
    }
    void post(std::function<void()> task) override { tasks.push_back(std::move(task)); }
    void publish(Outgoing message) override { published.push_back(std::move(message)); }
    void devices_changed(std::vector<DeviceId> who, std::function<void(bool)> done) override {
        revoked = std::move(who);
        broker_obeys = std::move(done);
    }
    void log_moved() override { ++log_moves; }
    void fenced() override { ++fences; }
    void run() {
        while (!tasks.empty()) {
            const auto task = std::move(tasks.front());
            tasks.pop_front();
            task();
        }
    }
    std::size_t news() const {
        return static_cast<std::size_t>(std::ranges::count_if(
            published, [](const Outgoing& message) { return message.topic.ends_with("dn/news"); }));
    }
    Millis late{0};
    tests::SeededEntropy entropy{77};
    std::deque<std::function<void()>> tasks;
    std::vector<Outgoing> published;
    std::vector<DeviceId> revoked;
    std::function<void(bool)> broker_obeys;
    int log_moves = 0;
    int fences = 0;
};

/// A world that was set up, then left to the core alone.
struct House {
    tests::World world;
    SiteId site = world.add_site();
    tests::Gate gate = world.add_gate("gate-1");
    std::string root = fleet::topic_root(world.device(gate.id()));
    std::unique_ptr<store::Store> real = [this] {
        world.close();
        auto opened = store::Store::open({.database = world.database.where(),
                                          .vfs = {},
                                          .threaded = false,
                                          .now = tests::start});
        REQUIRE(opened.has_value());
        return std::move(*opened);
    }();
    StubStore store{*real};
    Outer outer;
    std::optional<app::Core> core{std::in_place, store, world.keys(), outer};

    void send(const wire::Batch& batch) {
        core->on_message(wire::topic(root, wire::Up::events), wire::encode(batch));
    }
    std::uint32_t partition = static_cast<std::uint32_t>(std::stoul(root.substr(5)));

    /// That server asks for leases at that moment; what it holds then.
    app::Core::Holding turn(const std::string& life, Millis at) {
        app::Core::Holding out{.life = life, .parts = {}};
        REQUIRE_FALSE(real->write_now([&](Repositories& r) {
                              const auto round =
                                  leases::turn(r, {.id = life, .name = life}, tests::start + at);
                              out.parts = round->held;
                              return store::Decision::keep;
                          })
                          .has_value());
        return out;
    }
    std::size_t log() {
        std::size_t out = 0;
        REQUIRE_FALSE(
            real->read([&](Repositories& r) { out = ingest::log_after(r, 0, 100).size(); })
                .has_value());
        return out;
    }
};

app::Committed moving(SiteId site) {
    return {.effects = {.messages = {}, .moved = {site}}, .revoked = {}};
}

}  // namespace

TEST_CASE("a batch is acknowledged after its commit, from the executor") {
    House house;
    house.gate.write_filler(3);
    house.store.hold = true;
    house.send(house.gate.all());
    house.outer.run();
    CHECK(house.outer.published.empty());
    house.store.held.front()();
    CHECK(house.outer.published.empty());
    house.outer.run();
    REQUIRE_FALSE(house.outer.published.empty());
    CHECK(house.outer.published.front().topic == house.root + "dn/ack");
    CHECK(house.outer.log_moves == 1);
}

TEST_CASE("a commit that fails tells nobody anything and is counted") {
    House house;
    house.gate.write_filler(1);
    struct Row {
        store::Fault fault;
        std::uint64_t busy, failed;
    };
    const Row rows[] = {{store::Fault::disk_full, 0, 1}, {store::Fault::busy, 1, 1}};
    for (const Row& row : rows) {
        house.store.fail = row.fault;
        house.send(house.gate.all());
        house.outer.run();
        CHECK(house.core->counts().dropped_busy == row.busy);
        CHECK(house.core->counts().dropped_failed == row.failed);
    }
    CHECK(house.outer.published.empty());
    std::optional<store::Fault> heard;
    house.core->call(
        "x", [&](Repositories&, const Call&) { return moving(house.site); },
        [&](std::optional<store::Fault> fault) { heard = fault; });
    house.outer.run();
    CHECK(heard == store::Fault::busy);
    CHECK(house.core->counts().news_rounds == 0);
}

TEST_CASE("what moved together is told once, after all of it") {
    House house;
    int answered = 0;
    for (int i = 0; i < 5; ++i)
        house.core->call(
            "x", [&](Repositories&, const Call&) { return moving(house.site); },
            [&](std::optional<store::Fault> fault) { answered += fault ? 0 : 1; });
    house.outer.run();
    CHECK(answered == 5);
    CHECK(house.core->counts().news_rounds == 1);
    CHECK(house.outer.news() == 1);
}

TEST_CASE("a device that is there is told the news again, moved or not") {
    House house;
    house.core->remind();
    CHECK(house.outer.news() == 0);  // nobody was heard yet
    house.core->on_message(wire::topic(house.root, wire::Up::ping), wire::encode(wire::Ping{1}));
    house.outer.run();
    house.core->remind();
    CHECK(house.outer.news() == 1);
    house.outer.late = server::exchange::presence_ms;
    house.core->remind();
    CHECK(house.outer.news() == 2);
    house.outer.late += Millis{1};
    house.core->remind();
    CHECK(house.outer.news() == 2);
    CHECK(house.core->counts().reminders == 2);
}

TEST_CASE("of a shared database only what is held is served") {
    House house;
    house.gate.write_filler(3);
    house.core->hold({.life = "one", .parts = {}});
    house.send(house.gate.all());
    house.outer.run();
    CHECK(house.core->counts().not_ours == 1);
    CHECK(house.log() == 0);
    house.core->remind();
    CHECK(house.outer.news() == 0);

    house.core->hold(house.turn("one", Millis{0}));
    house.send(house.gate.all());
    house.outer.run();
    CHECK(house.log() == 3);
    REQUIRE_FALSE(house.outer.published.empty());
    CHECK(house.outer.published.front().topic == house.root + "dn/ack");
    house.core->remind();
    CHECK(house.outer.news() > 0);
    // A topic that is no device's of any partition has nobody who acts for it.
    house.core->on_message("pf/1/77/d/gate-1/up/birth", Bytes{1});
    CHECK(house.core->counts().not_ours == 2);
}

TEST_CASE("whatever is under way when another server took over is refused, late as it may be") {
    House house;
    house.gate.write_filler(3);
    house.core->hold(house.turn("one", Millis{0}));
    house.store.hold = true;
    house.send(house.gate.all());
    house.core->on_message(wire::topic(house.root, wire::Up::ping), wire::encode(wire::Ping{1}));
    (void)house.turn("two", leases::lease_ms + Millis{1});
    // It wakes: what was queued meets a higher token.
    for (const auto& job : house.store.held) job();
    house.outer.run();
    CHECK(house.log() == 0);
    CHECK(house.outer.published.empty());
    CHECK(house.core->counts().fenced == 2);
    CHECK(house.outer.fences == 2);
    CHECK(house.outer.log_moves == 0);
    std::optional<WallTime> heard;
    REQUIRE_FALSE(
        house.real
            ->read([&](Repositories& r) { heard = fleet::device(r, house.gate.id())->last_heard; })
            .has_value());
    CHECK_FALSE_MESSAGE(heard.has_value(), "nothing at all is written for the device");
}

TEST_CASE("a partition that is taken back under another token does not revive what was under way") {
    House house;
    house.gate.write_filler(3);
    house.core->hold(house.turn("one", Millis{0}));
    house.store.hold = true;
    house.send(house.gate.all());
    (void)house.turn("two", leases::lease_ms + Millis{1});
    house.core->hold(house.turn("one", 3 * leases::lease_ms));
    house.store.held.front()();
    house.outer.run();
    CHECK(house.log() == 0);
    CHECK(house.core->counts().fenced == 1);
}

TEST_CASE("what was committed before the partition went away is not acknowledged after it") {
    House house;
    house.gate.write_filler(3);
    house.core->hold(house.turn("one", Millis{0}));
    house.send(house.gate.all());
    house.core->hold({.life = "one", .parts = {}});
    house.outer.run();
    CHECK(house.log() == 3);
    CHECK(house.outer.published.empty());
    CHECK(house.core->counts().unanswered == 1);
    CHECK(house.outer.log_moves == 1);
}

TEST_CASE("the house is kept by who holds it, and by nobody who held it") {
    House house;
    int done = 0;
    int answered = 0;
    const auto keep = [&] {
        house.core->keep_house(
            [&](Repositories& r, const Call&) {
                r.meta.put("swept", std::to_string(++done));
                return app::Committed{};
            },
            [&](std::optional<store::Fault> fault) { answered += fault ? 0 : 1; });
        house.outer.run();
    };
    keep();
    CHECK_MESSAGE(done == 1, "a database of its own");
    house.core->hold({.life = "one", .parts = {}});
    keep();
    CHECK(done == 1);
    house.core->hold(house.turn("one", Millis{0}));
    keep();
    CHECK(done == 2);
    (void)house.turn("two", leases::lease_ms + Millis{1});
    keep();
    CHECK(done == 2);
    CHECK(house.outer.fences == 1);
    CHECK(answered == 4);
}

TEST_CASE("devices that come and go are counted, for those who keep rules of their own") {
    House house;
    const auto changes = [&] {
        std::uint64_t out = 0;
        (void)house.real->read([&](Repositories& r) { out = fleet::changes(r); });
        return out;
    };
    const auto before = changes();
    const auto act = [&](bool changed) {
        house.core->call(
            "x",
            [&](Repositories&, const Call&) -> std::optional<app::Committed> {
                return app::Committed{.effects = {}, .devices_changed = changed, .revoked = {}};
            },
            [](std::optional<store::Fault>) {});
        house.outer.run();
    };
    act(false);
    CHECK(changes() == before);
    act(true);
    CHECK(changes() == before + 1);
}

TEST_CASE("a refused act is undone, answered, and moves nothing") {
    House house;
    bool answered = false;
    house.core->call(
        "x",
        [&](Repositories& r, const Call& call) -> std::optional<app::Committed> {
            (void)catalog::add_point(r, call, house.site, "南门", "South");
            return std::nullopt;
        },
        [&](std::optional<store::Fault> fault) { answered = !fault; });
    house.outer.run();
    CHECK(answered);
    std::size_t points = 9;
    (void)house.core->read(
        "x", [&](Repositories& r, const Call&) { points = catalog::points(r, house.site).size(); });
    CHECK(points == 0);
    CHECK(house.outer.news() == 0);
}

/// Revokes the gate; the broker has it and has not obeyed yet.
void revoke_the_gate(House& house, std::function<void(bool)> broker_told,
                     std::function<void(std::optional<store::Fault>)> then) {
    house.core->call(
        "x",
        [&house, broker_told](Repositories& r, const Call& call) -> std::optional<app::Committed> {
            CHECK_FALSE(fleet::revoke(r, call, house.gate.id()).has_value());
            return app::Committed{.effects = {},
                                  .devices_changed = true,
                                  .revoked = {house.gate.id()},
                                  .broker_told = broker_told};
        },
        std::move(then));
    house.outer.run();
    CHECK(house.outer.revoked == std::vector{house.gate.id()});
}

TEST_CASE("who is revoked is answered when the broker obeyed") {
    House house;
    bool answered = false;
    std::optional<bool> told;
    revoke_the_gate(
        house, [&](bool taken) { told = taken; },
        [&](std::optional<store::Fault>) { answered = true; });
    CHECK_FALSE(answered);
    house.outer.broker_obeys(false);
    CHECK(answered);
    CHECK(told == false);
}

TEST_CASE("a revocation nobody knows the end of still reaches the broker") {
    House house;
    house.store.fail = store::Fault::uncertain;
    std::optional<store::Fault> answered;
    revoke_the_gate(house, {}, [&](std::optional<store::Fault> fault) { answered = fault; });
    house.outer.broker_obeys(true);
    CHECK(answered == store::Fault::uncertain);
}

TEST_CASE("what waits for the store is bounded in number and in bytes") {
    House house;
    house.store.hold = true;
    house.gate.write_filler(1);
    for (std::size_t i = 0; i < app::Core::waiting_max + 7; ++i) house.send(house.gate.all());
    CHECK(house.store.held.size() == app::Core::waiting_max);
    CHECK(house.core->counts().dropped_busy == 7);

    House other;
    other.store.hold = true;
    const Bytes big(1024 * 1024, 0);
    for (int i = 0; i < 70; ++i)
        other.core->on_message(wire::topic(other.root, wire::Up::events), big);
    CHECK(other.store.held.size() * big.size() == app::Core::waiting_bytes_max);
    CHECK(other.core->counts().dropped_busy == 6);
    // Room comes back with each commit.
    other.store.held.front()();
    other.outer.run();
    other.core->on_message(wire::topic(other.root, wire::Up::events), big);
    CHECK(other.core->counts().dropped_busy == 6);
}

TEST_CASE("a core that is gone is not touched by what the writer finishes") {
    House house;
    house.gate.write_filler(1);
    house.store.hold = true;
    house.send(house.gate.all());
    bool answered = false;
    house.core->call(
        "x", [&](Repositories&, const Call&) { return moving(house.site); },
        [&](std::optional<store::Fault>) { answered = true; });
    house.core.reset();
    for (const auto& job : house.store.held) job();
    house.outer.run();
    CHECK(house.outer.published.empty());
    CHECK_FALSE(answered);
}
