#pragma once
// The server's own link to the broker: which one, under which name, listening to what. Made anew
// when name or partitions change; the door stays. On the executor, except up().
#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>

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
    };
    explicit OwnLink(Parts parts);
    /// Waits, bounded, for connections to end.
    ~OwnLink() override;

    /// Connects as the server of that seat and listens to those partitions. What it had before is
    /// given up first, with what was under way there. Nothing on success, else a sentence.
    std::optional<std::string> listen(std::uint32_t seat,
                                      const std::vector<std::uint32_t>& partitions);
    void publish(Outgoing message);
    void close();

    bool up() const noexcept { return up_; }  // any thread
    LinkDoor::Counts counts() const;

private:
    void give_up();

    void on_up() override;
    void on_down(mqtt::Fault why) override;
    void on_message(mqtt::Message message) override;
    void on_sent(mqtt::PublishId id, std::optional<mqtt::Fault> fault) override;
    void on_inbound_dropped(std::uint64_t count) override;

    Parts parts_;
    std::atomic<bool> up_ = false;
    std::unique_ptr<mqtt::Link> link_;
    std::optional<LinkDoor> door_;
    std::future<void> ending_;  // of the link before: Paho takes up to a second for it
};

}  // namespace pf::server::app
