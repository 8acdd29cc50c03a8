#pragma once
// What the contract needs of a broker and its links, real or in memory.
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/mqtt/link.hpp"
#include "sync-server/broker/broker.hpp"
#include "tests/support/fake_link.hpp"
#include "tests/support/mqtt/authority.hpp"
#include "tests/support/mqtt/loop.hpp"
#include "tests/support/mqtt/relay.hpp"
#include "tests/support/temp_dir.hpp"

namespace pf::tests {

/// In every world: a server, and two devices in two partitions.
inline const std::string server_id = "server";
inline const std::string gate_1 = "gate-1";
inline const std::string gate_2 = "gate-2";
inline const std::string root_1 = "pf/1/3/d/gate-1/";
inline const std::string root_2 = "pf/1/4/d/gate-2/";

struct LinkWish {
    std::string client_id;
    std::vector<std::string> subscriptions = {};
    mqtt::Limits limits = {};
};

class LinkWorld {
public:
    virtual ~LinkWorld() = default;
    virtual std::unique_ptr<mqtt::Link> make_link(const LinkWish& wish) = 0;
    /// Lets time pass until the condition holds; false when it does not in reasonable time.
    virtual bool run_until(const std::function<bool()>& condition) = 0;
    /// The wire of this client breaks: no goodbye at either end.
    virtual void cut(const std::string& client_id) = 0;
    /// Nobody gets a new connection for this client while it is closed.
    virtual void set_wire(const std::string& client_id, bool open) = 0;
    /// MQTT 5 shows refused publishes, 3.1.1 does not.
    virtual bool refusals_visible() const = 0;
};

/// A Mosquitto of our own with TLS, and links through a relay each.
class PahoWorld : public LinkWorld {
public:
    explicit PahoWorld(mqtt::Version version);

    std::unique_ptr<mqtt::Link> make_link(const LinkWish& wish) override;
    bool run_until(const std::function<bool()>& condition) override {
        return loop_.run_until(condition);
    }
    void cut(const std::string& client_id) override { relays_.at(client_id)->cut(); }
    void set_wire(const std::string& client_id, bool open) override {
        relays_.at(client_id)->set_open(open);
    }
    bool refusals_visible() const override { return version_ != mqtt::Version::only_3_1_1; }

    mqtt::Options options(const LinkWish& wish);
    Loop& loop() { return loop_; }
    Authority& authority() { return authority_; }
    server::broker::Broker& broker() { return *broker_; }

private:
    mqtt::Version version_;
    TempDir directory_;
    Authority authority_{1};
    Loop loop_;
    std::unique_ptr<server::broker::Broker> broker_;
    std::map<std::string, std::unique_ptr<Relay>> relays_;
};

struct Paho5World final : PahoWorld {
    Paho5World() : PahoWorld{mqtt::Version::prefer_5} {}
};
struct Paho311World final : PahoWorld {
    Paho311World() : PahoWorld{mqtt::Version::only_3_1_1} {}
};

/// The simulator's broker, without faults unless a test asks for them.
template <bool visible>
class FakeWorld final : public LinkWorld {
public:
    FakeWorld() {
        broker_.show_refusals(visible);
        broker_.allow_server(server_id);
        broker_.allow_device(gate_1, root_1);
        broker_.allow_device(gate_2, root_2);
    }

    std::unique_ptr<mqtt::Link> make_link(const LinkWish& wish) override {
        return broker_.make_link({.client_id = wish.client_id,
                                  .subscriptions = wish.subscriptions,
                                  .limits = wish.limits});
    }
    bool run_until(const std::function<bool()>& condition) override {
        const SteadyTime deadline = broker_.now() + std::chrono::minutes{5};
        while (!condition()) {
            const auto due = broker_.next_due();
            if (!due || *due > deadline) return false;
            broker_.run_until(*due);
        }
        return true;
    }
    void cut(const std::string& client_id) override { broker_.drop(client_id); }
    void set_wire(const std::string& client_id, bool open) override {
        broker_.set_partitioned(client_id, !open);
    }
    bool refusals_visible() const override { return visible; }

private:
    FakeBroker broker_{7};
};
using Fake5World = FakeWorld<true>;
using Fake311World = FakeWorld<false>;

}  // namespace pf::tests
