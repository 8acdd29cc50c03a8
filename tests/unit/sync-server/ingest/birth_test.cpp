// What a device says when it connects, against a server that may have forgotten.
#include <filesystem>

#include "sync-server/checkins/checkins.hpp"
#include "tests/unit/sync-server/ingest/world.hpp"

using namespace pf;
using namespace pf::tests;
using server::findings::Kind;

namespace {

struct OneGate : World {
    OneGate() {
        add_site();
        gate.emplace(add_gate("gate-1"));
        gate->write_filler(10);
    }
    wire::Birth birth() {
        wire::Birth out;
        out.connect_counter = ++counter;
        out.journal = gate->at(gate->end());
        out.confirmed = confirmed;
        out.confirmed_generation = confirmed_generation;
        return out;
    }
    Effects be_born(const wire::Birth& birth) {
        const auto me = device(gate->id());
        return act([&](Repositories& r, const Call& call) {
            return server::ingest::on_birth(r, call, me, birth);
        });
    }
    wire::Ack answer(const Effects& effects) {
        const auto found = acks(effects, device(gate->id()));
        REQUIRE_FALSE(found.empty());
        return found.front();  // on a branch the first history's end follows
    }
    /// The device believes an ack, as firmware/sync/outbox.cpp does.
    void believe(const wire::Ack& ack) {
        confirmed = ack.upto;
        confirmed_generation = ack.generation;
    }
    std::optional<Gate> gate;
    std::optional<journal::Cursor> confirmed;
    Generation confirmed_generation;
    std::uint64_t counter = 0;
};

}  // namespace

TEST_CASE("a birth is answered with where the server stands") {
    OneGate world;
    CHECK(world.answer(world.be_born(world.birth())).upto == world.gate->at(0));
    world.believe(world.answer(world.deliver(*world.gate, world.gate->batch(1, 7))));
    const auto ack = world.answer(world.be_born(world.birth()));
    CHECK(ack.upto == world.gate->at(7));
    CHECK(ack.generation == world.generation());
    CHECK(world.findings().empty());
}

TEST_CASE("a restored server learns from the first birth that it forgot, and gets everything") {
    OneGate world;
    world.believe(world.answer(world.deliver(*world.gate, world.gate->batch(1, 4))));
    world.close();
    world.database.save();
    world.open();
    world.believe(world.answer(world.deliver(*world.gate, world.gate->batch(5, 9))));
    const Generation before = world.generation();
    world.close();
    world.database.restore();
    world.open();

    const Effects effects = world.be_born(world.birth());
    const auto ack = world.answer(effects);
    CHECK(ack.generation > before);
    CHECK(ack.generation == world.generation());
    CHECK(ack.upto == world.gate->at(4));
    CHECK(effects.moved == std::set<SiteId>{SiteId{1}});
    REQUIRE(world.findings().size() == 1);
    CHECK(world.findings().front().kind == Kind::state_lost);
    world.believe(ack);
    world.believe(world.answer(world.deliver(*world.gate, world.gate->batch(5, 10))));
    CHECK(world.confirmed == world.gate->at(10));
    // The next birth proves nothing any more.
    const Generation now = world.generation();
    CHECK(world.answer(world.be_born(world.birth())).generation == now);
    CHECK(world.findings().size() == 1);
}

TEST_CASE("what proves a loss, and what does not") {
    struct Case {
        const char* name;
        void (*say)(OneGate&, wire::Birth&);
        bool lost;
    };
    const Case cases[] = {
        {"confirmed as far as we know", [](OneGate&, wire::Birth&) {}, false},
        {"confirmed further", [](OneGate& w, wire::Birth& b) { b.confirmed = w.gate->at(9); },
         true},
        {"confirmed further in an older generation",
         [](OneGate& w, wire::Birth& b) {
             b.confirmed = w.gate->at(9);
             b.confirmed_generation.value -= 1;
         },
         false},
        {"another head", [](OneGate&, wire::Birth& b) { b.confirmed->head[0] ^= 1; }, true},
        {"confirmed in an epoch we never heard of",
         [](OneGate&, wire::Birth& b) { b.confirmed->epoch.value ^= 1; }, true},
        {"a generation after ours",
         [](OneGate&, wire::Birth& b) { b.uses_generation.value = 2'000; }, true},
        {"a generation from the future",
         [](OneGate&, wire::Birth& b) { b.uses_generation.value = UINT64_MAX; }, false},
        {"a later list",
         [](OneGate& w, wire::Birth& b) {
             b.lists.push_back({wire::ListScope::tickets, w.generation(), 2, {}});
         },
         true},
        {"the list as it is",
         [](OneGate& w, wire::Birth& b) {
             b.lists.push_back({wire::ListScope::tickets, w.generation(), 1, {}});
         },
         false},
        {"more uses",
         [](OneGate& w, wire::Birth& b) {
             b.uses_generation = w.generation();
             b.uses_position = 1;
         },
         true},
    };
    for (const Case& c : cases) {
        CAPTURE(c.name);
        OneGate world;
        world.believe(world.answer(world.deliver(*world.gate, world.gate->batch(1, 7))));
        const Generation before = world.generation();
        wire::Birth birth = world.birth();
        c.say(world, birth);
        const auto ack = world.answer(world.be_born(birth));
        CHECK((ack.generation > before) == c.lost);
        CHECK(ack.upto == world.gate->at(7));
        CHECK(world.findings(Kind::state_lost).size() == (c.lost ? 1 : 0));
    }
}

TEST_CASE("a device on a branch lost nothing: what was confirmed to it is here") {
    OneGate world;
    world.deliver(*world.gate);
    world.gate->roll_back(5);
    world.gate->write_filler(2);
    world.believe(world.answer(world.deliver(*world.gate, world.gate->batch(6, 7))));
    const Generation before = world.generation();
    const auto ack = world.answer(world.be_born(world.birth()));
    CHECK(ack.generation == before);
    CHECK(ack.upto.seq == 10);  // the first history: the device opens a new epoch
    CHECK(world.findings(Kind::state_lost).empty());
}

namespace {

Effects say_begins(World& world, const Gate& gate, const journal::Cursor& begin) {
    return world.act([&](Repositories& r, const Call& call) {
        const auto device = server::fleet::device(r, gate.id());
        return server::ingest::on_begins(r, call, *device, wire::Begins{begin});
    });
}

std::size_t logged(World& world) {
    return world
        .act([](Repositories& r, const Call&) { return server::ingest::log_after(r, 0, 100); })
        .size();
}

}  // namespace

TEST_CASE("a file that begins behind what was forgotten here") {
    for (const std::uint64_t had : {0U, 5U}) {
        CAPTURE(had);
        World world;
        world.add_site();
        Gate gate = world.add_gate("gate-1");
        gate.write_filler(30);
        const auto answered = [&](const Effects& effects) {
            const auto all = acks(effects, world.device(gate.id()));
            REQUIRE(all.size() == 1);
            return all[0].upto;
        };
        if (had > 0) world.deliver(gate, gate.batch(1, had));
        // Beyond the gap nothing is booked until the device says that there is nothing before.
        CHECK(answered(world.deliver(gate, gate.batch(21, 30))) == gate.at(had));
        CHECK(answered(say_begins(world, gate, gate.at(20))) == gate.at(20));
        REQUIRE(world.findings(Kind::state_lost).size() == 1);
        CHECK(world.findings()[0].detail.find("events " + std::to_string(had + 1) +
                                              " to 20 are gone") != std::string::npos);
        CHECK(answered(world.deliver(gate, gate.batch(21, 25))) == gate.at(25));
        // Delivered again, overlapping, said again: as ever.
        CHECK(answered(world.deliver(gate, gate.batch(21, 30))) == gate.at(30));
        CHECK(answered(say_begins(world, gate, gate.at(20))) == gate.at(20));
        CHECK(answered(say_begins(world, gate, gate.at(10))) == gate.at(30));
        CHECK(world.findings().size() == 1);
        CHECK(logged(world) == had + 1 + 10);
    }
}

TEST_CASE("a wrong head where a file begins books nothing that follows") {
    World world;
    world.add_site();
    Gate gate = world.add_gate("gate-1");
    gate.write_filler(30);
    journal::Cursor wrong = gate.at(20);
    wrong.head[0] ^= 1;
    say_begins(world, gate, wrong);
    world.deliver(gate, gate.batch(21, 30));
    CHECK(logged(world) == 1);
}

TEST_CASE("events come after all where a file was said to begin later") {
    World world;
    world.add_site();
    Gate gate = world.add_gate("gate-1");
    gate.write_filler(4);
    const TicketId in_hole{0x11}, at_stand_in{0x12};
    gate.write(admitted(in_hole));
    gate.write_filler(14);
    gate.write(admitted(at_stand_in));  // event 20: where the stand-in is
    gate.write_filler(10);
    world.deliver(gate, gate.batch(1, 2));
    say_begins(world, gate, gate.at(20));
    world.deliver(gate, gate.batch(21, 25));
    const auto uses = [&](TicketId ticket) {
        return world
            .act([&](Repositories& r, const Call&) {
                return server::checkins::of_ticket(r, ticket);
            })
            .size();
    };
    const auto end = [&] {
        return *world.act([&](Repositories& r, const Call&) {
            return server::ingest::cursor(r, gate.id(), gate.epoch());
        });
    };
    REQUIRE(logged(world) == 2 + 1 + 5);

    // An old export, in one piece or two, and again: each event once, the end where it was.
    for (const auto& [first, last] : {std::pair{1, 12}, {1, 20}, {3, 22}, {1, 20}})
        world.deliver(
            gate, gate.batch(static_cast<std::uint64_t>(first), static_cast<std::uint64_t>(last)));
    CHECK(end() == gate.at(25));
    CHECK(logged(world) == 25);
    CHECK(uses(in_hole) == 1);
    CHECK(uses(at_stand_in) == 1);
    world.deliver(gate, gate.batch(20, 30));
    CHECK(end() == gate.at(30));
    CHECK(logged(world) == 30);
    CHECK(world.findings(Kind::state_lost).size() == 1);
    CHECK(world.findings(Kind::ticket_unknown).size() == 2);
    CHECK(world.findings().size() == 3);

    // Another past than the one in the hole is a fork, as anywhere.
    Gate copy = gate;
    copy.roll_back(7);
    copy.write(journal::Booted{"copy"});
    world.deliver(copy, copy.tail(3));
    CHECK(world.findings(Kind::fork).size() == 1);
    CHECK(end() == gate.at(30));
}

TEST_CASE("a device that lies about where its file begins harms only its own journal") {
    World world;
    world.add_site();
    Gate gate = world.add_gate("gate-1");
    gate.write_filler(10);
    journal::Cursor wild = gate.at(10);
    wild.seq = 1'000;
    say_begins(world, gate, wild);
    world.deliver(gate, gate.batch(1, 10));
    CHECK(logged(world) == 11);
    wild.seq = INT64_MAX;
    say_begins(world, gate, wild);
    gate.write_filler(5);
    world.deliver(gate, gate.batch(3, 15));
    CHECK(logged(world) == 17);
    world.deliver(gate, gate.batch(1, 15));
    CHECK(logged(world) == 17);
}
