// Who acts for which partition, on a clock that is moved by hand.
#include "sync-server/leases/leases.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <set>

#include "sync-server/leases/repository.hpp"
#include "sync-server/store/store.hpp"
#include "tests/support/database/database.hpp"

using namespace pf;
using namespace pf::server;
using leases::Claim;
using leases::house;
using leases::Life;
using leases::Refusal;
using leases::Round;

namespace {

/// A database, its clock, and servers that come and go.
struct Field {
    tests::Database database;
    std::unique_ptr<store::Store> store = [this] {
        auto opened = store::Store::open(
            {.database = database.where(), .vfs = {}, .threaded = false, .now = {}});
        REQUIRE(opened.has_value());
        return std::move(*opened);
    }();
    WallTime now = wall_from_ms(1'790'000'000'000);

    static Life life(const std::string& id, bool managed = false) {
        return {.id = id, .name = "server " + id, .managed_broker = managed};
    }
    Result<Round, Refusal> ask(const Life& self) {
        std::optional<Result<Round, Refusal>> out;
        REQUIRE_FALSE(store
                          ->write_now([&](Repositories& r) {
                              out = leases::turn(r, self, now);
                              return out->has_value() ? store::Decision::keep
                                                      : store::Decision::undo;
                          })
                          .has_value());
        return *out;
    }
    Round turn(const std::string& id) {
        const auto round = ask(life(id));
        REQUIRE_MESSAGE(round.has_value(), (round.has_error() ? to_text(round.error()) : ""));
        return *round;
    }
    void leave(const std::string& id) {
        REQUIRE_FALSE(store
                          ->write_now([&](Repositories& r) {
                              leases::leave(r, id);
                              return store::Decision::keep;
                          })
                          .has_value());
    }
    bool stands(const std::string& id, std::uint32_t part, std::uint64_t token) {
        bool out = false;
        REQUIRE_FALSE(
            store->read([&](Repositories& r) {
                     out = leases::stands(r, {id, part, token});
                 })
                .has_value());
        return out;
    }
    /// Every claim of that round stands.
    bool all_stand(const std::string& id, const Round& round) {
        bool out = true;
        for (const auto& [part, token] : round.held) out = out && stands(id, part, token);
        return out;
    }
};

std::size_t partitions(const Round& round) {
    return round.held.size() - (round.held.contains(house) ? 1 : 0);
}

}  // namespace

TEST_CASE("a server alone has everything, and keeps it under the same tokens while it renews") {
    Field field;
    const Round first = field.turn("a");
    CHECK(partitions(first) == 16);
    CHECK(first.held.contains(house));
    CHECK(first.settled);
    CHECK_FALSE(first.took_over);
    for (int i = 0; i < 20; ++i) {
        field.now += leases::renew_every_ms;
        CHECK(field.turn("a").held == first.held);
    }
    CHECK(field.all_stand("a", first));
    CHECK_FALSE(field.stands("b", 3, first.held.at(3)));
    CHECK_FALSE(field.stands("a", 3, first.held.at(3) + 1));
}

TEST_CASE("who comes gets a fair share, given up by those who had more, under higher tokens") {
    Field field;
    const Round all = field.turn("a");
    const Round empty = field.turn("b");
    CHECK(empty.held.empty());
    CHECK_FALSE(empty.settled);
    const Round half = field.turn("a");
    CHECK(partitions(half) == 8);
    CHECK(half.servers == 2);
    const Round other = field.turn("b");
    CHECK(partitions(other) == 8);
    CHECK(other.settled);
    CHECK_FALSE_MESSAGE(other.took_over, "given up is not left behind");
    CHECK(field.all_stand("a", half));
    CHECK(field.all_stand("b", other));
    for (const auto& [part, token] : other.held) {
        CHECK_FALSE(half.held.contains(part));
        CHECK(token > all.held.at(part));
        CHECK_FALSE(field.stands("a", part, all.held.at(part)));
    }
    // What a keeps, it kept all along.
    for (const auto& [part, token] : half.held) CHECK(token == all.held.at(part));

    (void)field.turn("c");
    (void)field.turn("a");
    (void)field.turn("b");
    std::vector<std::size_t> shares{partitions(field.turn("a")), partitions(field.turn("b")),
                                    partitions(field.turn("c"))};
    CHECK(shares == std::vector<std::size_t>{6, 5, 5});
    CHECK(field.turn("a").settled);
}

TEST_CASE("a server that is dead is replaced when its lease is over, not before") {
    Field field;
    (void)field.turn("a");
    (void)field.turn("b");
    const Round a = field.turn("a");
    (void)field.turn("b");
    field.now += leases::lease_ms;
    const Round before = field.turn("b");
    CHECK(partitions(before) == 8);
    field.now += Millis{1};
    const Round after = field.turn("b");
    CHECK(partitions(after) == 16);
    CHECK(after.took_over);
    CHECK(after.held.contains(house));
    CHECK(after.servers == 1);
    CHECK_FALSE(field.turn("b").took_over);
    for (const auto& [part, token] : a.held) CHECK_FALSE(field.stands("a", part, token));
}

TEST_CASE("a server that slept past its lease stands for nothing, and gets a share anew") {
    Field field;
    const Round a = field.turn("a");
    field.now += leases::lease_ms + Millis{1};
    (void)field.turn("b");
    for (const auto& [part, token] : a.held) CHECK_FALSE(field.stands("a", part, token));
    // It wakes and asks.
    CHECK(field.turn("a").held.empty());
    (void)field.turn("b");
    const Round again = field.turn("a");
    CHECK(partitions(again) == 8);
    for (const auto& [part, token] : again.held) CHECK(token > a.held.at(part));
}

TEST_CASE("a server that slept while nobody else came still stands for what it had") {
    Field field;
    const Round a = field.turn("a");
    field.now += leases::lease_ms * 100;
    CHECK(field.all_stand("a", a));
    CHECK(field.turn("a").held == a.held);
}

TEST_CASE("who leaves leaves everything to the others at once") {
    Field field;
    (void)field.turn("a");
    (void)field.turn("b");
    const Round a = field.turn("a");
    field.leave("a");
    CHECK_FALSE(field.stands("a", a.held.begin()->first, a.held.begin()->second));
    const Round b = field.turn("b");
    CHECK(b.held.size() == leases::part_count);
    CHECK_FALSE(b.took_over);
}

TEST_CASE("a broker of its own makes a server be alone") {
    Field field;
    CHECK(field.ask(Field::life("a", true)).has_value());
    CHECK(field.ask(Field::life("b", true)).error() == Refusal::managed_elsewhere);
    CHECK(field.ask(Field::life("b", false)).error() == Refusal::managed_elsewhere);
    // Renewing goes on.
    CHECK(field.ask(Field::life("a", true)).has_value());
    field.leave("a");
    CHECK(field.ask(Field::life("b", false)).has_value());
    CHECK(field.ask(Field::life("a", true)).error() == Refusal::managed_here);
    field.now += leases::lease_ms + Millis{1};
    CHECK(field.ask(Field::life("c", true)).has_value());
    // It woke up, and is in the way of the one that came.
    CHECK(field.ask(Field::life("b", false)).error() == Refusal::managed_elsewhere);
}

TEST_CASE("sixteen servers have a partition and a name each; there is no place for a seventeenth") {
    Field field;
    const auto name = [](std::size_t i) { return "s" + std::to_string(100 + i); };
    for (std::size_t round = 0; round < 3; ++round)
        for (std::size_t i = 0; i < leases::servers_max; ++i) (void)field.turn(name(i));
    std::set<std::uint32_t> seats;
    for (std::size_t i = 0; i < leases::servers_max; ++i) {
        const Round round = field.turn(name(i));
        CHECK(partitions(round) == 1);
        seats.insert(round.seat);
    }
    CHECK(seats.size() == leases::servers_max);
    CHECK(field.ask(Field::life("late")).error() == Refusal::full);
    // The name of the one that is dead longest is given away first; it gets another when it wakes.
    const std::uint32_t seat = field.turn(name(7)).seat;
    field.now += leases::lease_ms / 2;
    for (std::size_t i = 0; i < leases::servers_max; ++i)
        if (i != 7 && i != 9) (void)field.turn(name(i));
    field.now += leases::lease_ms / 2;
    (void)field.turn(name(9));
    field.now += Millis{1};
    CHECK(field.turn("late").seat == seat);
    CHECK(field.ask(Field::life(name(7))).error() == Refusal::full);
}

TEST_CASE("a clock that went back does not keep the dead alive") {
    Field field;
    (void)field.turn("a");
    field.now -= Millis{60 * 60 * 1000};
    CHECK(field.turn("b").held.empty());
    field.now += leases::lease_ms + Millis{1};
    CHECK(partitions(field.turn("b")) == 16);
}

TEST_CASE("the clock is the database's, and goes") {
    Field field;
    WallTime first, second;
    REQUIRE_FALSE(field.store
                      ->write_now([&](Repositories& r) {
                          first = r.leases.clock();
                          second = r.leases.clock();
                          return store::Decision::undo;
                      })
                      .has_value());
    CHECK(to_ms(first) > 1'700'000'000'000);
    CHECK(second >= first);
    CHECK(second - first < Millis{60'000});
}
