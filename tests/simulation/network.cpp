#include "tests/simulation/network.hpp"

#include <fmt/format.h>

#include "common/wire/messages.hpp"
#include "tests/simulation/fault.hpp"

namespace pf::simulation {
namespace {

constexpr Millis latency_min{5};
constexpr Millis latency_max{60};
constexpr Millis held_back_max{4'000};
constexpr Millis queued_max{100'000};  // a broker under load, a session kept by somebody
constexpr Millis silence{20'000};      // a link that carries nothing is given up after this
constexpr Millis will_late_max{2'500};
constexpr std::uint64_t given_again_percent = 50;

std::string_view leaf_of(std::string_view topic) {
    const auto last = topic.rfind('/');
    return topic.substr(topic.rfind('/', last - 1) + 1);
}
std::string_view device_of(std::string_view topic) {
    const auto begin = topic.find("/d/") + 3;
    return topic.substr(begin, topic.find('/', begin) - begin);
}

}  // namespace

Network::Network(Scene& scene, ToServer to_server)
    : scene_{scene}, rng_{scene.rng.fork(10)}, to_server_{std::move(to_server)} {}

void Network::add(LinkUser& user) { clients_[user.name()].user = &user; }

bool Network::connected(const LinkUser& user) const { return clients_.at(user.name()).connected; }

void Network::want(LinkUser& user) { connect_later(client_of(user), Millis{300}); }

void Network::lost(LinkUser& user) {
    Client& client = client_of(user);
    if (client.connected) end(client, true);
}

void Network::connect_later(Client& client, Millis wait) {
    if (client.connecting) return;
    client.connecting = true;
    scene_.agenda.in(wait + Millis{rng_.between(0, 700)}, [this, &client] {
        client.connecting = false;
        try_connect(client);
    });
}

void Network::try_connect(Client& client) {
    if (!client.user->running() || client.connected) return;
    if (!running_ || client.partitioned || client.banned)
        return connect_later(client, Millis{2'000});
    client.will = client.user->connecting();
    if (!client.user->running()) return;
    client.connected = true;
    ++client.session;
    client.user->link_up();
    const auto again = std::exchange(client.document, std::nullopt);
    if (again && client.connected && rng_.percent(given_again_percent))
        give(client, again->first, again->second);
}

void Network::end(Client& client, bool with_will) {
    client.connected = false;
    ++client.session;
    if (with_will) {
        scene_.agenda.in(Millis{rng_.between(0, will_late_max.count())},
                         [this, will = client.will, life = broker_life_] {
                             if (life != broker_life_) return;
                             scene_.coverage.count("message", leaf_of(will.topic));
                             to_server_(will.topic, will.payload);
                         });
    }
    if (client.user->running()) client.user->link_down();
    if (client.user->running()) connect_later(client, Millis{500});
}

bool Network::draw(std::uint32_t in_a_thousand, std::string_view fault) {
    if (in_a_thousand == 0 || !rng_.chance(in_a_thousand, 1'000)) return false;
    scene_.coverage.count("fault", fault);
    return true;
}

void Network::carry(const std::string& name, std::function<void()> arrive) {
    if (draw(weather_.loss, to_text(Fault::loss))) return;
    const int copies = draw(weather_.duplication, to_text(Fault::duplication)) ? 2 : 1;
    for (int copy = 0; copy < copies; ++copy) {
        Millis wait{rng_.between(latency_min.count(), latency_max.count())};
        if (draw(weather_.reordering, to_text(Fault::reordering)))
            wait +=
                Millis{rng_.between(1, (rng_.percent(15) ? queued_max : held_back_max).count())};
        scene_.agenda.in(wait, [this, name, arrive, life = broker_life_] {
            if (life == broker_life_ && running_ && !clients_.at(name).partitioned) arrive();
        });
    }
}

bool Network::up(LinkUser& from, std::string topic, Bytes payload) {
    if (!client_of(from).connected) return false;
    carry(from.name(), [this, topic = std::move(topic), payload = std::move(payload)] {
        scene_.coverage.count("message", leaf_of(topic));
        to_server_(topic, payload);
    });
    return true;
}

void Network::down(std::string topic, Bytes payload) {
    const std::string name{device_of(topic)};
    const auto found = clients_.find(name);
    if (found == clients_.end() || !running_) return;
    if (weather_.tampering > 0 && leaf_of(topic) == "dn/chunk" &&
        rng_.chance(weather_.tampering, 1'000) && tamper(topic, payload))
        scene_.coverage.count("fault", to_text(Fault::tampering));
    Client& client = found->second;
    if (leaf_of(topic) == "dn/document" && client.connected) client.document = {topic, payload};
    give(client, std::move(topic), std::move(payload));
}

void Network::give(Client& client, std::string topic, Bytes payload) {
    carry(client.user->name(), [this, &client, session = client.session, topic = std::move(topic),
                                payload = std::move(payload)] {
        if (!client.connected || client.session != session || !client.user->running()) return;
        scene_.coverage.count("message", leaf_of(topic));
        client.user->message(topic, payload);
    });
}

/// Somebody on the way, or a broken memory: a row is missing or says something else.
bool Network::tamper(std::string_view topic, Bytes& payload) {
    auto chunk = wire::decode_chunk(payload);
    if (chunk.has_error() || chunk->rows.empty()) return false;
    auto& rows = chunk->rows;
    const auto at = static_cast<std::size_t>(rng_.below(rows.size()));
    auto& row = rows[at];
    const bool gone = rng_.percent(40);
    if (gone) {
        rows.erase(rows.begin() + static_cast<std::ptrdiff_t>(at));
    } else {
        // The last byte is part of a number or a text, so most of these still decode.
        Bytes& bytes = row.body && !row.body->empty() && rng_.percent(70) ? *row.body : row.key;
        bytes.back() ^= static_cast<Byte>(1U << rng_.below(8));
    }
    payload = wire::encode(*chunk);
    scene_.coverage.count("tampering", gone ? "a row disappears" : "a row says something else");
    scene_.say("network", fmt::format("a row of a list page for {} {}", device_of(topic),
                                      gone ? "disappears" : "is altered"));
    return true;
}

void Network::set_partitioned(LinkUser& user, bool partitioned) {
    Client& client = client_of(user);
    if (client.partitioned == partitioned) return;
    client.partitioned = partitioned;
    scene_.say("network", fmt::format("{} {}", user.name(),
                                      partitioned ? "is cut off" : "can be reached again"));
    if (!partitioned) return;
    scene_.agenda.in(silence, [this, &client, number = ++client.silences] {
        if (client.partitioned && client.silences == number && client.connected) end(client, true);
    });
}

void Network::stop() {
    if (!running_) return;
    running_ = false;
    ++broker_life_;
    scene_.say("network", "the broker is down");
    for (auto& [name, client] : clients_)
        if (client.connected) end(client, false);
}

void Network::start() {
    if (running_) return;
    running_ = true;
    scene_.say("network", "the broker is up");
}

void Network::ban(const std::string& name) {
    Client& client = clients_.at(name);
    client.banned = true;
    scene_.say("network", fmt::format("{} is thrown out", name));
    if (client.connected) end(client, true);
}

void Network::unban_all() {
    for (auto& [name, client] : clients_) client.banned = false;
}

void Network::reconnect_all() {
    for (auto& [name, client] : clients_)
        if (client.connected) end(client, false);
}

}  // namespace pf::simulation
