#pragma once
// The server's end of the link: what comes in goes to the core, what the core publishes waits here
// for the link's window. On the executor only; no clock, no thread.
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "common/mqtt/link.hpp"
#include "sync-server/app/core.hpp"

namespace pf::server::app {

/// Opens `link` with itself; program and simulation use it alike.
class LinkDoor final : public mqtt::LinkEvents {
public:
    /// Both outlive it. Subscriptions are the maker of the link's business: see filters().
    LinkDoor(mqtt::Link& link, std::function<void(mqtt::Message)> on_message);

    /// What the server subscribes to: one filter a partition.
    static std::vector<std::string> filters(const std::vector<std::uint32_t>& partitions);
    /// Every partition, for a server that shares its database with nobody.
    static std::vector<std::uint32_t> all_partitions();

    /// Goes on with another link; what waited for the old one is stale. `link` outlives the door.
    void change_to(mqtt::Link& link);

    void publish(Outgoing message);

    void on_up() override;
    void on_down(mqtt::Fault why) override;
    void on_message(mqtt::Message message) override;
    void on_sent(mqtt::PublishId id, std::optional<mqtt::Fault> fault) override;
    void on_inbound_dropped(std::uint64_t count) override;

    struct Counts {
        std::uint64_t sent = 0;
        std::uint64_t refused = 0;          // by the broker
        std::uint64_t dropped_down = 0;     // the link was down: devices ask after they are back
        std::uint64_t dropped_full = 0;     // outgoing_max or outgoing_bytes_max were reached
        std::uint64_t inbound_dropped = 0;  // by the link, which says so
        std::uint64_t connections = 0;
    };
    const Counts& counts() const noexcept { return counts_; }
    bool up() const { return link_->up(); }

    static constexpr std::size_t outgoing_max = 20'000;
    static constexpr std::size_t outgoing_bytes_max = 64UL * 1024 * 1024;

private:
    void pump();
    void drop_waiting();

    mqtt::Link* link_;
    std::function<void(mqtt::Message)> on_message_;
    std::deque<Outgoing> outgoing_;
    std::size_t outgoing_bytes_ = 0;
    Counts counts_;
};

}  // namespace pf::server::app
