// common/mqtt/link.hpp, sentence by sentence, on the real adapter and on the simulator's link.
#include <doctest/doctest.h>

#include "tests/contract/link/world.hpp"
#include "tests/support/mqtt/listener.hpp"

using namespace pf;
using namespace pf::tests;
using mqtt::Fault;
using mqtt::PublishId;

#define WORLDS Paho5World, Paho311World, Fake5World, Fake311World

namespace {

const Bytes hello = to_bytes("hello");

/// A link and its owner.
struct End {
    End(LinkWorld& world, const LinkWish& wish) : link{world.make_link(wish)} {}

    Listener heard;
    std::unique_ptr<mqtt::Link> link;  // gone before its owner
};

/// Opens them all at once, and waits until all are up.
template <class... Ends>
void open(LinkWorld& world, Ends&... ends) {
    (ends.link->open(ends.heard), ...);
    REQUIRE(world.run_until([&] { return ((ends.heard.ups >= 1) && ...); }));
}

LinkWish server_wish() { return {.client_id = server_id, .subscriptions = {"pf/1/+/d/+/up/#"}}; }
LinkWish gate_wish(const std::string& id, const std::string& root) {
    return {.client_id = id, .subscriptions = {root + "dn/#"}};
}

std::optional<Fault> fate_of(LinkWorld& world, End& end, const std::string& topic,
                             const Bytes& payload) {
    const auto id = end.link->publish(topic, payload);
    REQUIRE(id.has_value());
    REQUIRE(world.run_until([&] { return end.heard.sent.contains(*id); }));
    return end.heard.sent.at(*id);
}

Bytes big_payload(std::size_t size) {
    Bytes bytes(size);
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<Byte>(i * 31 + i / 251);
    return bytes;
}

}  // namespace

TEST_CASE_TEMPLATE("messages travel both ways, whatever their size", World, WORLDS) {
    World world;
    End server{world, server_wish()};
    End gate{world, gate_wish(gate_1, root_1)};
    open(world, server, gate);
    CHECK(gate.link->up());

    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{200'000}}) {
        CAPTURE(size);
        const Bytes payload = big_payload(size);
        CHECK(fate_of(world, gate, root_1 + "up/events", payload) == std::nullopt);
        CHECK(fate_of(world, server, root_1 + "dn/ack", payload) == std::nullopt);
        CHECK(world.run_until([&] { return !server.heard.messages.empty(); }));
        CHECK(world.run_until([&] { return !gate.heard.messages.empty(); }));
        CHECK(server.heard.messages == std::vector{mqtt::Message{root_1 + "up/events", payload}});
        CHECK(gate.heard.messages == std::vector{mqtt::Message{root_1 + "dn/ack", payload}});
        server.heard.messages.clear();
        gate.heard.messages.clear();
    }
}

TEST_CASE_TEMPLATE("the will is asked for at each connect and published after a cut", World,
                   WORLDS) {
    World world;
    End server{world, server_wish()};
    End gate{world, gate_wish(gate_1, root_1)};
    gate.heard.will = [&] {
        return mqtt::Will{root_1 + "up/will", to_bytes(std::to_string(gate.heard.connecting))};
    };
    open(world, server, gate);
    CHECK(gate.heard.connecting == 1);

    world.cut(gate_1);
    REQUIRE(world.run_until([&] { return server.heard.messages.size() == 1; }));
    CHECK(server.heard.messages[0] == mqtt::Message{root_1 + "up/will", to_bytes("1")});
    REQUIRE(world.run_until([&] { return gate.heard.ups == 2; }));
    CHECK(gate.heard.downs == std::vector{Fault::lost});

    world.cut(gate_1);
    REQUIRE(world.run_until([&] { return server.heard.messages.size() == 2; }));
    CHECK(server.heard.messages[1].payload == to_bytes(std::to_string(gate.heard.connecting)));
}

TEST_CASE_TEMPLATE("a polite end publishes no will", World, WORLDS) {
    World world;
    End server{world, server_wish()};
    End gate{world, gate_wish(gate_1, root_1)};
    gate.heard.will = [] { return mqtt::Will{root_1 + "up/will", hello}; };
    open(world, server, gate);

    gate.link->close();
    CHECK_FALSE(gate.link->up());
    // What the same client says after its next connect comes after any will of the one before.
    gate.link->open(gate.heard);
    REQUIRE(world.run_until([&] { return gate.heard.ups == 2; }));
    CHECK(fate_of(world, gate, root_1 + "up/marker", hello) == std::nullopt);
    REQUIRE(world.run_until([&] { return server.heard.has(root_1 + "up/marker"); }));
    CHECK_FALSE(server.heard.has(root_1 + "up/will"));
    CHECK(gate.heard.downs.empty());
}

TEST_CASE_TEMPLATE("a device writes into its own up/ only", World, WORLDS) {
    World world;
    End server{world, {.client_id = server_id, .subscriptions = {"pf/1/#"}}};
    End gate{world, gate_wish(gate_1, root_1)};
    open(world, server, gate);
    const std::optional<Fault> refused =
        world.refusals_visible() ? std::optional{Fault::not_authorised} : std::nullopt;

    for (const std::string& topic :
         {root_2 + "up/events", root_2 + "dn/ack", root_1 + "dn/ack", root_1 + "other",
          std::string{"pf/1/4/d/gate-1/up/events"}, std::string{"pf/1/3/d/gate-11/up/events"},
          std::string{"pf/2/3/d/gate-1/up/events"}, std::string{"elsewhere"}}) {
        CAPTURE(topic);
        CHECK(fate_of(world, gate, topic, hello) == refused);
    }
    CHECK(fate_of(world, gate, root_1 + "up/marker", hello) == std::nullopt);
    REQUIRE(world.run_until([&] { return server.heard.has(root_1 + "up/marker"); }));
    CHECK(server.heard.messages.size() == 1);
}

TEST_CASE_TEMPLATE("a device reads its own dn/ only", World, WORLDS) {
    World world;
    End server{world, server_wish()};
    End spy{world, {.client_id = gate_2, .subscriptions = {"#", "pf/1/+/d/+/dn/#"}}};
    open(world, server, spy);

    CHECK(fate_of(world, server, root_1 + "dn/ack", hello) == std::nullopt);
    CHECK(fate_of(world, server, root_1 + "up/events", hello) == std::nullopt);
    CHECK(fate_of(world, server, root_2 + "up/events", hello) == std::nullopt);
    CHECK(fate_of(world, server, root_2 + "dn/marker", hello) == std::nullopt);
    REQUIRE(world.run_until([&] { return spy.heard.has(root_2 + "dn/marker"); }));
    for (const mqtt::Message& message : spy.heard.messages) {
        CHECK(message.topic == root_2 + "dn/marker");
    }
}

TEST_CASE_TEMPLATE("after a cut the link comes back by itself, subscriptions and all", World,
                   WORLDS) {
    World world;
    End server{world, server_wish()};
    End gate{world, gate_wish(gate_1, root_1)};
    open(world, server, gate);

    world.cut(gate_1);
    REQUIRE(world.run_until([&] { return gate.heard.downs.size() == 1; }));
    CHECK(gate.heard.downs[0] == Fault::lost);
    CHECK_FALSE(gate.link->up());
    CHECK(gate.link->publish(root_1 + "up/events", hello).error() == Fault::down);
    REQUIRE(world.run_until([&] { return gate.heard.ups == 2; }));
    CHECK(fate_of(world, server, root_1 + "dn/ack", hello) == std::nullopt);
    CHECK(world.run_until([&] { return gate.heard.has(root_1 + "dn/ack"); }));
    CHECK(fate_of(world, gate, root_1 + "up/events", hello) == std::nullopt);
}

TEST_CASE_TEMPLATE("what was sent while a client was away is gone", World, WORLDS) {
    World world;
    End server{world, server_wish()};
    End gate{world, gate_wish(gate_1, root_1)};
    open(world, server, gate);
    world.set_wire(gate_1, false);
    world.cut(gate_1);
    // A failed attempt: by now the broker has noticed too.
    REQUIRE(world.run_until([&] { return gate.heard.downs.size() >= 2; }));

    CHECK(fate_of(world, server, root_1 + "dn/missed", hello) == std::nullopt);
    world.set_wire(gate_1, true);
    REQUIRE(world.run_until([&] { return gate.heard.ups == 2; }));
    CHECK(fate_of(world, server, root_1 + "dn/marker", hello) == std::nullopt);
    REQUIRE(world.run_until([&] { return gate.heard.has(root_1 + "dn/marker"); }));
    CHECK_FALSE(gate.heard.has(root_1 + "dn/missed"));
}

TEST_CASE_TEMPLATE("each failed attempt is told, and the link goes on trying", World, WORLDS) {
    World world;
    End gate{world, gate_wish(gate_1, root_1)};
    open(world, gate);
    world.set_wire(gate_1, false);
    world.cut(gate_1);
    REQUIRE(world.run_until([&] { return gate.heard.downs.size() >= 4; }));
    CHECK(gate.heard.ups == 1);
    CHECK_FALSE(gate.link->up());
    world.set_wire(gate_1, true);
    CHECK(world.run_until([&] { return gate.heard.ups == 2; }));
}

TEST_CASE_TEMPLATE("a full window refuses, and opens again", World, WORLDS) {
    World world;
    LinkWish wish = gate_wish(gate_1, root_1);
    wish.limits.in_flight_max = 3;
    End server{world, server_wish()};
    End gate{world, wish};
    open(world, server, gate);

    for (int round = 0; round < 3; ++round) {
        for (int i = 0; i < 3; ++i) {
            CHECK(gate.link->publish(root_1 + "up/events", hello).has_value());
        }
        CHECK(gate.link->publish(root_1 + "up/events", hello).error() == Fault::window_full);
        const std::size_t total = 3U * (static_cast<std::size_t>(round) + 1U);
        REQUIRE(world.run_until([&] { return gate.heard.sent.size() == total; }));
    }
    CHECK(world.run_until([&] { return server.heard.messages.size() == 9; }));
    CHECK(gate.heard.sent_twice == 0);
}

TEST_CASE_TEMPLATE("every message in flight has its end when the connection is lost", World,
                   WORLDS) {
    World world;
    End gate{world, gate_wish(gate_1, root_1)};
    open(world, gate);
    std::vector<PublishId> ids;
    for (int i = 0; i < 20; ++i) {
        const auto id = gate.link->publish(root_1 + "up/events", big_payload(100'000));
        REQUIRE(id.has_value());
        ids.push_back(*id);
    }
    world.cut(gate_1);
    REQUIRE(world.run_until([&] { return !gate.heard.downs.empty(); }));
    CHECK(gate.heard.sent_before_down == ids.size());
    CHECK(gate.heard.sent.size() == ids.size());
    CHECK(gate.heard.sent_twice == 0);
    for (const auto& [id, fault] : gate.heard.sent) {
        CHECK((fault == std::nullopt || fault == Fault::lost));
    }
}

TEST_CASE_TEMPLATE("what can't be sent is refused at once", World, WORLDS) {
    World world;
    LinkWish wish = gate_wish(gate_1, root_1);
    wish.limits.payload_bytes_max = 1'000;
    End gate{world, wish};

    CHECK(gate.link->publish(root_1 + "up/events", hello).error() == Fault::down);
    gate.link->open(gate.heard);
    CHECK(gate.link->publish(root_1 + "up/events", hello).error() == Fault::down);
    REQUIRE(world.run_until([&] { return gate.heard.ups == 1; }));
    CHECK(gate.link->publish(root_1 + "up/events", Bytes(1'001)).error() == Fault::too_large);
    CHECK(gate.link->publish("", hello).error() == Fault::bad_topic);
    CHECK(gate.link->publish(root_1 + "up/#", hello).error() == Fault::bad_topic);
    CHECK(gate.link->publish(root_1 + "up/+", hello).error() == Fault::bad_topic);
    CHECK(gate.link->publish(std::string(257, 'x'), hello).error() == Fault::bad_topic);
    CHECK(fate_of(world, gate, root_1 + "up/events", Bytes(1'000)) == std::nullopt);
    gate.link->close();
    CHECK(gate.link->publish(root_1 + "up/events", hello).error() == Fault::down);
    CHECK(gate.heard.sent.size() == 1);
}

TEST_CASE_TEMPLATE("a message larger than agreed is dropped and counted", World, WORLDS) {
    World world;
    LinkWish wish = gate_wish(gate_1, root_1);
    wish.limits.payload_bytes_max = 1'000;
    End server{world, server_wish()};
    End gate{world, wish};
    open(world, server, gate);
    CHECK(fate_of(world, server, root_1 + "dn/big", Bytes(1'001)) == std::nullopt);
    CHECK(fate_of(world, server, root_1 + "dn/fits", Bytes(1'000)) == std::nullopt);
    REQUIRE(world.run_until([&] { return gate.heard.has(root_1 + "dn/fits"); }));
    CHECK(gate.heard.dropped == 1);
    CHECK(gate.heard.messages.size() == 1);
}

TEST_CASE_TEMPLATE("after close() nothing is heard, and open() begins anew", World, WORLDS) {
    World world;
    End server{world, server_wish()};
    End gate{world, gate_wish(gate_1, root_1)};
    open(world, server, gate);
    // Closed from inside an event, with more on the way.
    gate.heard.hear = [&](const mqtt::Message&) { gate.link->close(); };
    for (int i = 0; i < 5; ++i) CHECK(server.link->publish(root_1 + "dn/n", hello).has_value());
    CHECK(gate.link->publish(root_1 + "up/events", hello).has_value());
    REQUIRE(world.run_until([&] { return server.heard.sent.size() == 5; }));
    REQUIRE(world.run_until([&] { return !gate.link->up(); }));
    gate.heard.hear = [](const mqtt::Message&) {};
    CHECK(gate.heard.messages.size() == 1);
    const std::size_t sent = gate.heard.sent.size();

    gate.link->open(gate.heard);
    REQUIRE(world.run_until([&] { return gate.heard.ups == 2; }));
    CHECK(fate_of(world, server, root_1 + "dn/marker", hello) == std::nullopt);
    REQUIRE(world.run_until([&] { return gate.heard.has(root_1 + "dn/marker"); }));
    CHECK(gate.heard.messages.size() == 2);
    CHECK(gate.heard.sent.size() == sent);
    CHECK(gate.heard.downs.empty());
    gate.link->close();
    gate.link->close();
}

TEST_CASE_TEMPLATE("a second connection of the same name ends the first", World, WORLDS) {
    World world;
    End first{world, gate_wish(gate_1, root_1)};
    End second{world, gate_wish(gate_1, root_1)};
    open(world, first);
    open(world, second);
    REQUIRE(world.run_until([&] { return !first.heard.downs.empty(); }));
    CHECK(first.heard.downs[0] == Fault::lost);
}
