#pragma once
// An MQTT broker and its links in memory, on virtual time, for the seeded simulation. Everything
// happens inside FakeBroker::run_until, in an order fixed by the seed. The contract is
// common/mqtt/link.hpp, held by tests/contract/link; the access rules are those of
// sync-server/broker.
//
//     FakeBroker broker(seed);
//     broker.allow_server("server");
//     broker.allow_device("gate-1", "pf/1/3/d/gate-1/");
//     auto link = broker.make_link({.client_id = "gate-1", .subscriptions = {root + "dn/#"}});
//     link->open(events);
//     broker.run_until(now);  // everything due by then; broker.next_due() says when there is more
//
// A device that crashes: broker.drop(id) (the connection dies, the will comes), then destroy its
// link. Destroying an open link without that is a polite close.
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/time.hpp"
#include "common/mqtt/link.hpp"
#include "tests/support/rng.hpp"

namespace pf::tests {

/// How the network and the broker misbehave, in a thousand. Each leg of a message (client to
/// broker, broker to client) is drawn for anew.
struct LinkFaults {
    std::uint32_t loss = 0;         // the broker takes the message, acknowledges it, and loses it
    std::uint32_t duplication = 0;  // it comes twice
    std::uint32_t reorder = 0;      // it is held back and overtaken
    std::uint32_t cut = 0;          // the connection it travels on ends instead
    std::uint32_t latency_ms_min = 1;
    std::uint32_t latency_ms_max = 20;
    std::uint32_t reorder_ms_max = 500;  // how long a message is held back at most
};

/// How often each kind happened; a simulation demands that none of them stays 0.
struct LinkDamage {
    std::uint64_t lost = 0;
    std::uint64_t duplicated = 0;
    std::uint64_t reordered = 0;
    std::uint64_t cut = 0;          // by draw
    std::uint64_t dropped = 0;      // drop() of a connected client
    std::uint64_t partitioned = 0;  // connections ended by silence
    std::uint64_t restarts = 0;
    std::uint64_t refused = 0;  // publishes against the rules
    std::uint64_t delivered = 0;
};

struct FakeLinkOptions {
    std::string client_id;
    std::vector<std::string> subscriptions = {};
    mqtt::Limits limits = {};
    std::uint32_t reconnect_ms_min = 250;
    std::uint32_t reconnect_ms_max = 30'000;
};

/// Not thread-safe, outlives its links. Times only grow.
class FakeBroker {
public:
    explicit FakeBroker(std::uint64_t seed, LinkFaults faults = {});
    ~FakeBroker();
    FakeBroker(const FakeBroker&) = delete;
    FakeBroker& operator=(const FakeBroker&) = delete;

    // Who may connect, and what for. Anyone else is refused at CONNECT.
    void allow_server(const std::string& id);
    void allow_device(const std::string& id, const std::string& root);
    /// Refused from now on, and disconnected.
    void revoke(const std::string& id);

    /// As the client of MQTT 5 sees refusals (the default), or as that of 3.1.1 does not.
    void show_refusals(bool visible) { refusals_visible_ = visible; }

    std::unique_ptr<mqtt::Link> make_link(FakeLinkOptions options);

    /// When something happens next; nothing when all is quiet.
    std::optional<SteadyTime> next_due() const;
    /// Lets everything happen that is due up to `now`. Events reach the owners from here only.
    void run_until(SteadyTime now);
    SteadyTime now() const { return now_; }

    void set_faults(const LinkFaults& faults) { faults_ = faults; }
    const LinkDamage& damage() const { return damage_; }

    /// Nothing reaches this client or comes from it until healed. Both sides notice after
    /// silence_ms; a partition healed before that has only delayed messages.
    void set_partitioned(const std::string& id, bool partitioned);
    /// The connection of this client ends without a goodbye: its will is published.
    void drop(const std::string& id);
    /// kill -9 of the broker: all connections end, wills and messages under way are gone. Nobody
    /// connects before `start`.
    void stop();
    void start();
    bool connected(const std::string& id) const;

    static constexpr std::uint32_t silence_ms = 30'000;  // keep-alive of 20 s, one and a half times
    static constexpr std::uint32_t answer_ms_max = 10'000;  // for CONNECT, as the real link

private:
    class FakeLink;
    struct Rule {
        bool server = false;
        std::string root;
    };
    using ConnectionId = std::uint64_t;    // 0: none
    using Packet = std::function<void()>;  // what happens where it arrives
    enum class Leg { up, down };
    struct Connection {
        std::string client_id;
        FakeLink* link = nullptr;  // nothing once the link is closed
        std::uint64_t attempt = 0;
        std::optional<mqtt::Will> will;
        std::vector<std::string> subscriptions;
        std::uint64_t silence = 0;                 // number of the partition that lasts; 0: none
        std::vector<std::pair<Leg, Packet>> held;  // stopped by the partition
        SteadyTime last_up{};                      // a leg keeps its order
        SteadyTime last_down{};
    };
    struct Due {
        SteadyTime at;
        std::uint64_t order;
        friend auto operator<=>(const Due&, const Due&) = default;
    };
    struct Fate {
        bool cut = false;
        unsigned copies = 1;
        Millis held_back{0};
    };

    bool may_write(const std::string& id, std::string_view topic) const;
    bool may_read(const std::string& id, std::string_view topic) const;
    bool partitioned(const std::string& id) const { return partitioned_.contains(id); }
    void at(SteadyTime when, std::function<void()> what);
    Millis latency();
    Fate draw_fate();
    bool draw(std::uint32_t in_a_thousand, std::uint64_t& counter);

    /// A packet on its way; it never arrives when the connection ends first.
    void travel(ConnectionId id, Leg leg, Millis held_back, Packet packet);
    void arrive(ConnectionId id, Leg leg, const Packet& packet);
    void take_connect(FakeLink& link, std::uint64_t attempt);
    void take_publish(ConnectionId from, mqtt::PublishId id, const mqtt::Message& message,
                      unsigned copies);
    void forward(const mqtt::Message& message);
    /// The broker is through with a connection; the client hears of it a latency later.
    void end(ConnectionId id, bool with_will);
    ConnectionId connection_of(const std::string& id) const;

    Rng rng_;
    LinkFaults faults_;
    LinkDamage damage_;
    bool refusals_visible_ = true;
    bool running_ = true;
    SteadyTime now_{};
    std::uint64_t orders_ = 0;
    std::uint64_t silences_ = 0;
    ConnectionId connections_made_ = 0;
    std::map<Due, std::function<void()>> agenda_;
    std::map<std::string, Rule> rules_;
    std::set<std::string> partitioned_;
    std::map<ConnectionId, Connection> connections_;
};

}  // namespace pf::tests
