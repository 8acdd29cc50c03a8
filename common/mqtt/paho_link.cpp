#include "common/mqtt/paho_link.hpp"

#include <cassert>
#include <set>
#include <utility>

#include "common/mqtt/paho_worker.hpp"

namespace pf::mqtt {

namespace {

/// The owner's side, touched on the executor only. Reports find it through a weak pointer, so none
/// reaches an owner that is gone; those of an earlier open() are known by their session number.
class Side : public std::enable_shared_from_this<Side> {
public:
    Side(Options options, Post post, std::shared_ptr<Entropy> entropy)
        : limits_{options.limits},
          options_{std::move(options)},
          post_{std::move(post)},
          entropy_{std::move(entropy)} {}

    void start() {
        worker_ = std::make_unique<Worker>(
            std::move(options_),
            [post = post_, weak = weak_from_this()](std::uint64_t session, Report report) {
                post([weak, session, report = std::move(report)]() mutable {
                    if (const auto side = weak.lock()) side->take(session, std::move(report));
                });
            },
            std::move(entropy_));
    }

    void open(LinkEvents& events) {
        assert(session_ == 0);
        events_ = &events;
        session_ = ++sessions_;
        worker_->open(session_);
    }

    void close() {
        if (session_ == 0) return;
        forget();
        session_ = 0;
        worker_->close();
    }

    Result<PublishId, Fault> publish(const std::string& topic, BytesView payload) {
        if (!topic_allowed(topic)) return Fault::bad_topic;
        if (payload.size() > limits_.payload_bytes_max) return Fault::too_large;
        if (client_ == nullptr) return Fault::down;
        if (in_flight_.size() >= limits_.in_flight_max) return Fault::window_full;
        const PublishId id{++published_};
        // Paho refuses between its own loss of the connection and our hearing of it.
        if (!client_->publish(id, topic, payload)) return Fault::down;
        in_flight_.insert(id);
        return id;
    }

    bool up() const { return client_ != nullptr; }

private:
    void take(std::uint64_t session, Report report) {
        if (std::holds_alternative<Arrived>(report)) worker_->inbound_taken();
        const std::uint64_t dropped =
            std::holds_alternative<Dropped>(report) ? worker_->take_dropped() : 0;
        if (session != session_ || session == 0) return;
        std::visit(
            [&](auto& of) {
                using Kind = std::decay_t<decltype(of)>;
                if constexpr (std::is_same_v<Kind, Asked>) {
                    worker_->answer_will(session, events_->on_connecting());
                } else if constexpr (std::is_same_v<Kind, Up>) {
                    client_ = std::move(of.client);
                    events_->on_up();
                } else if constexpr (std::is_same_v<Kind, Down>) {
                    take_down(session, of.why);
                } else if constexpr (std::is_same_v<Kind, Sent>) {
                    if (in_flight_.erase(of.id) != 0) events_->on_sent(of.id, of.fault);
                } else if constexpr (std::is_same_v<Kind, Arrived>) {
                    events_->on_message(std::move(of.message));
                } else {
                    static_assert(std::is_same_v<Kind, Dropped>);
                    events_->on_inbound_dropped(dropped);
                }
            },
            report);
    }

    void take_down(std::uint64_t session, Fault why) {
        const std::set<PublishId> unanswered = std::exchange(in_flight_, {});
        client_.reset();
        for (const PublishId id : unanswered) {
            events_->on_sent(id, Fault::lost);
            if (session != session_) return;  // the owner closed the link just now
        }
        events_->on_down(why);
    }

    void forget() {
        client_.reset();
        in_flight_.clear();
        events_ = nullptr;
    }

    const Limits limits_;
    Options options_;  // handed to the worker by start()
    const Post post_;
    std::shared_ptr<Entropy> entropy_;
    LinkEvents* events_ = nullptr;
    std::shared_ptr<PahoClient> client_;  // while up
    std::set<PublishId> in_flight_;
    std::uint64_t published_ = 0;
    std::uint64_t sessions_ = 0;
    std::uint64_t session_ = 0;  // 0 while closed
    std::unique_ptr<Worker> worker_;
};

class PahoLink final : public Link {
public:
    explicit PahoLink(std::shared_ptr<Side> side) : side_{std::move(side)} { side_->start(); }
    ~PahoLink() override { side_->close(); }

    void open(LinkEvents& events) override { side_->open(events); }
    void close() override { side_->close(); }
    Result<PublishId, Fault> publish(std::string topic, Bytes payload) override {
        return side_->publish(topic, payload);
    }
    bool up() const override { return side_->up(); }

private:
    std::shared_ptr<Side> side_;
};

}  // namespace

std::unique_ptr<Link> make_paho_link(Options options, Post post, std::shared_ptr<Entropy> entropy) {
    return std::make_unique<PahoLink>(
        std::make_shared<Side>(std::move(options), std::move(post), std::move(entropy)));
}

}  // namespace pf::mqtt
