#include "tests/support/fake_link.hpp"

#include <algorithm>
#include <cassert>
#include <limits>
#include <utility>

#include "common/mqtt/backoff.hpp"

namespace pf::tests {

using mqtt::Fault;
using mqtt::LinkEvents;
using mqtt::Message;
using mqtt::PublishId;
using mqtt::Will;

namespace {

/// The jitter of reconnecting, drawn from the broker's own generator.
class RngEntropy final : public Entropy {
public:
    explicit RngEntropy(Rng& rng) : rng_{rng} {}
    void fill(std::span<Byte> out) override {
        for (Byte& byte : out) byte = static_cast<Byte>(rng_.below(256));
    }

private:
    Rng& rng_;
};

constexpr std::uint32_t fault_scale = 1'000;

}  // namespace

/// Lives as long as its owner wants. What is under way refers to it by number: `attempt_` of its
/// present connect, or the connection.
class FakeBroker::FakeLink final : public mqtt::Link {
public:
    FakeLink(FakeBroker& broker, FakeLinkOptions options)
        : broker_{broker},
          options_{std::move(options)},
          backoff_{options_.reconnect_ms_min, options_.reconnect_ms_max} {}
    ~FakeLink() override {
        close();
        *alive_ = false;
    }

    void open(LinkEvents& events) override {
        assert(events_ == nullptr);
        events_ = &events;
        backoff_.reset();
        begin_attempt(Millis{0});
    }

    void close() override {
        if (events_ == nullptr) return;
        events_ = nullptr;
        ++attempt_;
        in_flight_.clear();
        if (connection_ == 0) return;
        // DISCONNECT: the broker forgets the will. Behind a partition it never gets there.
        const auto found = broker_.connections_.find(connection_);
        if (found != broker_.connections_.end()) {
            found->second.link = nullptr;
            if (!broker_.partitioned(options_.client_id)) broker_.connections_.erase(found);
        }
        connection_ = 0;
    }

    Result<PublishId, Fault> publish(std::string topic, Bytes payload) override {
        if (!mqtt::topic_allowed(topic)) return Fault::bad_topic;
        if (payload.size() > options_.limits.payload_bytes_max) return Fault::too_large;
        if (connection_ == 0) return Fault::down;
        if (in_flight_.size() >= options_.limits.in_flight_max) return Fault::window_full;
        const PublishId id{++published_};
        in_flight_.insert(id);
        // The broker may be through with this connection while the news is still on its way here.
        if (!broker_.connections_.contains(connection_)) return id;
        const Fate fate = broker_.draw_fate();
        if (fate.cut) {
            broker_.end(connection_, true);
            return id;
        }
        broker_.travel(connection_, Leg::up, fate.held_back,
                       [&broker = broker_, from = connection_, id, copies = fate.copies,
                        message = Message{std::move(topic), std::move(payload)}] {
                           broker.take_publish(from, id, message, copies);
                       });
        return id;
    }

    bool up() const override { return connection_ != 0; }

    void begin_attempt(Millis wait) {
        const std::uint64_t mine = ++attempt_;
        at_link(wait, [this, mine] {
            if (!wants(mine)) return;
            will_ = events_->on_connecting();
            if (!wants(mine)) return;
            at_link(Millis{answer_ms_max}, [this, mine] {
                if (connection_ == 0) failed(mine, Fault::unreachable);
            });
            at_link(broker_.latency(), [this, mine] {
                if (wants(mine)) broker_.take_connect(*this, mine);
            });
        });
    }

    void failed(std::uint64_t attempt, Fault why) {
        if (!wants(attempt)) return;
        retry();
        events_->on_down(why);
    }

    void accepted(std::uint64_t attempt, ConnectionId connection) {
        if (!wants(attempt)) return;
        connection_ = connection;
        backoff_.reset();
        events_->on_up();
    }

    void lost(std::uint64_t attempt, ConnectionId connection) {
        if (!wants(attempt)) return;
        if (connection_ == 0) return failed(attempt, Fault::lost);  // before CONNACK arrived
        assert(connection_ == connection);
        connection_ = 0;
        for (const PublishId id : std::exchange(in_flight_, {})) {
            events_->on_sent(id, Fault::lost);
            if (!wants(attempt)) return;
        }
        failed(attempt, Fault::lost);
    }

    void sent(ConnectionId connection, PublishId id, std::optional<Fault> fault) {
        if (connection != connection_ || events_ == nullptr) return;
        if (in_flight_.erase(id) != 0) events_->on_sent(id, fault);
    }

    void arrived(ConnectionId connection, Message message) {
        if (connection != connection_ || events_ == nullptr) return;
        // The simulator's owner takes each message at once, so inbound_max is never reached.
        if (message.payload.size() > options_.limits.payload_bytes_max) {
            events_->on_inbound_dropped(1);
            return;
        }
        ++broker_.damage_.delivered;
        events_->on_message(std::move(message));
    }

    const std::string& client_id() const { return options_.client_id; }
    const std::vector<std::string>& subscriptions() const { return options_.subscriptions; }
    const std::optional<Will>& will() const { return will_; }
    bool wants(std::uint64_t attempt) const { return attempt == attempt_ && events_ != nullptr; }

    /// Runs in this link later, unless it is gone by then.
    void at_link(Millis wait, std::function<void()> what) {
        broker_.at(broker_.now_ + wait, [alive = alive_, what = std::move(what)] {
            if (*alive) what();
        });
    }

private:
    void retry() {
        RngEntropy entropy{broker_.rng_};
        begin_attempt(Millis{backoff_.next_ms(entropy)});
    }

    FakeBroker& broker_;
    const FakeLinkOptions options_;
    mqtt::Backoff backoff_;
    LinkEvents* events_ = nullptr;
    std::optional<Will> will_;
    std::uint64_t attempt_ = 0;
    ConnectionId connection_ = 0;
    std::set<PublishId> in_flight_;
    std::uint64_t published_ = 0;
    const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

FakeBroker::FakeBroker(std::uint64_t seed, LinkFaults faults) : rng_{seed}, faults_{faults} {}
FakeBroker::~FakeBroker() = default;

void FakeBroker::allow_server(const std::string& id) {
    rules_[id] = Rule{.server = true, .root = {}};
}

void FakeBroker::allow_device(const std::string& id, const std::string& root) {
    rules_[id] = Rule{.server = false, .root = root};
}

void FakeBroker::revoke(const std::string& id) {
    rules_.erase(id);
    if (const ConnectionId connection = connection_of(id)) end(connection, true);
}

std::unique_ptr<mqtt::Link> FakeBroker::make_link(FakeLinkOptions options) {
    return std::make_unique<FakeLink>(*this, std::move(options));
}

std::optional<SteadyTime> FakeBroker::next_due() const {
    return agenda_.empty() ? std::nullopt : std::optional{agenda_.begin()->first.at};
}

void FakeBroker::run_until(SteadyTime now) {
    while (!agenda_.empty() && agenda_.begin()->first.at <= now) {
        const auto next = agenda_.extract(agenda_.begin());
        now_ = next.key().at;
        next.mapped()();
    }
    now_ = std::max(now_, now);
}

void FakeBroker::set_partitioned(const std::string& id, bool is_partitioned) {
    if (partitioned(id) == is_partitioned) return;
    const ConnectionId connection = connection_of(id);
    if (is_partitioned) {
        partitioned_.insert(id);
        if (connection == 0) return;
        const std::uint64_t mine = ++silences_;
        connections_.at(connection).silence = mine;
        at(now_ + Millis{silence_ms}, [this, connection, mine] {
            const auto found = connections_.find(connection);
            if (found == connections_.end() || found->second.silence != mine) return;
            ++damage_.partitioned;
            end(connection, true);
        });
        return;
    }
    partitioned_.erase(id);
    if (connection == 0) return;
    Connection& of = connections_.at(connection);
    of.silence = 0;
    for (auto& [leg, packet] : std::exchange(of.held, {})) {
        travel(connection, leg, Millis{0}, std::move(packet));
    }
}

void FakeBroker::drop(const std::string& id) {
    const ConnectionId connection = connection_of(id);
    if (connection == 0) return;
    ++damage_.dropped;
    end(connection, true);
}

void FakeBroker::stop() {
    running_ = false;
    ++damage_.restarts;
    while (!connections_.empty()) end(connections_.begin()->first, false);
}

void FakeBroker::start() { running_ = true; }

bool FakeBroker::connected(const std::string& id) const { return connection_of(id) != 0; }

bool FakeBroker::may_write(const std::string& id, std::string_view topic) const {
    const auto found = rules_.find(id);
    if (found == rules_.end()) return false;
    const Rule& rule = found->second;
    return rule.server ? topic.starts_with("pf/1/") : topic.starts_with(rule.root + "up/");
}

bool FakeBroker::may_read(const std::string& id, std::string_view topic) const {
    const auto found = rules_.find(id);
    if (found == rules_.end()) return false;
    const Rule& rule = found->second;
    return rule.server ? topic.starts_with("pf/1/") : topic.starts_with(rule.root + "dn/");
}

void FakeBroker::at(SteadyTime when, std::function<void()> what) {
    agenda_.emplace(Due{.at = when, .order = ++orders_}, std::move(what));
}

Millis FakeBroker::latency() {
    return Millis{rng_.between(faults_.latency_ms_min, faults_.latency_ms_max)};
}

bool FakeBroker::draw(std::uint32_t in_a_thousand, std::uint64_t& counter) {
    const bool hit = rng_.chance(in_a_thousand, fault_scale);
    counter += hit ? 1 : 0;
    return hit;
}

FakeBroker::Fate FakeBroker::draw_fate() {
    Fate fate;
    fate.cut = draw(faults_.cut, damage_.cut);
    if (draw(faults_.loss, damage_.lost)) {
        fate.copies = 0;
    } else if (draw(faults_.duplication, damage_.duplicated)) {
        fate.copies = 2;
    }
    if (draw(faults_.reorder, damage_.reordered)) {
        fate.held_back = Millis{rng_.between(1, faults_.reorder_ms_max)};
    }
    return fate;
}

void FakeBroker::travel(ConnectionId id, Leg leg, Millis held_back, Packet packet) {
    Connection& connection = connections_.at(id);
    SteadyTime& last = leg == Leg::up ? connection.last_up : connection.last_down;
    SteadyTime when = std::max(now_ + latency(), last);
    if (held_back == Millis{0}) {
        last = when;
    } else {
        when += held_back;
    }
    at(when, [this, id, leg, packet = std::move(packet)] { arrive(id, leg, packet); });
}

void FakeBroker::arrive(ConnectionId id, Leg leg, const Packet& packet) {
    const auto found = connections_.find(id);
    if (found == connections_.end()) return;
    if (partitioned(found->second.client_id)) {
        found->second.held.emplace_back(leg, packet);
        return;
    }
    packet();
}

void FakeBroker::take_connect(FakeLink& link, std::uint64_t attempt) {
    const std::string& id = link.client_id();
    if (partitioned(id)) return;  // the client stops waiting by itself
    if (!running_) return link.failed(attempt, Fault::unreachable);
    if (!rules_.contains(id)) return link.failed(attempt, Fault::connect_refused);
    if (const ConnectionId earlier = connection_of(id)) end(earlier, true);
    const ConnectionId made = ++connections_made_;
    Connection connection;
    connection.client_id = id;
    connection.link = &link;
    connection.attempt = attempt;
    connection.will = link.will();
    connection.subscriptions = link.subscriptions();
    connections_.emplace(made, std::move(connection));
    travel(made, Leg::down, Millis{0}, [this, made, attempt] {
        if (FakeLink* to = connections_.at(made).link) to->accepted(attempt, made);
    });
}

void FakeBroker::take_publish(ConnectionId from, PublishId id, const Message& message,
                              unsigned copies) {
    const bool allowed = may_write(connections_.at(from).client_id, message.topic);
    std::optional<Fault> fault;
    if (!allowed) {
        ++damage_.refused;
        if (refusals_visible_) fault = Fault::not_authorised;
    }
    travel(from, Leg::down, Millis{0}, [this, from, id, fault] {
        if (FakeLink* to = connections_.at(from).link) to->sent(from, id, fault);
    });
    for (unsigned copy = 0; allowed && copy < copies; ++copy) forward(message);
}

void FakeBroker::forward(const Message& message) {
    std::vector<ConnectionId> readers;
    for (const auto& [id, connection] : connections_) {
        const bool wanted = std::ranges::any_of(
            connection.subscriptions,
            [&](const std::string& filter) { return mqtt::topic_matches(filter, message.topic); });
        if (wanted && may_read(connection.client_id, message.topic)) readers.push_back(id);
    }
    for (const ConnectionId id : readers) {
        if (!connections_.contains(id)) continue;  // cut by an earlier draw of this loop
        const Fate fate = draw_fate();
        if (fate.cut) {
            end(id, true);
            continue;
        }
        for (unsigned copy = 0; copy < fate.copies; ++copy) {
            travel(id, Leg::down, fate.held_back, [this, id, message] {
                if (FakeLink* to = connections_.at(id).link) to->arrived(id, message);
            });
        }
    }
}

void FakeBroker::end(ConnectionId id, bool with_will) {
    const auto found = connections_.find(id);
    assert(found != connections_.end());
    const Connection connection = std::move(found->second);
    connections_.erase(found);
    if (connection.link != nullptr) {
        FakeLink* link = connection.link;
        link->at_link(latency(),
                      [link, id, attempt = connection.attempt] { link->lost(attempt, id); });
    }
    if (with_will && connection.will && may_write(connection.client_id, connection.will->topic)) {
        forward(*connection.will);
    }
}

FakeBroker::ConnectionId FakeBroker::connection_of(const std::string& id) const {
    const auto found = std::ranges::find_if(
        connections_, [&](const auto& entry) { return entry.second.client_id == id; });
    return found == connections_.end() ? 0 : found->first;
}

}  // namespace pf::tests
