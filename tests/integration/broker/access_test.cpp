// Who gets in and what they may do, as it changes while the broker runs.
#include <doctest/doctest.h>

#include "tests/integration/broker/house.hpp"

using namespace pf;
using namespace pf::tests;
using mqtt::Fault;

TEST_CASE("a revoked device is disconnected at once and refused from then on") {
    House house;
    house.start();
    auto server = house.visit(server_id, {"pf/1/+/d/+/up/#"});
    auto thief = house.visit(gate_1, {root_1 + "dn/#"});
    auto honest = house.visit(gate_2, {root_2 + "dn/#"});
    REQUIRE(house.fate(*thief, root_1 + "up/events") == std::nullopt);

    house.authority.revoke(thief->identity.certificate_pem);
    REQUIRE(house.broker->revoke({gate_1}, house.material(), house.access({gate_2})).has_value());

    // Lost first, then refused, never up.
    REQUIRE(house.loop.run_until([&] { return thief->heard.downs.size() >= 3; }));
    CHECK(thief->heard.downs[0] == Fault::lost);
    CHECK(thief->heard.ups == 1);
    CHECK(house.fate(*server, root_1 + "dn/ack") == std::nullopt);
    CHECK(house.fate(*honest, root_2 + "up/events") == std::nullopt);
    CHECK(thief->heard.messages.empty());
    CHECK(honest->heard.ups == 1);
    CHECK(server->heard.ups == 1);
    CHECK(house.broker->health().restarts == 0);
}

TEST_CASE("revoking a device that is not there, and one twice, is no trouble") {
    House house;
    house.start();
    auto honest = house.visit(gate_2, {});
    const auto gone = house.authority.client(gate_1);
    house.authority.revoke(gone.certificate_pem);
    for (int i = 0; i < 2; ++i) {
        CHECK(house.broker->revoke({gate_1}, house.material(), house.access({gate_2})).has_value());
    }
    CHECK(house.fate(*honest, root_2 + "up/events") == std::nullopt);
    CHECK(honest->heard.ups == 1);
}

TEST_CASE("a new certificate of a revoked device gets in again") {
    House house;
    house.start();
    const auto old = house.authority.client(gate_1);
    house.authority.revoke(old.certificate_pem);
    REQUIRE(house.broker->revoke({gate_1}, house.material(), house.access({gate_2})).has_value());
    REQUIRE(house.broker->set_access(house.access({gate_1, gate_2})).has_value());
    auto again = house.visit(gate_1, {});
    CHECK(house.fate(*again, root_1 + "up/events") == std::nullopt);
}

TEST_CASE("rules apply to those who are connected already") {
    House house;
    house.start();
    REQUIRE(house.broker->set_access(house.access({gate_2})).has_value());
    auto gate = house.visit(gate_1, {root_1 + "dn/#"});
    auto server = house.visit(server_id, {});
    CHECK(house.fate(*gate, root_1 + "up/events") == Fault::not_authorised);

    // Paired: the rules come after the connection.
    REQUIRE(house.broker->set_access(house.access({gate_1, gate_2})).has_value());
    CHECK(house.fate(*gate, root_1 + "up/events") == std::nullopt);
    CHECK(house.fate(*server, root_1 + "dn/ack") == std::nullopt);
    CHECK(house.loop.run_until([&] { return gate->heard.has(root_1 + "dn/ack"); }));

    REQUIRE(house.broker->set_access(house.access({gate_2})).has_value());
    CHECK(house.fate(*gate, root_1 + "up/events") == Fault::not_authorised);
    CHECK(gate->heard.ups == 1);
}

TEST_CASE("many changes in a row all count") {
    House house;
    house.start();
    auto gate = house.visit(gate_1, {});
    for (int i = 0; i < 20; ++i) {
        const bool allowed = i % 2 == 1;
        REQUIRE(house.broker->set_access(house.access({allowed ? gate_1 : gate_2})).has_value());
        const auto expected = allowed ? std::nullopt : std::optional{Fault::not_authorised};
        REQUIRE(house.fate(*gate, root_1 + "up/events") == expected);
    }
    CHECK(house.broker->health().restarts == 0);
}

TEST_CASE("the listener's certificate is replaced while others stay connected") {
    House house;
    house.start();
    auto early = house.visit(gate_1, {});
    house.own = house.authority.client("not a server, no address");
    REQUIRE(house.broker->set_material(house.material()).has_value());
    auto refused = house.guest(gate_2, {});
    REQUIRE(house.loop.run_until([&] { return refused->heard.downs.size() >= 2; }));
    CHECK(refused->heard.ups == 0);

    house.own = house.authority.server("broker, renewed");
    REQUIRE(house.broker->set_material(house.material()).has_value());
    CHECK(house.loop.run_until([&] { return refused->heard.ups == 1; }));
    CHECK(house.fate(*early, root_1 + "up/events") == std::nullopt);
    CHECK(early->heard.ups == 1);
}
