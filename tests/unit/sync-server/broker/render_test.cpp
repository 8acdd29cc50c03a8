#include <doctest/doctest.h>

#include "sync-server/broker/access.hpp"
#include "sync-server/broker/settings.hpp"

using namespace pf::server::broker;

TEST_CASE("the rules give each device its own branch, and name nobody else") {
    const Access access{.server_ids = {"server"},
                        .devices = {{.id = "gate-1", .root = "pf/1/3/d/gate-1/"},
                                    {.id = "gate-2", .root = "pf/1/14/d/gate-2/"}}};
    CHECK(render_access(access) ==
          "user server\n"
          "topic readwrite pf/1/#\n"
          "\n"
          "user gate-1\n"
          "topic write pf/1/3/d/gate-1/up/#\n"
          "topic read pf/1/3/d/gate-1/dn/#\n"
          "\n"
          "user gate-2\n"
          "topic write pf/1/14/d/gate-2/up/#\n"
          "topic read pf/1/14/d/gate-2/dn/#\n");
    CHECK(render_access({.server_ids = {"server"}, .devices = {}}) ==
          "user server\ntopic readwrite pf/1/#\n");
}

TEST_CASE("the configuration keeps what the architecture asks of a broker") {
    const std::string text = render_settings({.user = "mosquitto",
                                              .address = "127.0.0.1",
                                              .port = 18883,
                                              .message_bytes_max = 262'144,
                                              .queued_messages_max = 1'000,
                                              .connections_max = 20'000});
    for (const std::string_view line :
         {"per_listener_settings true\n", "user mosquitto\n", "persistence false\n",
          "retain_available false\n", "set_tcp_nodelay true\n", "listener 18883 127.0.0.1\n",
          "require_certificate true\n", "use_identity_as_username true\n",
          "use_username_as_clientid true\n", "allow_anonymous false\n", "acl_file access\n",
          "crlfile crl.pem\n", "message_size_limit 262144\n", "max_queued_messages 1000\n",
          "max_connections 20000\n"}) {
        CAPTURE(line);
        CHECK(text.find("\n" + std::string{line}) != std::string::npos);
    }
    // Whoever comes without a certificate comes through the back door, where nothing is allowed.
    const auto back_door = text.find("listener 0 back-door.sock\n");
    REQUIRE(back_door != std::string::npos);
    CHECK(text.find("allow_anonymous true\n") > back_door);
    CHECK(text.find("acl_file no-access\n") > back_door);
    CHECK(text.rfind("listener ") == back_door);
}
