#include "common/mqtt/paho_link.hpp"

#include <cassert>
#include <deque>
#include <map>
#include <utility>

#include "common/mqtt/paho_worker.hpp"

namespace pf::mqtt {

namespace {

/// What Paho gets at a time without an answer: fits the smallest send buffer of Linux.
constexpr std::size_t handed_bytes_max = 16 * 1024;

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

    Result<PublishId, Fault> publish(std::string topic, Bytes payload) {
        if (!topic_allowed(topic)) return Fault::bad_topic;
        if (payload.size() > limits_.payload_bytes_max) return Fault::too_large;
        if (client_ == nullptr) return Fault::down;
        if (in_flight_.size() >= limits_.in_flight_max) return Fault::window_full;
        const PublishId id{++published_};
        in_flight_.emplace(id, payload.size());
        waiting_.push_back({.id = id, .topic = std::move(topic), .payload = std::move(payload)});
        hand_over();
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
                    take_sent(of);
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
        const auto unanswered = std::exchange(in_flight_, {});
        let_go();
        for (const auto& [id, size] : unanswered) {
            events_->on_sent(id, Fault::lost);
            if (session != session_) return;  // the owner closed the link just now
        }
        events_->on_down(why);
    }

    void take_sent(const Sent& sent) {
        const auto found = in_flight_.find(sent.id);
        if (found == in_flight_.end()) return;
        handed_bytes_ -= found->second;
        in_flight_.erase(found);
        hand_over();
        events_->on_sent(sent.id, sent.fault);
    }

    /// Gives Paho no more than it can write at once, or one message: what still queues inside Paho
    /// when a connection is lost is never freed by it (docs/adr/0010).
    void hand_over() {
        while (!waiting_.empty() && client_ != nullptr) {
            const Waiting& next = waiting_.front();
            if (handed_bytes_ > 0 && handed_bytes_ + next.payload.size() > handed_bytes_max) return;
            // Paho refuses between its own loss of the connection and our hearing of it, which
            // then ends everything in flight.
            if (!client_->publish(next.id, next.topic, next.payload)) return;
            handed_bytes_ += next.payload.size();
            waiting_.pop_front();
        }
    }

    void let_go() {
        client_.reset();
        waiting_.clear();
        in_flight_.clear();
        handed_bytes_ = 0;
    }

    void forget() {
        let_go();
        events_ = nullptr;
    }

    struct Waiting {
        PublishId id;
        std::string topic;
        Bytes payload;
    };

    const Limits limits_;
    Options options_;  // handed to the worker by start()
    const Post post_;
    std::shared_ptr<Entropy> entropy_;
    LinkEvents* events_ = nullptr;
    std::shared_ptr<PahoClient> client_;          // while up
    std::map<PublishId, std::size_t> in_flight_;  // with the size of the payload
    std::deque<Waiting> waiting_;                 // of those, what Paho has not got yet
    std::size_t handed_bytes_ = 0;
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
        return side_->publish(std::move(topic), std::move(payload));
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
