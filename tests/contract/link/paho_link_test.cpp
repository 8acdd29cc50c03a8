// What only the real adapter has: TLS, versions, a slow owner, threads that end.
#include <doctest/doctest.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <ctime>
#include <limits>
#include <memory>
#include <optional>

#include "tests/contract/link/scripted_broker.hpp"
#include "tests/contract/link/world.hpp"
#include "tests/support/fixed_entropy.hpp"
#include "tests/support/mqtt/listener.hpp"

using namespace pf;
using namespace pf::tests;
using mqtt::Fault;

namespace {

/// What OpenSSL takes for the time in this process; negative: the real one.
std::atomic<std::time_t> pretended_time{-1};

}  // namespace

/// Stands before the C library's: the shared libraries of this program find this one first. The
/// broker is a process of its own and keeps the real time.
extern "C" std::time_t time(std::time_t* out) noexcept {
    std::time_t now = pretended_time;
    if (now < 0) {
        timespec real{};
        ::syscall(SYS_clock_gettime, CLOCK_REALTIME, &real);
        now = real.tv_sec;
    }
    if (out != nullptr) *out = now;
    return now;
}

namespace {

const Bytes hello = to_bytes("hello");
const Bytes accepted_3{0x20, 2, 0, 0};
const Bytes accepted_5{0x20, 3, 0, 0, 0};
const Bytes version_refused_3{0x20, 2, 0, 1};        // as NATS 2.9 and RabbitMQ 3.10 answer
const Bytes version_refused_5{0x20, 3, 0, 0x84, 0};  // as a broker that knows 5 and refuses it
const Bytes not_authorised_5{0x20, 3, 0, 0x87, 0};

std::unique_ptr<mqtt::Link> make(PahoWorld& world, mqtt::Options options) {
    return mqtt::make_paho_link(std::move(options), world.loop().post(),
                                std::make_shared<SeededEntropy>(6));
}

struct Heard {
    Listener listener;
    std::vector<Byte> levels;
};

/// Connects to a broker that answers like this until it is up, or has failed twice.
Heard meet(const std::function<Bytes(Byte)>& answer, mqtt::Version version) {
    Heard heard;
    Loop loop;
    ScriptedBroker broker{answer};
    mqtt::Options options;
    options.host = "127.0.0.1";
    options.port = broker.port();
    options.client_id = gate_1;
    options.version = version;
    options.reconnect_ms_min = options.reconnect_ms_max = 5;
    {
        const auto link =
            mqtt::make_paho_link(options, loop.post(), std::make_shared<SeededEntropy>(7));
        link->open(heard.listener);
        CHECK(loop.run_until(
            [&] { return heard.listener.ups > 0 || heard.listener.downs.size() >= 2; }));
    }
    heard.levels = broker.finish();
    return heard;
}

}  // namespace

TEST_CASE("a broker that does not speak 5 is spoken to in 3.1.1 at once") {
    for (const Bytes& refusal : {version_refused_3, version_refused_5}) {
        CAPTURE(refusal.size());
        const auto heard = meet([&](Byte level) { return level == 5 ? refusal : accepted_3; },
                                mqtt::Version::prefer_5);
        CHECK(heard.listener.ups == 1);
        CHECK(heard.listener.downs.empty());
        CHECK(heard.levels == std::vector<Byte>{5, 4});
    }
}

TEST_CASE("no other refusal makes the link fall back") {
    const auto heard = meet([](Byte) { return not_authorised_5; }, mqtt::Version::prefer_5);
    CHECK(heard.listener.ups == 0);
    CHECK(heard.listener.downs[0] == Fault::connect_refused);
    for (const Byte level : heard.levels) CHECK(level == 5);
}

TEST_CASE("a broker that speaks 5 is spoken to in 5") {
    const auto heard = meet([](Byte) { return accepted_5; }, mqtt::Version::prefer_5);
    CHECK(heard.listener.ups == 1);
    CHECK(heard.levels == std::vector<Byte>{5});
}

TEST_CASE("TLS: only the pinned authority, only this host, only with a certificate of ours") {
    PahoWorld world{mqtt::Version::prefer_5};
    Authority stranger{99};
    const LinkWish wish{.client_id = gate_1, .subscriptions = {}};
    auto options = world.options(wish);
    Listener heard;

    SUBCASE("another authority's broker is refused by us") {
        options.tls->authority_pem = stranger.pem();
        const auto link = make(world, options);
        link->open(heard);
        REQUIRE(world.run_until([&] { return !heard.downs.empty(); }));
        CHECK(heard.downs[0] == Fault::tls_refused);
        CHECK(heard.ups == 0);
    }
    SUBCASE("the same name of another authority is refused by the broker") {
        const auto false_gate = stranger.client(gate_1);
        options.tls->certificate_pem = false_gate.certificate_pem;
        options.tls->key_pem = false_gate.key_pem;
        const auto link = make(world, options);
        link->open(heard);
        REQUIRE(world.run_until([&] { return !heard.downs.empty(); }));
        // Paho can't always tell a broker that hangs up from one that is not there.
        CHECK((heard.downs[0] == Fault::unreachable || heard.downs[0] == Fault::connect_refused));
        CHECK(heard.ups == 0);
    }
    SUBCASE("a certificate for another host is refused by us") {
        options.host = "127.0.0.2";
        options.port = world.broker().port();
        const auto link = make(world, options);
        link->open(heard);
        REQUIRE(world.run_until([&] { return !heard.downs.empty(); }));
        CHECK(heard.ups == 0);
    }
    SUBCASE("a key that is none is a fault, not a crash") {
        options.tls->key_pem =
            "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n";
        const auto link = make(world, options);
        link->open(heard);
        REQUIRE(world.run_until([&] { return heard.downs.size() >= 2; }));
        CHECK(heard.ups == 0);
    }
}

TEST_CASE("a device whose clock is unset or far off still accepts its server") {
    PahoWorld world{mqtt::Version::prefer_5};
    const auto meets = [&](std::time_t now) {
        pretended_time = now;
        Listener heard;
        const auto link = make(world, world.options({.client_id = gate_1}));
        link->open(heard);
        CHECK(world.run_until([&] { return heard.ups > 0 || !heard.downs.empty(); }));
        pretended_time = -1;
        return heard.ups > 0;
    };
    constexpr std::int64_t year_s = 365 * 24 * 60 * 60;
    // As far off as a clock of this machine goes: where time_t has four bytes, that is 2038.
    constexpr std::int64_t last_s = std::numeric_limits<std::time_t>::max();
    CHECK(meets(0));
    CHECK(meets(1 * year_s));
    CHECK(meets(static_cast<std::time_t>(std::min(150 * year_s, last_s))));

    // The same clock does matter to a certificate that has dates.
    const auto dated = world.authority().server(
        "broker",
        {.from = wall_from_ms(50 * year_s * 1'000), .until = wall_from_ms(90 * year_s * 1'000)});
    REQUIRE(world.broker()
                .set_material({.authority = world.authority().pem(),
                               .certificate = dated.certificate_pem,
                               .key = dated.key_pem,
                               .crl = world.authority().crl()})
                .has_value());
    CHECK_FALSE(meets(0));
    CHECK(meets(60 * year_s));
}

/// Of this process's connection to that port: does it send small messages at once?
std::optional<bool> no_delay(std::uint16_t port) {
    constexpr int descriptors = 1'024;
    for (int fd = 0; fd < descriptors; ++fd) {
        sockaddr_in peer{};
        socklen_t length = sizeof peer;
        void* const address = &peer;
        if (::getpeername(fd, static_cast<sockaddr*>(address), &length) != 0) continue;
        if (peer.sin_family != AF_INET || ntohs(peer.sin_port) != port) continue;
        int on = 0;
        socklen_t size = sizeof on;
        REQUIRE(::getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, &size) == 0);
        return on != 0;
    }
    return std::nullopt;
}

TEST_CASE("a message that follows an acknowledgement does not wait for the peer's") {
    PahoWorld world{mqtt::Version::prefer_5};
    const auto options = world.options({.client_id = gate_1, .subscriptions = {}});
    Listener heard;
    const auto link = make(world, options);
    link->open(heard);
    REQUIRE(world.run_until([&] { return heard.ups == 1; }));
    CHECK(no_delay(options.port) == true);
    world.cut(gate_1);
    REQUIRE(world.run_until([&] { return heard.ups == 2; }));
    CHECK(no_delay(options.port) == true);
}

TEST_CASE("the certificate names the client, whatever it calls itself") {
    PahoWorld world{mqtt::Version::prefer_5};
    auto options = world.options({.client_id = gate_1});
    options.client_id = gate_2;
    const auto link = make(world, options);
    Listener heard;
    link->open(heard);
    REQUIRE(world.run_until([&] { return heard.ups == 1; }));
    const auto own = link->publish(root_1 + "up/events", hello);
    const auto other = link->publish(root_2 + "up/events", hello);
    REQUIRE(world.run_until([&] { return heard.sent.size() == 2; }));
    CHECK(heard.sent.at(*own) == std::nullopt);
    CHECK(heard.sent.at(*other) == Fault::not_authorised);
}

TEST_CASE("a slow owner loses messages, is told how many, and memory stays bounded") {
    PahoWorld world{mqtt::Version::prefer_5};
    constexpr std::size_t inbound_max = 4;
    constexpr std::size_t total = 40;
    const auto slow = make(world, [&] {
        auto options = world.options({.client_id = gate_1, .subscriptions = {root_1 + "dn/#"}});
        options.limits.inbound_max = inbound_max;
        return options;
    }());
    // The server has an executor of its own, so the gate's stands still while it sends.
    Loop other;
    auto options = world.options({.client_id = server_id});
    const auto server =
        mqtt::make_paho_link(options, other.post(), std::make_shared<SeededEntropy>(8));
    Listener gate_heard;
    Listener server_heard;
    slow->open(gate_heard);
    server->open(server_heard);
    REQUIRE(world.run_until([&] { return gate_heard.ups == 1; }));
    REQUIRE(other.run_until([&] { return server_heard.ups == 1; }));

    for (std::size_t i = 0; i < total; ++i) {
        REQUIRE(other.run_until([&] { return server_heard.sent.size() == i; }));
        REQUIRE(server->publish(root_1 + "dn/n", Bytes{static_cast<Byte>(i)}).has_value());
    }
    // The messages that fit, and one report for all that did not.
    REQUIRE(other.run_until([&] { return world.loop().waiting() == inbound_max + 1; }));
    REQUIRE(
        world.run_until([&] { return gate_heard.messages.size() + gate_heard.dropped == total; }));
    CHECK(gate_heard.dropped > 0);
    CHECK(gate_heard.messages.size() >= inbound_max);
    for (std::size_t i = 0; i < inbound_max; ++i) {
        CHECK(gate_heard.messages[i].payload == Bytes{static_cast<Byte>(i)});
    }
}

TEST_CASE("a link that was never opened, or is destroyed while connecting, ends cleanly") {
    PahoWorld world{mqtt::Version::prefer_5};
    Listener heard;
    { const auto never = world.make_link({.client_id = gate_1}); }
    {
        const auto link = world.make_link({.client_id = gate_1});
        link->open(heard);
    }
    {
        const auto link = world.make_link({.client_id = gate_1});
        link->open(heard);
        REQUIRE(world.run_until([&] { return heard.connecting > 0; }));
    }
    // Whatever they had posted finds nobody any more.
    Listener last;
    const auto link = world.make_link({.client_id = gate_1});
    link->open(last);
    CHECK(world.run_until([&] { return last.ups == 1; }));
    CHECK(heard.ups == 0);
}
