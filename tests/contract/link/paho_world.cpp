#include <doctest/doctest.h>

#include "tests/contract/link/world.hpp"
#include "tests/support/fixed_entropy.hpp"
#include "tests/support/mqtt/broker_config.hpp"

// Paho never frees a publish that still waits in its queue when a connection is given up
// (docs/adr/0010). The adapter keeps that queue at one message; a cut at the wrong moment finds it.
extern "C" const char* __lsan_default_suppressions() { return "leak:libpaho-mqtt3as.so"; }

namespace pf::tests {

PahoWorld::PahoWorld(mqtt::Version version) : version_{version} {
    auto config = broker_config(
        directory_.path() / "broker", authority_,
        {.server_ids = {server_id},
         .devices = {{.id = gate_1, .root = root_1}, {.id = gate_2, .root = root_2}}});
    broker_ = std::make_unique<server::broker::Broker>(std::move(config), [](std::string_view) {});
    REQUIRE(broker_->start().has_value());
}

mqtt::Options PahoWorld::options(const LinkWish& wish) {
    auto& relay = relays_[wish.client_id];
    if (!relay) relay = std::make_unique<Relay>(broker_->port());
    mqtt::Options options;
    options.host = "127.0.0.1";
    options.port = relay->port();
    options.client_id = wish.client_id;
    options.tls = authority_.tls(authority_.client(wish.client_id));
    options.subscriptions = wish.subscriptions;
    options.version = version_;
    options.limits = wish.limits;
    options.reconnect_ms_min = 10;
    options.reconnect_ms_max = 100;
    return options;
}

std::unique_ptr<mqtt::Link> PahoWorld::make_link(const LinkWish& wish) {
    return mqtt::make_paho_link(options(wish), loop_.post(), std::make_shared<SeededEntropy>(5));
}

}  // namespace pf::tests
