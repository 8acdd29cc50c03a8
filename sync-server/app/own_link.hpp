#pragma once
// The server's own link to the broker: which one, under which name, listening to what. Made anew
// when name or partitions change; the door stays. On the executor, except up().
#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/entropy.hpp"
#include "common/mqtt/paho_link.hpp"
#include "sync-server/app/config.hpp"
#include "sync-server/app/link_door.hpp"
#include "sync-server/app/log.hpp"
#include "sync-server/fleet/fleet.hpp"

namespace pf::server::app {

class OwnLink final : public mqtt::LinkEvents {
public:
    struct Parts {
        Config::Broker broker;
        std::uint16_t port = 0;  // where it listens
        const fleet::Keys& keys;
        std::shared_ptr<Entropy> entropy;
        Log& log;
        mqtt::Post post;
        std::function<void(mqtt::Message)> on_message;
        /// Tests give another.
        std::function<std::unique_ptr<mqtt::Link>(mqtt::Options)> make = {};
    };
    explicit OwnLink(Parts parts);
    /// Waits, bounded, for connections to end.
    ~OwnLink() override;

    /// Connects as the server of that seat and listens to those partitions; what it had before is
    /// given up, with what was under way there. Nothing on success, else a sentence, and what it
    /// had stays.
    std::optional<std::string> listen(std::uint32_t seat,
                                      const std::vector<std::uint32_t>& partitions);
    /// Whether the last listen() that succeeded was of these.
    bool listens_to(std::uint32_t seat, const std::vector<std::uint32_t>& partitions) const;
    void publish(Outgoing message);
    void close();

    bool up() const noexcept { return up_; }  // any thread
    LinkDoor::Counts counts() const;

private:
    /// A broker of its own serves one server and knows one name, whatever the seat.
    std::string name_of(std::uint32_t seat) const;
    void give_up();

    void on_up() override;
    void on_down(mqtt::Fault why) override;
    void on_message(mqtt::Message message) override;
    void on_sent(mqtt::PublishId id, std::optional<mqtt::Fault> fault) override;
    void on_inbound_dropped(std::uint64_t count) override;

    Parts parts_;
    std::atomic<bool> up_ = false;
    std::unique_ptr<mqtt::Link> link_;
    std::string name_;                       // as which link_ connects
    std::vector<std::uint32_t> partitions_;  // and what it listens to
    std::optional<LinkDoor> door_;
    /// Of links before: Paho takes up to a second for each. They were closed on the executor; what
    /// is left is to wait for their threads.
    std::vector<std::future<void>> ending_;
};

}  // namespace pf::server::app
