#include "sync-server/app/own_link.hpp"

#include <chrono>

#include "sync-server/app/certificates.hpp"
#include "sync-server/app/core.hpp"
#include "sync-server/app/link_tls.hpp"

namespace pf::server::app {

OwnLink::OwnLink(Parts parts) : parts_{std::move(parts)} {}

OwnLink::~OwnLink() {
    close();
    link_.reset();
}

std::string OwnLink::name_of(std::uint32_t seat) const {
    return server_name(parts_.broker.managed ? 0 : seat);
}

bool OwnLink::listens_to(std::uint32_t seat, const std::vector<std::uint32_t>& partitions) const {
    return link_ && name_ == name_of(seat) && partitions_ == partitions;
}

std::optional<std::string> OwnLink::listen(std::uint32_t seat,
                                           const std::vector<std::uint32_t>& partitions) {
    const std::string name = name_of(seat);
    std::string wrong;
    auto tls = link_tls(parts_.broker, parts_.keys, name, *parts_.entropy, wrong);
    if (!tls) return wrong;
    give_up();
    mqtt::Options options;
    // The managed broker listens where it was told to; every address of it is on this machine.
    options.host = parts_.broker.managed ? "127.0.0.1" : parts_.broker.host;
    if (parts_.broker.managed && parts_.broker.address != "0.0.0.0")
        options.host = parts_.broker.address;
    options.port = parts_.port;
    options.client_id = name;
    options.tls = std::move(*tls);
    options.subscriptions = LinkDoor::filters(partitions);
    options.version =
        parts_.broker.version_3_1_1 ? mqtt::Version::only_3_1_1 : mqtt::Version::prefer_5;
    options.limits.inbound_max = Core::waiting_max;
    link_ = parts_.make ? parts_.make(std::move(options))
                        : mqtt::make_paho_link(std::move(options), parts_.post, parts_.entropy);
    name_ = name;
    partitions_ = partitions;
    if (door_)
        door_->change_to(*link_);
    else
        door_.emplace(*link_, parts_.on_message);
    link_->open(*this);
    return std::nullopt;
}

void OwnLink::give_up() {
    if (!link_) return;
    close();
    // Those that have ended; the others are not waited for here: shares may change twice a second.
    std::erase_if(ending_, [](const std::future<void>& one) {
        return one.wait_for(std::chrono::seconds{0}) == std::future_status::ready;
    });
    ending_.push_back(std::async(
        std::launch::async, [old = std::shared_ptr{std::move(link_)}]() mutable { old.reset(); }));
}

void OwnLink::publish(Outgoing message) {
    if (door_) door_->publish(std::move(message));
}

void OwnLink::close() {
    up_ = false;
    if (link_) link_->close();
}

LinkDoor::Counts OwnLink::counts() const { return door_ ? door_->counts() : LinkDoor::Counts{}; }

void OwnLink::on_up() {
    parts_.log.say(LogLevel::info, "link up");
    up_ = true;
    door_->on_up();
}

void OwnLink::on_down(mqtt::Fault why) {
    if (up_.exchange(false))
        parts_.log.say(LogLevel::warning, "link down", {{"why", std::string{mqtt::to_text(why)}}});
    door_->on_down(why);
}

void OwnLink::on_message(mqtt::Message message) { door_->on_message(std::move(message)); }

void OwnLink::on_sent(mqtt::PublishId id, std::optional<mqtt::Fault> fault) {
    door_->on_sent(id, fault);
}

void OwnLink::on_inbound_dropped(std::uint64_t count) { door_->on_inbound_dropped(count); }

}  // namespace pf::server::app
