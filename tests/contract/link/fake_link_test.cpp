// The simulator's own side of the fake: faults, partitions, crashes, and the same run for a seed.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "tests/contract/link/world.hpp"
#include "tests/support/mqtt/listener.hpp"

using namespace pf;
using namespace pf::tests;
using mqtt::Fault;

namespace {

const Bytes hello = to_bytes("hello");

struct Town {
    explicit Town(std::uint64_t seed, const LinkFaults& faults = {}) : broker{seed, faults} {
        broker.allow_server(server_id);
        broker.allow_device(gate_1, root_1);
        server = broker.make_link({.client_id = server_id, .subscriptions = {"pf/1/+/d/+/up/#"}});
        gate = broker.make_link({.client_id = gate_1, .subscriptions = {root_1 + "dn/#"}});
        gate_heard.will = [] { return mqtt::Will{root_1 + "up/will", hello}; };
        server->open(server_heard);
        gate->open(gate_heard);
    }
    void run_for(std::int64_t ms) { broker.run_until(broker.now() + Millis{ms}); }

    FakeBroker broker;
    Listener server_heard, gate_heard;
    std::unique_ptr<mqtt::Link> server, gate;
};

/// A long chat under every fault; what happened, as text.
std::string chat(std::uint64_t seed, LinkDamage& damage) {
    Town town{seed,
              {.loss = 50, .duplication = 50, .reorder = 50, .cut = 10, .latency_ms_max = 40}};
    for (int i = 0; i < 500; ++i) {
        town.run_for(50);
        const Bytes text = to_bytes(std::to_string(i));
        (void)town.gate->publish(root_1 + "up/events", text);
        (void)town.server->publish(root_1 + "dn/ack", text);
    }
    town.run_for(60'000);
    damage = town.broker.damage();
    std::string story;
    for (const Listener* heard : {&town.server_heard, &town.gate_heard}) {
        for (const auto& message : heard->messages)
            story += fmt::format("{} ", as_text(message.payload));
        story += fmt::format("| {} {} {}\n", heard->ups, heard->downs.size(), heard->sent.size());
    }
    return story;
}

}  // namespace

TEST_CASE("a seed tells one story, another seed another, and every fault happens") {
    LinkDamage first{}, again{}, other{};
    const std::string story = chat(1, first);
    CHECK(chat(1, again) == story);
    CHECK(chat(2, other) != story);
    CHECK(first.lost > 0);
    CHECK(first.duplicated > 0);
    CHECK(first.reordered > 0);
    CHECK(first.cut > 0);
    CHECK(first.delivered > 0);
}

TEST_CASE("without faults messages keep their order") {
    Town town{5};
    town.run_for(1'000);
    for (int i = 0; i < 15; ++i) {
        REQUIRE(town.gate->publish(root_1 + "up/n", Bytes{static_cast<Byte>(i)}).has_value());
    }
    town.run_for(1'000);
    REQUIRE(town.server_heard.messages.size() == 15);
    for (std::size_t i = 0; i < 15; ++i) {
        CHECK(town.server_heard.messages[i].payload == Bytes{static_cast<Byte>(i)});
    }
}

TEST_CASE("a short partition delays, a long one ends the connection at both ends") {
    Town town{6};
    town.run_for(1'000);
    town.broker.set_partitioned(gate_1, true);
    REQUIRE(town.gate->publish(root_1 + "up/n", hello).has_value());
    REQUIRE(town.server->publish(root_1 + "dn/n", hello).has_value());
    town.run_for(FakeBroker::silence_ms / 2);
    CHECK(town.server_heard.messages.empty());
    CHECK(town.gate_heard.messages.empty());
    CHECK(town.gate_heard.sent.empty());
    CHECK(town.gate->up());

    town.broker.set_partitioned(gate_1, false);
    town.run_for(1'000);
    CHECK(town.server_heard.count(root_1 + "up/n") == 1);
    CHECK(town.gate_heard.count(root_1 + "dn/n") == 1);
    CHECK(town.gate_heard.sent.size() == 1);

    town.broker.set_partitioned(gate_1, true);
    const auto id = town.gate->publish(root_1 + "up/n", hello);
    town.run_for(FakeBroker::silence_ms + 1'000);
    CHECK_FALSE(town.gate->up());
    CHECK(town.gate_heard.sent.at(*id) == Fault::lost);
    CHECK(town.gate_heard.downs.front() == Fault::lost);
    CHECK(town.server_heard.count(root_1 + "up/will") == 1);
    CHECK(town.broker.damage().partitioned == 1);
    town.run_for(60'000);
    CHECK(town.gate_heard.downs.back() == Fault::unreachable);
    town.broker.set_partitioned(gate_1, false);
    town.run_for(60'000);
    CHECK(town.gate->up());
    CHECK(town.server_heard.count(root_1 + "up/n") == 1);
}

TEST_CASE("a broker that is killed forgets everything, wills too") {
    Town town{7};
    town.run_for(1'000);
    REQUIRE(town.gate->publish(root_1 + "up/n", hello).has_value());
    town.broker.stop();
    town.run_for(1'000);
    CHECK_FALSE(town.gate->up());
    CHECK_FALSE(town.server->up());
    CHECK(town.server_heard.messages.empty());
    town.broker.start();
    town.run_for(60'000);
    CHECK(town.gate->up());
    CHECK(town.server->up());
    CHECK(town.server_heard.messages.empty());
}

TEST_CASE("a device that crashes leaves its will, and comes back as a new link") {
    Town town{8};
    town.run_for(1'000);
    town.broker.drop(gate_1);
    town.gate.reset();
    town.run_for(1'000);
    CHECK(town.server_heard.count(root_1 + "up/will") == 1);
    CHECK(town.broker.damage().dropped == 1);
    Listener heard;
    const auto again = town.broker.make_link({.client_id = gate_1, .subscriptions = {}});
    again->open(heard);
    town.run_for(1'000);
    CHECK(heard.ups == 1);
}

TEST_CASE("a revoked device is thrown out and stays out") {
    Town town{9};
    town.run_for(1'000);
    town.broker.revoke(gate_1);
    town.run_for(60'000);
    CHECK_FALSE(town.broker.connected(gate_1));
    CHECK(town.gate_heard.ups == 1);
    CHECK(town.gate_heard.downs.front() == Fault::lost);
    CHECK(town.gate_heard.downs.back() == Fault::connect_refused);
}
