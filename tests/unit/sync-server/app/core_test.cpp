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

TEST_CASE("who is revoked is answered when the broker obeyed") {
    House house;
    bool answered = false;
    std::optional<bool> told;
    house.core->call(
        "x",
        [&](Repositories& r, const Call& call) -> std::optional<app::Committed> {
            CHECK_FALSE(fleet::revoke(r, call, house.gate.id()).has_value());
            return app::Committed{.effects = {},
                                  .devices_changed = true,
                                  .revoked = {house.gate.id()},
                                  .broker_told = [&](bool taken) { told = taken; }};
        },
        [&](std::optional<store::Fault>) { answered = true; });
    house.outer.run();
    CHECK(house.outer.revoked == std::vector{house.gate.id()});
    CHECK_FALSE(answered);
    house.outer.broker_obeys(false);
    CHECK(answered);
    CHECK(told == false);
}

TEST_CASE("a revocation nobody knows the end of still reaches the broker") {
    House house;
    house.store.fail = store::Fault::uncertain;
    std::optional<store::Fault> answered;
    house.core->call(
        "x",
        [&](Repositories& r, const Call& call) -> std::optional<app::Committed> {
            CHECK_FALSE(fleet::revoke(r, call, house.gate.id()).has_value());
            return app::Committed{.effects = {},
                                  .devices_changed = true,
                                  .revoked = {house.gate.id()},
                                  .broker_told = {}};
        },
        [&](std::optional<store::Fault> fault) { answered = fault; });
    house.outer.run();
    CHECK(house.outer.revoked == std::vector{house.gate.id()});
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
