#pragma once
// Broker and links as devices and server meet them: lossy, late, twice, out of order. An own model,
// simpler than tests/support/fake_link.hpp: here only what arrives where and when matters.
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "common/base/bytes.hpp"
#include "tests/simulation/scene.hpp"

namespace pf::simulation {

struct Will {
    std::string topic;
    Bytes payload;
};

/// A device as the network sees it.
class LinkUser {
public:
    virtual ~LinkUser() = default;
    virtual const std::string& name() const = 0;
    virtual bool running() const = 0;
    virtual Will connecting() = 0;
    virtual void link_up() = 0;
    virtual void link_down() = 0;
    virtual void message(const std::string& topic, const Bytes& payload) = 0;
};

/// In a thousand, for each message.
struct Weather {
    std::uint32_t loss = 0;
    std::uint32_t duplication = 0;
    std::uint32_t reordering = 0;
    std::uint32_t tampering = 0;
};

class Network {
public:
    using ToServer = std::function<void(const std::string& topic, const Bytes& payload)>;
    Network(Scene& scene, ToServer to_server);

    void add(LinkUser& user);
    /// The device runs and wants a connection.
    void want(LinkUser& user);
    /// The device is gone without a goodbye: its will is published.
    void lost(LinkUser& user);
    bool connected(const LinkUser& user) const;

    bool up(LinkUser& from, std::string topic, Bytes payload);
    void down(std::string topic, Bytes payload);

    void set_weather(const Weather& weather) { weather_ = weather; }
    const Weather& weather() const noexcept { return weather_; }
    void set_partitioned(LinkUser& user, bool partitioned);
    /// Everybody is disconnected and what was under way is gone; nobody connects before start().
    void stop();
    void start();
    bool running() const noexcept { return running_; }
    /// The broker throws this one out and lets it in no more.
    void ban(const std::string& name);
    void unban_all();
    /// Everybody connects anew.
    void reconnect_all();

private:
    struct Client {
        LinkUser* user = nullptr;
        bool connected = false;
        bool connecting = false;
        bool partitioned = false;
        bool banned = false;
        std::uint64_t session = 0;
        std::uint64_t silences = 0;
        Will will;
        /// The last document of a session. A broker that heard no receipt for it gives it again.
        std::optional<std::pair<std::string, Bytes>> document;
    };
    Client& client_of(const LinkUser& user) { return clients_.at(user.name()); }
    void connect_later(Client& client, Millis wait);
    void try_connect(Client& client);
    void end(Client& client, bool with_will);
    void give(Client& client, std::string topic, Bytes payload);
    void carry(const std::string& name, std::function<void()> arrive);
    bool draw(std::uint32_t in_a_thousand, std::string_view fault);
    bool tamper(std::string_view topic, Bytes& payload);

    Scene& scene_;
    tests::Rng rng_;
    ToServer to_server_;
    Weather weather_;
    bool running_ = true;
    std::uint64_t broker_life_ = 1;
    std::map<std::string, Client> clients_;
};

}  // namespace pf::simulation
