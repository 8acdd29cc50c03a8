// What every engine promises; run on SQLite and on PostgreSQL.
#include <atomic>
#include <stdexcept>
#include <thread>

#include "sync-server/findings/repository.hpp"
#include "sync-server/fleet/repository.hpp"
#include "sync-server/ingest/repository.hpp"
#include "tests/contract/store/desk.hpp"

using namespace pf;
using namespace pf::tests;
using server::store::to_text;

TEST_CASE("a kept transaction is there after the database is opened again, an undone one is not") {
    for (const bool threaded : {true, false}) {
        CAPTURE(threaded);
        Desk desk{threaded};
        CHECK_FALSE(desk.put("kept", "yes").has_value());
        CHECK_FALSE(desk.store
                        ->write_now([](Repositories& r) {
                            r.meta.put("undone", "yes");
                            return Decision::undo;
                        })
                        .has_value());
        desk.reopen();
        CHECK(desk.value("kept") == "yes");
        CHECK_FALSE(desk.value("undone").has_value());
        CHECK(desk.value("generation") == "1000");
    }
}

TEST_CASE("an undone transaction undoes only itself, however many wait together") {
    Desk desk;
    std::vector<Answer> answers;
    for (int i = 0; i < 500; ++i)
        answers.push_back(desk.write([i](Repositories& r) {
            r.meta.put("n" + std::to_string(i), "x");
            return i % 3 == 0 ? Decision::undo : Decision::keep;
        }));
    for (auto& answer : answers) CHECK_FALSE(answer.get().has_value());
    for (int i = 0; i < 500; ++i)
        CHECK(desk.value("n" + std::to_string(i)).has_value() == (i % 3 != 0));
}

TEST_CASE("a member that fails is alone with it: the others of its commit are kept") {
    struct Row {
        const char* why;
        Store::Transaction transaction;
        Fault fault;
    };
    const auto site_twice = [](Repositories& r) {
        r.meta.put("lost", "x");
        r.fleet.add_site_key(SiteId{7}, server::fleet::SiteKeyKind::holder, {1, Bytes{1}}, {});
        r.fleet.add_site_key(SiteId{7}, server::fleet::SiteKeyKind::holder, {1, Bytes{1}}, {});
        return Decision::keep;
    };
    const Row rows[] = {
        {"data that can't be read",
         [](Repositories& r) {
             r.meta.put("lost", "x");
             (void)r.fleet.ticket_keys();
             return Decision::keep;
         },
         Fault::damaged},
        {"a rule that found something unreadable",
         [](Repositories& r) -> Decision {
             r.meta.put("lost", "x");
             throw std::runtime_error{"wrong master key"};
         },
         Fault::damaged},
        {"a bug",
         [](Repositories& r) -> Decision {
             r.meta.put("lost", "x");
             throw std::logic_error{"never"};
         },
         Fault::failed},
        {"a statement the database refuses", site_twice, Fault::failed},
        {"the same statement again", site_twice, Fault::failed},
        {"text no database keeps",
         [](Repositories& r) {
             r.meta.put("lost", std::string("a\0b", 3));
             return Decision::keep;
         },
         Fault::failed},
    };
    for (const bool threaded : {true, false}) {
        CAPTURE(threaded);
        Desk desk{threaded};
        desk.database.run(
            "INSERT INTO ticket_key (tenant, number, point, sealed, created_ms)"
            " VALUES (1, 1, 'zz', '', 0)");
        for (const Row& row : rows) {
            CAPTURE(row.why);
            Barrier barrier;
            if (!threaded) barrier.open();
            std::vector<Answer> answers;
            answers.push_back(desk.write(barrier.transaction(), "one"));
            const auto put = [&](const char* name) {
                answers.push_back(desk.write(
                    [name, &row](Repositories& r) {
                        r.meta.put(name, row.why);
                        return Decision::keep;
                    },
                    "one"));
            };
            put("before");
            answers.push_back(desk.write(row.transaction, "one"));
            put("after");
            if (threaded) barrier.open();
            CHECK_FALSE(answers[1].get().has_value());
            const auto fault = answers[2].get();
            REQUIRE(fault.has_value());
            CHECK(to_text(*fault) == to_text(row.fault));
            CHECK_FALSE(answers[3].get().has_value());
            CHECK(desk.value("before") == row.why);
            CHECK(desk.value("after") == row.why);
            CHECK_FALSE(desk.value("lost").has_value());
        }
        CHECK_FALSE(desk.told().empty());
    }
}

TEST_CASE("a reader that can't read gets a fault, and the next one reads") {
    for (const bool threaded : {true, false}) {
        CAPTURE(threaded);
        Desk desk{threaded};
        CHECK(desk.store->read([](Repositories&) { throw std::runtime_error{"unreadable"}; }) ==
              Fault::damaged);
        CHECK(desk.store->read([](Repositories&) { throw std::logic_error{"never"}; }) ==
              Fault::failed);
        CHECK(desk.value("generation") == "1000");
        CHECK_FALSE(desk.put("a", "b").has_value());
    }
}

TEST_CASE("what is not the store's to judge passes through an inline store and leaves nothing") {
    struct Broken {};
    Desk desk{false};
    CHECK_THROWS_AS((void)desk.store->write_now([](Repositories& r) -> Decision {
        r.meta.put("lost", "x");
        throw Broken{};
    }),
                    Broken);
    CHECK_THROWS_AS((void)desk.store->read([](Repositories&) { throw Broken{}; }), Broken);
    CHECK_FALSE(desk.put("a", "b").has_value());
    CHECK_FALSE(desk.value("lost").has_value());
}

TEST_CASE("a read sees one state, whatever is committed meanwhile") {
    Desk desk;
    CHECK_FALSE(desk.put("a", "1").has_value());
    const auto fault = desk.store->read([&](Repositories& r) {
        CHECK(r.meta.value("a") == "1");
        std::optional<Fault> written;
        std::thread{[&] { written = desk.put("a", "2"); }}.join();
        CHECK_FALSE(written.has_value());
        CHECK(r.meta.value("a") == "1");
    });
    CHECK_FALSE(fault.has_value());
    CHECK(desk.value("a") == "2");
}

TEST_CASE("a read can't write") {
    Desk desk;
    const auto fault = desk.store->read([](Repositories& r) { r.meta.put("a", "1"); });
    CHECK(fault.has_value());
    CHECK_FALSE(desk.value("a").has_value());
}

TEST_CASE("transactions of one lane run in the order given") {
    Desk desk;
    std::vector<int> order;
    std::vector<Answer> answers;
    Barrier barrier;
    answers.push_back(desk.write(barrier.transaction(), "gate-1"));
    for (int i = 0; i < 50; ++i)
        answers.push_back(desk.write(
            [&order, i](Repositories&) {
                order.push_back(i);
                return Decision::undo;
            },
            "gate-1"));
    barrier.open();
    for (auto& answer : answers) CHECK_FALSE(answer.get().has_value());
    REQUIRE(order.size() == 50);
    for (int i = 0; i < 50; ++i) CHECK(order[static_cast<std::size_t>(i)] == i);
}

TEST_CASE("beyond its limit the queue says busy at once, and what it took is done") {
    Desk desk;
    Barrier barrier;
    std::vector<Answer> answers;
    answers.push_back(desk.write(barrier.transaction(), "one"));
    std::atomic<int> ran{0};
    std::size_t refused = 0;
    // One more than fits, whether or not the writer has taken the first already.
    for (std::size_t i = 0; i < Store::queue_max + Store::group_max + 1; ++i)
        answers.push_back(desk.write(
            [&ran](Repositories&) {
                ++ran;
                return Decision::undo;
            },
            "one"));
    barrier.open();
    for (auto& answer : answers) {
        const auto fault = answer.get();
        if (fault) CHECK(*fault == Fault::busy);
        refused += fault.has_value();
    }
    CHECK(refused >= 1);
    CHECK(static_cast<std::size_t>(ran) == answers.size() - 1 - refused);
}

TEST_CASE("what was accepted before the end is done, what comes after it is not") {
    Desk desk;
    std::vector<Answer> answers;
    for (int i = 0; i < 100; ++i)
        answers.push_back(desk.write([i](Repositories& r) {
            r.meta.put("n" + std::to_string(i), "x");
            return Decision::keep;
        }));
    desk.store.reset();
    for (auto& answer : answers) CHECK_FALSE(answer.get().has_value());
    desk.open();
    CHECK(desk.value("n99") == "x");
}

TEST_CASE("a database of a newer release is refused") {
    Desk desk;
    desk.store.reset();
    desk.database.run("INSERT INTO schema_step (number, name, applied_ms) VALUES (9999, 'x', 0)");
    const auto opened = desk.try_open();
    REQUIRE(opened.has_error());
    CHECK(opened.error() == Fault::schema_newer);
}

TEST_CASE("generations rise, whatever the clock does") {
    Desk desk;
    CHECK_FALSE(desk.store
                    ->write_now([](Repositories& r) {
                        CHECK(r.meta.begin_generation(wall_from_ms(5'000), "restored") ==
                              Generation{5'000});
                        CHECK(r.meta.begin_generation(wall_from_ms(10), "clock went back") ==
                              Generation{5'001});
                        return Decision::keep;
                    })
                    .has_value());
}

TEST_CASE("a null, the largest number and words of every script come back as they went") {
    Desk desk;
    const std::string words = "黄山 Ω 🎫 'quoted' \\ :a %s";
    CHECK_FALSE(desk.put("words", words).has_value());
    CHECK(desk.value("words") == words);
    using server::findings::Finding;
    CHECK_FALSE(desk.store
                    ->write_now([](Repositories& r) {
                        r.findings.add({.kind = server::findings::Kind::fork,
                                        .at = wall_from_ms(5),
                                        .site = std::nullopt,
                                        .device = std::nullopt,
                                        .ticket = std::nullopt,
                                        .epoch = std::nullopt,
                                        .seq = INT64_MAX,
                                        .detail = ""});
                        return Decision::keep;
                    })
                    .has_value());
    CHECK_FALSE(desk.store
                    ->read([](Repositories& r) {
                        const auto found = r.findings.newest(INT64_MAX, 10);
                        REQUIRE(found.size() == 1);
                        CHECK_FALSE(found[0].site.has_value());
                        CHECK(found[0].seq == INT64_MAX);
                    })
                    .has_value());
}

TEST_CASE("an event that replaced the last one comes to who had followed the log to its end") {
    Desk desk;
    std::uint64_t position = 0;
    std::vector<std::uint64_t> followed;
    const auto event = [](std::uint64_t seq) {
        return server::ingest::StoredEvent{.device = *DeviceId::parse("gate"),
                                           .epoch = Epoch{1},
                                           .seq = seq,
                                           .event = Bytes{1},
                                           .received_at = {},
                                           .position = 0,
                                           .verdict = std::nullopt};
    };
    const auto write = [&](const std::function<void(Repositories&)>& act) {
        CHECK_FALSE(desk.store
                        ->write_now([&](Repositories& r) {
                            act(r);
                            return Decision::keep;
                        })
                        .has_value());
        CHECK_FALSE(desk.store
                        ->read([&](Repositories& r) {
                            for (const auto& one : r.ingest.log_after(position, 10)) {
                                position = one.position;
                                followed.push_back(one.seq);
                            }
                        })
                        .has_value());
    };
    const auto add = [&](std::uint64_t seq) {
        write([&](Repositories& r) { r.ingest.add(event(seq), Digest{}); });
    };
    add(1);
    // As a database of a release that kept no last places: they are known from the start on.
    if (Database::on_postgres())
        desk.database.run("UPDATE meta SET value = 'locked by the sealer' WHERE name = 'places'");
    desk.reopen();
    write([&](Repositories& r) { r.ingest.replace(event(1)); });
    add(2);
    write([&](Repositories& r) { r.ingest.replace(event(2)); });
    write([&](Repositories& r) { r.ingest.replace(event(2)); });
    add(3);
    CHECK(followed == std::vector<std::uint64_t>{1, 1, 2, 2, 2, 3});
}
