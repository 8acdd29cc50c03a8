#pragma once
// The link's own thread: connects, waits, reconnects. It knows Paho's client and the clock; what it
// has to say goes to the owner's executor as a Report, in order.
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "common/mqtt/backoff.hpp"
#include "common/mqtt/link.hpp"
#include "common/mqtt/paho_client.hpp"
#include "common/mqtt/paho_link.hpp"

namespace pf::mqtt {

/// What the executor is told, each with the number of the open() it belongs to.
struct Asked {};  // on_connecting: answer with Worker::answer_will
struct Up {
    std::shared_ptr<PahoClient> client;
};
struct Down {
    Fault why;
};
struct Sent {
    PublishId id;
    std::optional<Fault> fault;
};
struct Arrived {
    Message message;
};
struct Dropped {};  // ask Worker::take_dropped how many
using Report = std::variant<Asked, Up, Down, Sent, Arrived, Dropped>;

/// Called on the worker's and Paho's threads.
using Deliver = std::function<void(std::uint64_t session, Report)>;

class Worker final : private PahoCalls {
public:
    /// Throws std::system_error when there is no memory for the certificates or no thread.
    Worker(Options options, Deliver deliver, std::shared_ptr<Entropy> entropy);
    /// Ends the connection and joins the thread.
    ~Worker() override;
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    // From the executor.
    void open(std::uint64_t session);
    void close();
    void answer_will(std::uint64_t session, std::optional<Will> will);
    /// An Arrived, which takes a place in the inbound queue, was handled.
    void inbound_taken();
    std::uint64_t take_dropped();

private:
    enum class Answer { none, yes, no };
    struct Attempt {
        std::optional<Fault> fault;  // nothing: the connection was up, and has ended
        bool version_refused = false;
        bool held = false;  // was up for long enough to call the next failure a new one
    };

    void run();
    void serve(std::uint64_t session);
    Attempt attempt(std::uint64_t session, Protocol protocol);
    std::optional<Fault> connect(PahoClient& client, std::uint64_t session,
                                 std::unique_lock<std::mutex>& lock);
    void tell_up(std::uint64_t session, std::shared_ptr<PahoClient> client);
    bool closed(std::uint64_t session) const { return quit_ || session_ != session; }

    void connect_done(std::optional<Fault> fault, bool version_refused) override;
    void subscribe_done(bool granted) override;
    void connection_lost() override;
    void message_arrived(std::string_view topic, BytesView payload) override;
    void publish_done(PublishId id, std::optional<Fault> fault) override;

    const Options options_;
    const Deliver deliver_;
    const std::shared_ptr<Entropy> entropy_;
    std::optional<TlsPaths> tls_;
    struct Files;
    std::unique_ptr<Files> files_;

    // A leaf lock: nothing of Paho and nothing of the owner is called while it is held, except
    // `deliver`, which only posts.
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    bool quit_ = false;
    std::uint64_t session_ = 0;  // of open(); 0 while closed
    bool will_answered_ = false;
    std::optional<Will> will_;
    // Of the present attempt:
    std::uint64_t attempt_session_ = 0;
    Answer connected_ = Answer::none;
    Answer subscribed_ = Answer::none;
    std::optional<Fault> connect_fault_;
    bool version_refused_ = false;
    bool lost_ = false;
    bool told_up_ = false;
    std::vector<Message> early_;  // arrived between SUBACK and Up, at most inbound_max
    // Of the inbound queue:
    std::size_t inbound_waiting_ = 0;
    std::uint64_t dropped_ = 0;

    std::thread thread_;  // last: it uses everything above
};

}  // namespace pf::mqtt
