#include "sync-server/app/link_door.hpp"

#include <utility>

#include "common/wire/topics.hpp"

namespace pf::server::app {

LinkDoor::LinkDoor(mqtt::Link& link, std::function<void(mqtt::Message)> on_message)
    : link_{&link}, on_message_{std::move(on_message)} {}

std::vector<std::string> LinkDoor::filters(const std::vector<std::uint32_t>& partitions) {
    std::vector<std::string> out;
    for (const std::uint32_t partition : partitions)
        out.push_back(wire::partition_filter(partition));
    return out;
}

std::vector<std::uint32_t> LinkDoor::all_partitions() {
    std::vector<std::uint32_t> out;
    for (std::uint32_t partition = 0; partition < wire::partition_count; ++partition)
        out.push_back(partition);
    return out;
}

void LinkDoor::change_to(mqtt::Link& link) {
    drop_waiting();
    link_ = &link;
}

void LinkDoor::publish(Outgoing message) {
    if (!link_->up()) {
        ++counts_.dropped_down;
        return;
    }
    if (outgoing_.size() >= outgoing_max ||
        outgoing_bytes_ + message.payload.size() > outgoing_bytes_max) {
        ++counts_.dropped_full;
        return;
    }
    outgoing_bytes_ += message.payload.size();
    outgoing_.push_back(std::move(message));
    pump();
}

void LinkDoor::pump() {
    while (!outgoing_.empty()) {
        Outgoing& next = outgoing_.front();
        const std::size_t bytes = next.payload.size();
        // The link takes the message only when it says yes; a full window keeps it here, so the
        // payload is copied rather than moved away.
        const auto sent = link_->publish(next.topic, next.payload);
        if (!sent && sent.error() == mqtt::Fault::window_full) return;
        ++(sent ? counts_.sent : counts_.refused);
        outgoing_bytes_ -= bytes;
        outgoing_.pop_front();
    }
}

void LinkDoor::on_up() {
    ++counts_.connections;
    pump();
}

void LinkDoor::on_down(mqtt::Fault) { drop_waiting(); }

void LinkDoor::drop_waiting() {
    // Devices that come back say so with a birth and are answered anew; what waited here is stale.
    counts_.dropped_down += outgoing_.size();
    outgoing_.clear();
    outgoing_bytes_ = 0;
}

void LinkDoor::on_message(mqtt::Message message) { on_message_(std::move(message)); }

void LinkDoor::on_sent(mqtt::PublishId, std::optional<mqtt::Fault> fault) {
    if (fault) ++counts_.refused;
    pump();
}

void LinkDoor::on_inbound_dropped(std::uint64_t count) { counts_.inbound_dropped += count; }

}  // namespace pf::server::app
