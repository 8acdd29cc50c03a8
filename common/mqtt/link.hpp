#pragma once
// The link to a broker as rooms see it: MQTT, QoS 1, last will, clean start; nothing retained, no
// persistent session. No type of a library in here; the real one is common/mqtt/paho_link.hpp, the
// simulator's is tests/support/fake_link.hpp, and tests/contract/link holds both to this text.
//
// Everything happens on one executor: the owner calls the link there, and the link delivers every
// event there. No event is delivered from inside a call of the link, so a room may publish from
// on_message without being entered again.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/bytes.hpp"
#include "common/base/result.hpp"

namespace pf::mqtt {

/// Why something did not work. Append only; the words are in to_text().
enum class Fault : std::uint8_t {
    unreachable,          // no address, no TCP connection, or no answer in time
    tls_refused,          // we don't accept the broker's certificate
    connect_refused,      // the broker refused CONNECT, or hung up on it. When it does not accept
                          // our certificate it looks like this, or like unreachable
    not_authorised,       // the broker's rules forbid this topic; seen with MQTT 5 only
    rejected,             // the broker refused for a reason of its own; seen with MQTT 5 only
    lost,                 // the connection ended; for a message: nobody knows whether it arrived
    down,                 // the link is not up
    window_full,          // in_flight_max messages are unacknowledged; wait for an on_sent
    too_large,            // the payload exceeds payload_bytes_max
    bad_topic,            // empty, longer than topic_bytes_max, or with '+', '#' or NUL in it
    subscription_refused  // the broker did not grant one of the subscriptions
};

/// A word for logs: "unreachable", "not_authorised", …
std::string_view to_text(Fault fault) noexcept;

struct Message {
    std::string topic;
    Bytes payload;
    friend bool operator==(const Message&, const Message&) = default;
};

/// What the broker publishes for this client when the connection ends without close().
using Will = Message;

/// Names one publish of one link, for as long as the link object lives. Never used twice.
struct PublishId {
    std::uint64_t value{};
    friend auto operator<=>(PublishId, PublishId) = default;
};

/// What an owner hears, in order, on the executor. on_up and on_down alternate, except that failed
/// attempts of a link that is down each bring one more on_down. Any of them may call the link,
/// close() included, but not destroy it.
class LinkEvents {
public:
    virtual ~LinkEvents() = default;

    /// A connect attempt begins; the answer is the will of this attempt. Asked each time, because
    /// the will carries a counter that tells an old will from a new one.
    virtual std::optional<Will> on_connecting() { return std::nullopt; }

    /// Connected, and every subscription granted. The broker remembers nothing of an earlier
    /// connection: what was missed meanwhile has to be asked for again.
    virtual void on_up() = 0;

    /// The connection ended, or an attempt failed. The link goes on trying by itself. Every message
    /// in flight has had its on_sent(…, lost) before.
    virtual void on_down(Fault why) = 0;

    /// A message of a subscribed topic; maybe twice, never promised (see on_inbound_dropped).
    virtual void on_message(Message message) = 0;

    /// The fate of one publish, exactly once per accepted publish() unless close() comes first.
    /// Nothing: the broker took it. That is no receipt: a broker may lose it at once, and one that
    /// speaks 3.1.1 says so of a message it has thrown away for want of permission. Only the
    /// application's own acknowledgement counts.
    virtual void on_sent(PublishId id, std::optional<Fault> fault) = 0;

    /// Messages were thrown away because the owner did not keep up (inbound_max) or they exceeded
    /// payload_bytes_max. `count` is of this report alone. The application's own acknowledgements
    /// bring the contents back.
    virtual void on_inbound_dropped(std::uint64_t count) = 0;
};

/// A reconnecting connection to one broker. Not thread-safe: called on the executor only.
class Link {
public:
    /// No event comes after the destructor. It waits, bounded, for the connection to end.
    virtual ~Link() = default;

    /// Starts connecting, and reconnects until close(). `events` outlives that. Opening an open
    /// link is a bug.
    virtual void open(LinkEvents& events) = 0;

    /// Ends the connection politely, so the broker forgets the will. No event comes after this
    /// call, not even for messages in flight; open() may follow. Closing a closed link does
    /// nothing.
    virtual void close() = 0;

    /// Hands one message to the broker at QoS 1, never retained. Fails at once with `down`,
    /// `window_full`, `too_large` or `bad_topic`; nothing is kept for later by the link.
    virtual Result<PublishId, Fault> publish(std::string topic, Bytes payload) = 0;

    /// Between on_up and on_down, as the owner has heard them.
    virtual bool up() const = 0;
};

/// Limits every link keeps, the real one and the simulator's.
struct Limits {
    std::size_t in_flight_max = 20;  // unacknowledged publishes; more gain only latency
    std::size_t payload_bytes_max = 256 * 1024;
    std::size_t inbound_max = 1024;  // messages received and not yet handled by the owner
};
inline constexpr std::size_t topic_bytes_max = 256;

/// May be published to: not empty, at most topic_bytes_max bytes, no wildcard, no NUL.
bool topic_allowed(std::string_view topic) noexcept;

/// MQTT's matching of a topic against a filter with '+' and '#' (MQTT 5.0, section 4.7).
bool topic_matches(std::string_view filter, std::string_view topic) noexcept;

}  // namespace pf::mqtt
