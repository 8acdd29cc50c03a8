// Servers that race for partitions, and a transaction that meets the one that took over.
#include <set>
#include <thread>

#include "sync-server/leases/leases.hpp"
#include "sync-server/leases/repository.hpp"
#include "tests/contract/store/desk.hpp"

using namespace pf;
using namespace pf::tests;
using namespace pf::server;

namespace {

leases::Life life(const std::string& id) { return {.id = id, .name = id}; }

leases::Round turn(Store& store, const std::string& id, std::int64_t at_ms) {
    std::optional<leases::Round> out;
    const auto fault = store.write_now([&](Repositories& r) {
        const auto round = leases::turn(r, life(id), wall_from_ms(at_ms));
        if (round.has_value()) out = *round;
        return Decision::keep;
    });
    REQUIRE_FALSE(fault.has_value());
    REQUIRE(out.has_value());
    return *out;
}

}  // namespace

TEST_CASE("servers that ask at once never have the same part, nor the same token after another") {
    Desk desk;
    constexpr int servers = 6;
    constexpr int turns = 25;
    using Seen = std::set<std::tuple<std::uint32_t, std::uint64_t, std::string>>;
    std::vector<Seen> seen(servers);
    std::vector<std::thread> threads;
    for (int s = 0; s < servers; ++s)
        threads.emplace_back([&, s] {
            const std::string id = "server-" + std::to_string(s);
            for (int i = 0; i < turns; ++i) {
                // Clocks apart: some find others dead that are not.
                const auto at = wall_from_ms(1'000'000 + i * 1'000 + (s % 2) * 20'000);
                std::optional<leases::Round> round;
                const auto fault = desk.store->write_now([&](Repositories& r) {
                    const auto made = leases::turn(r, life(id), at);
                    round.reset();
                    if (made.has_value()) round = *made;
                    return Decision::keep;
                });
                if (fault || !round) continue;
                for (const auto& [part, token] : round->held)
                    seen[static_cast<std::size_t>(s)].emplace(part, token, id);
            }
        });
    for (auto& thread : threads) thread.join();
    std::map<std::pair<std::uint32_t, std::uint64_t>, std::string> whose;
    for (const Seen& of_one : seen)
        for (const auto& [part, token, id] : of_one) {
            const auto [known, fresh] = whose.try_emplace({part, token}, id);
            CHECK_MESSAGE(known->second == id, "one token, two servers");
        }
    CHECK(whose.size() > leases::part_count);
}

TEST_CASE(
    "a transaction that began before another server took over is refused by what that one saw") {
    if (!Database::on_postgres()) return;  // a SQLite file has one server
    Desk desk;
    auto opened = desk.try_open();
    REQUIRE(opened.has_value());
    Store& other = **opened;
    const auto mine = turn(*desk.store, "one", 1'000'000);
    const leases::Claim claim{"one", 3, mine.held.at(3)};

    std::promise<void> looked, go;
    int runs = 0;
    bool fenced = false;
    auto answer = desk.write([&, gone = go.get_future().share()](Repositories& r) {
        fenced = !leases::stands(r, claim);
        if (++runs == 1) {
            looked.set_value();
            gone.wait();
        }
        if (fenced) return Decision::undo;
        r.meta.put("cursor", "one");
        return Decision::keep;
    });
    looked.get_future().wait();
    const auto theirs = turn(other, "two", 1'020'000);
    CHECK(theirs.held.at(3) > claim.token);
    std::optional<std::string> cursor;
    CHECK_FALSE(other
                    .write_now([&](Repositories& r) {
                        CHECK_MESSAGE(leases::stands(r, {"two", 3, theirs.held.at(3)}), "");
                        cursor = r.meta.value("cursor");
                        r.meta.put("acknowledged", cursor.value_or("nothing"));
                        return Decision::keep;
                    })
                    .has_value());
    go.set_value();
    CHECK_FALSE(answer.get().has_value());
    CHECK(runs == 2);
    CHECK(fenced);
    CHECK(desk.value("acknowledged") == "nothing");
    CHECK_FALSE(desk.value("cursor").has_value());
}

TEST_CASE("what a server holds that was stopped in a transaction is let go of with its lease") {
    if (!Database::on_postgres()) return;
    Desk desk;
    auto opened = desk.try_open();
    REQUIRE(opened.has_value());
    CHECK_FALSE(desk.put("cursor", "0").has_value());
    std::promise<void> written, wake;
    int runs = 0;
    auto answer = desk.write([&, woken = wake.get_future().share()](Repositories& r) {
        r.meta.put("cursor", "asleep");
        if (++runs == 1) {
            written.set_value();
            woken.wait();
        }
        // What it says next tells it that its connection is gone: nothing was kept, it runs again.
        r.meta.put("woken", "yes");
        return Decision::keep;
    });
    written.get_future().wait();
    CHECK_FALSE((*opened)
                    ->write_now([](Repositories& r) {
                        r.meta.put("cursor", "taken over");
                        return Decision::keep;
                    })
                    .has_value());
    CHECK(desk.value("cursor") == "taken over");
    wake.set_value();
    CHECK_FALSE(answer.get().has_value());
    CHECK_MESSAGE(runs == 2, "its connection was ended");
}

TEST_CASE("rows of a server that was killed get their places from one that takes over") {
    if (!Database::on_postgres()) return;
    Desk desk{false};
    desk.database.run(
        "INSERT INTO audit (tenant, number, at_ms, actor, action, target, outcome, request_id)"
        " VALUES (1, -7, 20, 'a', 'b', 'x', '', '')");
    CHECK_FALSE(desk.put("n", "1").has_value());
    CHECK(desk.database.ask("SELECT number FROM audit") == "-7");
    desk.store->place_leftovers();
    CHECK(desk.database.ask("SELECT number FROM audit") == "1");
}

namespace {

constexpr const char* row_without_place =
    "INSERT INTO audit (tenant, number, at_ms, actor, action, target, outcome, request_id)"
    " VALUES (1, -7, 20, 'a', 'b', 'x', '', '')";

/// Whether that row gets its place in so many tenths of a second; the database does the waiting.
bool placed_within(const Desk& desk, int tenths) {
    for (int i = 0; i < tenths; ++i)
        if (desk.database.ask("SELECT number FROM audit, pg_sleep(0.1)") == "1") return true;
    return false;
}

}  // namespace

TEST_CASE("a row whose COMMIT nobody heard of gets its place while nothing else happens") {
    if (!Database::on_postgres()) return;
    Desk desk;
    CHECK_FALSE(desk.put("n", "1").has_value());
    desk.database.run(row_without_place);
    CHECK(placed_within(desk, 200));
}

TEST_CASE("a store that ends leaves no row without a place") {
    if (!Database::on_postgres()) return;
    Desk desk;
    CHECK_FALSE(desk.put("n", "1").has_value());
    desk.database.run(row_without_place);
    desk.store.reset();
    CHECK(desk.database.ask("SELECT number FROM audit") == "1");
}

TEST_CASE("the sealer does not stay on a connection that is there and of no use") {
    if (!Database::on_postgres() || Database::pooled()) return;
    Desk desk;
    // As after a switchover: the first connection that gives a place is refused from then on. What
    // a sequence keeps outlives a ROLLBACK.
    desk.database.run(
        "CREATE SEQUENCE condemned;"
        "CREATE FUNCTION condemn() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " IF NOT (SELECT is_called FROM condemned) THEN"
        "  PERFORM setval('condemned', pg_backend_pid()); END IF;"
        " IF (SELECT last_value FROM condemned) = pg_backend_pid() THEN"
        "  RAISE EXCEPTION 'read-only' USING ERRCODE = '25006'; END IF;"
        " RETURN NEW; END $$;"
        "CREATE TRIGGER condemning BEFORE UPDATE ON audit FOR EACH ROW"
        " EXECUTE FUNCTION condemn();");
    desk.database.run(row_without_place);
    desk.store->place_leftovers();
    CHECK(placed_within(desk, 80));
    desk.store.reset();
    desk.database.run(
        "DROP TRIGGER condemning ON audit; DROP FUNCTION condemn; DROP SEQUENCE condemned");
}

TEST_CASE("a server renews while one that was stopped holds what it would take or give up") {
    if (!Database::on_postgres()) return;
    Desk desk;
    auto opened = desk.try_open();
    REQUIRE(opened.has_value());
    Store& other = **opened;
    (void)turn(other, "one", 1'000'000);
    (void)turn(other, "two", 1'000'001);
    std::promise<void> written, wake;
    int runs = 0;
    auto answer = desk.write([&, woken = wake.get_future().share()](Repositories& r) {
        r.leases.put({.life = "one", .part = leases::house - 1, .token = 99});
        if (++runs == 1) {
            written.set_value();
            woken.wait();
        }
        return Decision::keep;
    });
    written.get_future().wait();
    bool renewed = false;
    CHECK_FALSE(other
                    .write_now([&](Repositories& r) {
                        renewed = leases::renew(r, life("one"), wall_from_ms(1'009'000));
                        return Decision::keep;
                    })
                    .has_value());
    CHECK(renewed);
    // It would give up the part that is held.
    CHECK(other.write_now([&](Repositories& r) {
        (void)leases::turn(r, life("one"), wall_from_ms(1'009'500));
        return Decision::keep;
    }) == Fault::busy);
    wake.set_value();
    CHECK_FALSE(answer.get().has_value());
    CHECK_MESSAGE(runs == 1, "nobody waited until its connection was ended");
    // Alive by the renewal alone; one whose lease is over has to ask.
    const auto renews_at = [&](std::int64_t ms) {
        bool out = false;
        CHECK_FALSE(other
                        .write_now([&](Repositories& r) {
                            out = leases::renew(r, life("one"), wall_from_ms(ms));
                            return Decision::undo;
                        })
                        .has_value());
        return out;
    };
    CHECK(renews_at(1'019'000));
    CHECK_FALSE(renews_at(1'019'001));
}
