#include "common/wire/topics.hpp"

#include <doctest/doctest.h>

using namespace pf;

TEST_CASE("topics are spelled as the broker's rules expect") {
    const DeviceId gate = *DeviceId::parse("gate-1");
    CHECK(wire::device_root(0, gate) == "pf/1/0/d/gate-1/");
    CHECK(wire::device_root(15, gate) == "pf/1/15/d/gate-1/");
    CHECK(wire::partition_filter(7) == "pf/1/7/d/+/up/#");
    CHECK(wire::topic("pf/1/3/d/gate-1/", wire::Up::birth) == "pf/1/3/d/gate-1/up/birth");
    CHECK(wire::topic("pf/1/3/d/gate-1/", wire::Down::time) == "pf/1/3/d/gate-1/dn/time");
}

TEST_CASE("every topic is understood by the side that reads it") {
    const DeviceId gate = *DeviceId::parse("gate-1");
    const std::string root = wire::device_root(11, gate);
    using wire::Down;
    using wire::Up;
    for (const Up kind :
         {Up::birth, Up::will, Up::events, Up::want, Up::ping, Up::command_reply, Up::begins}) {
        const auto parsed = wire::up_of(wire::topic(root, kind));
        REQUIRE(parsed);
        CHECK(parsed->partition == 11);
        CHECK(parsed->device == gate);
        CHECK(parsed->kind == kind);
        CHECK_FALSE(wire::down_of(root, wire::topic(root, kind)));
    }
    for (const Down kind : {Down::ack, Down::news, Down::chunk, Down::buckets, Down::uses,
                            Down::document, Down::time}) {
        CHECK(wire::down_of(root, wire::topic(root, kind)) == kind);
        CHECK_FALSE(wire::up_of(wire::topic(root, kind)));
    }
}

TEST_CASE("other topics are nobody's") {
    const char* ups[] = {
        "",
        "pf/1/3/d/gate-1/up/",
        "pf/1/3/d/gate-1/up/birth/",
        "pf/1/3/d/gate-1/up/Birth",
        "pf/1/3/d/gate-1/up",
        "pf/1/3/d/gate-1",
        "pf/1/16/d/gate-1/up/birth",
        "pf/1/03/d/gate-1/up/birth",
        "pf/1/-3/d/gate-1/up/birth",
        "pf/1/+3/d/gate-1/up/birth",
        "pf/1//d/gate-1/up/birth",
        "pf/1/4294967299/d/gate-1/up/birth",
        "pf/2/3/d/gate-1/up/birth",
        "pf/1/3/e/gate-1/up/birth",
        "pf/1/3/d//up/birth",
        "pf/1/3/d/Gate-1/up/birth",
        "pf/1/3/d/gate.1/up/birth",
        "/pf/1/3/d/gate-1/up/birth",
        "pf/1/3/d/gate-1/x/up/birth",
    };
    for (const char* topic : ups) {
        CAPTURE(topic);
        CHECK_FALSE(wire::up_of(topic));
    }
    const char* downs[] = {"pf/1/3/d/gate-2/dn/ack", "pf/1/4/d/gate-1/dn/ack",
                           "pf/1/3/d/gate-1/dn/acknowledge", "pf/1/3/d/gate-1/dn/", ""};
    for (const char* topic : downs) {
        CAPTURE(topic);
        CHECK_FALSE(wire::down_of("pf/1/3/d/gate-1/", topic));
    }
}
