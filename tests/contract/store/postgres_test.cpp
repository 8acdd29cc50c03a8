// What only PostgreSQL can do to a server: connections that end, others who are first, a database
// that was set up differently. Nothing here runs without one.
#include <atomic>
#include <future>
#include <thread>

#include "sync-server/ingest/repository.hpp"
#include "tests/contract/store/desk.hpp"

using namespace pf;
using namespace pf::tests;
using server::store::to_text;

namespace {

bool skipped() {
    if (Database::on_postgres()) return false;
    MESSAGE("without PAIFANG_POSTGRES there is nothing to run");
    return true;
}

constexpr const char* end_connections =
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()";

/// COMMIT meets this: the connection is gone before its answer.
constexpr const char* die_at_commit =
    "CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
    " PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$;"
    " CREATE CONSTRAINT TRIGGER die AFTER INSERT OR UPDATE ON meta DEFERRABLE INITIALLY DEFERRED"
    " FOR EACH ROW WHEN (NEW.name = 'deadly') EXECUTE FUNCTION die()";

}  // namespace

TEST_CASE("connections that ended while nobody looked are made again, and nobody is told") {
    if (skipped()) return;
    for (const bool threaded : {true, false}) {
        CAPTURE(threaded);
        Desk desk{threaded};
        CHECK_FALSE(desk.put("a", "1").has_value());
        CHECK(desk.value("a") == "1");
        desk.database.run(end_connections);
        CHECK(desk.value("a") == "1");
        for (int i = 0; i < 20; ++i) CHECK_FALSE(desk.put("a", std::to_string(i)).has_value());
        CHECK(desk.value("a") == "19");
        // A pooler hides it.
        CHECK((desk.store->counts().connections > 0 || Database::pooled()));
    }
}

TEST_CASE("a connection that ends inside a transaction: it runs again and is kept once") {
    if (skipped()) return;
    Desk desk;
    CHECK_FALSE(desk.put("n", "0").has_value());
    int runs = 0;
    CHECK_FALSE(desk.store
                    ->write_now([&](Repositories& r) {
                        const int n = std::stoi(*r.meta.value("n"));
                        if (++runs == 1) desk.database.run(end_connections);
                        r.meta.put("n", std::to_string(n + 1));
                        return Decision::keep;
                    })
                    .has_value());
    CHECK(runs == 2);
    CHECK(desk.value("n") == "1");
}

TEST_CASE("a connection that ends in COMMIT is said to be uncertain, and the next act works") {
    if (skipped()) return;
    Desk desk;
    desk.database.run(die_at_commit);
    int runs = 0;
    CHECK(desk.store->write_now([&](Repositories& r) {
        ++runs;
        r.meta.put("deadly", "x");
        return Decision::keep;
    }) == Fault::uncertain);
    // Not run again: it might have been kept, and twice is not once.
    CHECK(runs == 1);
    CHECK(desk.store->counts().uncertain == 1);
    CHECK_FALSE(desk.value("deadly").has_value());
    CHECK_FALSE(desk.put("a", "1").has_value());
    CHECK(desk.value("a") == "1");
}

TEST_CASE("a transaction others always overtake ends as busy, and has left nothing") {
    if (skipped()) return;
    Desk desk;
    CHECK_FALSE(desk.put("n", "0").has_value());
    int runs = 0;
    const auto fault = desk.store->write_now([&](Repositories& r) {
        const auto n = r.meta.value("n");
        ++runs;
        desk.database.run("UPDATE meta SET value = value || 'x' WHERE name = 'n'");
        r.meta.put("n", "mine");
        r.meta.put("m", *n);
        return Decision::keep;
    });
    CHECK(fault == Fault::busy);
    CHECK(runs > 5);
    CHECK_FALSE(desk.value("m").has_value());
    CHECK(desk.value("n")->size() == static_cast<std::size_t>(runs) + 1);
}

TEST_CASE("two that read what the other writes: one of them runs again") {
    if (skipped()) return;
    Desk desk;
    // Each sees nobody on duty and goes on duty: at any isolation below SERIALIZABLE both would.
    std::promise<void> both_read;
    std::atomic<int> readers{0};
    std::atomic<int> runs{0};
    const auto go = [&](const char* own, const char* other) {
        return desk.write(
            [&, own, other](Repositories& r) {
                const bool alone = !r.meta.value(other).has_value();
                if (++runs <= 2) {
                    if (++readers == 2) both_read.set_value();
                    while (readers < 2) std::this_thread::yield();
                }
                if (alone) r.meta.put(own, "on duty");
                return Decision::keep;
            },
            own);
    };
    // Lanes whose writers differ.
    const char* names[] = {"a", "b"};
    auto first = go(names[0], names[1]);
    auto second = go(names[1], names[0]);
    CHECK_FALSE(first.get().has_value());
    CHECK_FALSE(second.get().has_value());
    CHECK(desk.value("a").has_value() != desk.value("b").has_value());
}

TEST_CASE("an event that is committed late has its place after what a follower has seen") {
    if (skipped()) return;
    Desk desk;
    const auto add = [](Repositories& r, const char* device) {
        r.ingest.add({.device = *DeviceId::parse(device),
                      .epoch = Epoch{1},
                      .seq = 1,
                      .event = Bytes{1},
                      .received_at = {},
                      .position = 0,
                      .verdict = std::nullopt},
                     Digest{});
        return Decision::keep;
    };
    std::promise<void> added, go;
    std::atomic<bool> first{true};
    auto late = desk.write([&, gone = go.get_future().share()](Repositories& r) {
        const auto decision = add(r, "late");
        if (first.exchange(false)) added.set_value();
        gone.wait();
        return decision;
    });
    added.get_future().wait();
    CHECK_FALSE(desk.write([&](Repositories& r) { return add(r, "early"); }).get().has_value());

    std::vector<std::string> followed;
    std::uint64_t position = 0;
    const auto follow = [&] {
        CHECK_FALSE(desk.store
                        ->read([&](Repositories& r) {
                            for (const auto& event : r.ingest.log_after(position, 10)) {
                                position = event.position;
                                followed.push_back(event.device.text());
                            }
                        })
                        .has_value());
    };
    follow();
    go.set_value();
    CHECK_FALSE(late.get().has_value());
    follow();
    CHECK(followed == std::vector<std::string>{"early", "late"});
}

TEST_CASE("servers that start together on an empty database both start, on one schema") {
    if (skipped()) return;
    const Database database;
    std::vector<std::thread> starters;
    std::atomic<int> started{0};
    std::mutex mutex;
    std::string why;
    for (int i = 0; i < 4; ++i)
        starters.emplace_back([&] {
            auto opened = Store::open({.database = database.where(),
                                       .vfs = {},
                                       .threaded = true,
                                       .now = wall_from_ms(1'000),
                                       .prepare_on_server = !Database::pooled(),
                                       .tell = [&](std::string_view what) {
                                           const std::lock_guard guard{mutex};
                                           why += std::string{what} + "; ";
                                       }});
            if (opened.has_value()) ++started;
        });
    for (auto& starter : starters) starter.join();
    CHECK_MESSAGE(started == 4, why);
    CHECK(database.ask("SELECT count(*) = max(number) FROM schema_step") == "t");
    CHECK(database.ask("SELECT value FROM meta WHERE name = 'generation'") == "1000");
}

TEST_CASE(
    "events of a server that was killed before it gave them places get them at the next start") {
    if (skipped()) return;
    Desk desk;
    desk.store.reset();
    desk.database.run(
        "INSERT INTO audit (tenant, number, at_ms, actor, action, target, outcome, request_id)"
        " VALUES (1, -7, 20, 'a', 'b', '2nd', '', ''), (1, -9, 10, 'a', 'b', '1st', '', '')");
    desk.open();
    CHECK(
        desk.database.ask("SELECT string_agg(number || target, ' ' ORDER BY number) FROM audit") ==
        "11st 22nd");
}

TEST_CASE("a database that can't keep what is promised is refused with the reason") {
    if (skipped()) return;
    struct Row {
        const char *why, *setup, *said;
    };
    const Row rows[] = {
        {"a crash would lose commits", "synchronous_commit = off", "synchronous_commit"},
    };
    for (const Row& row : rows) {
        // A pooler may answer with a connection from before.
        if (Database::pooled()) break;
        CAPTURE(row.why);
        Desk desk;
        desk.store.reset();
        desk.database.run("DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET " +
                          std::string{row.setup} + "', current_database()); END $$");
        const auto opened = desk.try_open();
        REQUIRE(opened.has_error());
        CHECK(opened.error() == Fault::unsuitable);
        REQUIRE_FALSE(desk.told().empty());
        CHECK(desk.told().back().find(row.said) != std::string::npos);
    }
    for (const auto& [options, said] :
         {std::pair{"LOCALE_PROVIDER icu ICU_LOCALE 'en' ENCODING 'UTF8'", "sorts"},
          std::pair{"ENCODING 'SQL_ASCII'", "encoding"}}) {
        CAPTURE(options);
        Desk desk;
        desk.store.reset();
        desk.database.make_again(std::string{" TEMPLATE template0 "} + options);
        const auto opened = desk.try_open();
        REQUIRE(opened.has_error());
        CHECK(opened.error() == Fault::unsuitable);
        CHECK(desk.told().back().find(said) != std::string::npos);
    }
}

TEST_CASE("no password in anything that is said") {
    for (const char* where :
         {"postgresql://u:s3cret@127.0.0.1:1/pf", "postgresql://u:s3cret@[/pf",
          "postgresql://u:s3cret%zz@h/pf", "postgresql://127.0.0.1:1/pf?password=s3cret",
          "postgresql://127.0.0.1:1/pf?pasword=s3cret"}) {
        CAPTURE(where);
        std::string said;
        const auto opened = Store::open({.database = where,
                                         .vfs = {},
                                         .threaded = true,
                                         .now = {},
                                         .tell = [&](std::string_view what) { said += what; }});
        REQUIRE(opened.has_error());
        CHECK(opened.error() == Fault::unavailable);
        CHECK_FALSE(said.empty());
        CHECK(said.find("s3cret") == std::string::npos);
        CHECK(server::store::printable(where).find("s3cret") == std::string::npos);
    }
}

TEST_CASE("without statements kept by the server everything is the same") {
    if (skipped()) return;
    Desk desk;
    desk.store.reset();
    auto options = desk.options();
    options.prepare_on_server = false;
    auto opened = Store::open(options);
    REQUIRE(opened.has_value());
    desk.store = std::move(*opened);
    for (int i = 0; i < 20; ++i) CHECK_FALSE(desk.put("a", std::to_string(i)).has_value());
    CHECK(desk.value("a") == "19");
}

TEST_CASE("a pooler nobody spoke of is noticed before it mixes up statements") {
    if (skipped() || !Database::pooled()) return;
    Desk desk;
    auto options = desk.options();
    options.prepare_on_server = true;
    CHECK(Store::open(options).error() == Fault::unsuitable);
    CHECK(desk.told().back().find("database.prepare") != std::string::npos);
}
