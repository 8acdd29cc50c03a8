#pragma once
// An owner of a link that writes down what it hears.
#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/mqtt/link.hpp"

namespace pf::tests {

struct Listener final : mqtt::LinkEvents {
    std::function<std::optional<mqtt::Will>()> will = [] { return std::nullopt; };
    std::function<void(const mqtt::Message&)> hear = [](const mqtt::Message&) {};

    unsigned connecting = 0;
    unsigned ups = 0;
    std::vector<mqtt::Fault> downs;
    std::vector<mqtt::Message> messages;
    std::map<mqtt::PublishId, std::optional<mqtt::Fault>> sent;
    std::uint64_t dropped = 0;
    unsigned sent_twice = 0;
    std::size_t sent_before_down = 0;  // as of the latest on_down

    std::optional<mqtt::Will> on_connecting() override {
        ++connecting;
        return will();
    }
    void on_up() override { ++ups; }
    void on_down(mqtt::Fault why) override {
        downs.push_back(why);
        sent_before_down = sent.size();
    }
    void on_message(mqtt::Message message) override {
        messages.push_back(message);
        hear(message);
    }
    void on_sent(mqtt::PublishId id, std::optional<mqtt::Fault> fault) override {
        if (!sent.emplace(id, fault).second) ++sent_twice;
    }
    void on_inbound_dropped(std::uint64_t count) override { dropped += count; }

    bool has(const std::string& topic) const {
        return std::ranges::any_of(messages, [&](const auto& m) { return m.topic == topic; });
    }
    std::size_t count(const std::string& topic) const {
        return static_cast<std::size_t>(std::ranges::count_if(
            messages, [&](const mqtt::Message& m) { return m.topic == topic; }));
    }
};

}  // namespace pf::tests
