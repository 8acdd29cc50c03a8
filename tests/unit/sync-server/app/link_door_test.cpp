// The server's end of the link over a window that fills: nothing overtakes, nothing grows without
// end.
#include "sync-server/app/link_door.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "common/wire/topics.hpp"

using namespace pf;
using namespace pf::server;

namespace {

/// A link whose window is opened by hand.
class Window final : public mqtt::Link {
public:
    void open(mqtt::LinkEvents&) override {}
    void close() override {}
    Result<mqtt::PublishId, mqtt::Fault> publish(std::string topic, Bytes) override {
        if (refuse) return *refuse;
        if (in_flight >= room) return mqtt::Fault::window_full;
        ++in_flight;
        topics.push_back(std::move(topic));
        return mqtt::PublishId{++last};
    }
    bool up() const override { return is_up; }
    std::size_t room = 2, in_flight = 0;
    std::uint64_t last = 0;
    bool is_up = true;
    std::optional<mqtt::Fault> refuse;
    std::vector<std::string> topics;
};

struct Desk {
    Window window;
    std::vector<mqtt::Message> got;
    app::LinkDoor door{window, [this](mqtt::Message m) { got.push_back(std::move(m)); }};

    void publish(const std::string& topic, std::size_t bytes = 1) {
        door.publish({topic, Bytes(bytes, 0)});
    }
    void sent(std::optional<mqtt::Fault> fault = std::nullopt) {
        --window.in_flight;
        door.on_sent(mqtt::PublishId{1}, fault);
    }
};

}  // namespace

TEST_CASE("messages leave in their order, as the window lets them") {
    Desk desk;
    for (const char* topic : {"a", "b", "c", "d", "e"}) desk.publish(topic);
    CHECK(desk.window.topics == std::vector<std::string>{"a", "b"});
    desk.sent();
    desk.sent(mqtt::Fault::not_authorised);
    CHECK(desk.window.topics == std::vector<std::string>{"a", "b", "c", "d"});
    desk.sent();
    CHECK(desk.window.topics.back() == "e");
    CHECK(desk.door.counts().sent == 5);
    CHECK(desk.door.counts().refused == 1);
}

TEST_CASE("while the link is down nothing is kept: devices say again what they lack") {
    Desk desk;
    for (const char* topic : {"a", "b", "c"}) desk.publish(topic);
    desk.window.is_up = false;
    desk.door.on_down(mqtt::Fault::lost);
    desk.publish("d");
    desk.window.is_up = true;
    desk.window.in_flight = 0;
    desk.door.on_up();
    CHECK(desk.window.topics == std::vector<std::string>{"a", "b"});
    CHECK(desk.door.counts().dropped_down == 2);
}

TEST_CASE("with another link the door goes on, without what waited for the old one") {
    Desk desk;
    for (const char* topic : {"a", "b", "c"}) desk.publish(topic);
    Window other;
    desk.door.change_to(other);
    desk.publish("d");
    CHECK(desk.window.topics == std::vector<std::string>{"a", "b"});
    CHECK(other.topics == std::vector<std::string>{"d"});
    CHECK(desk.door.counts().dropped_down == 1);
}

TEST_CASE("what waits is bounded in number and in bytes") {
    Desk desk;
    desk.window.room = 0;
    for (std::size_t i = 0; i < app::LinkDoor::outgoing_max + 3; ++i) desk.publish("x");
    CHECK(desk.door.counts().dropped_full == 3);

    Desk big;
    big.window.room = 0;
    const std::size_t bytes = 1024 * 1024;
    for (std::size_t i = 0; i < app::LinkDoor::outgoing_bytes_max / bytes + 2; ++i)
        big.publish("x", bytes);
    CHECK(big.door.counts().dropped_full == 2);
    big.window.room = 1;
    big.door.on_up();
    big.publish("y", bytes);
    CHECK(big.door.counts().dropped_full == 2);
}

TEST_CASE("a message the link will never take does not hold up those behind it") {
    Desk desk;
    desk.window.refuse = mqtt::Fault::too_large;
    desk.publish("a");
    desk.window.refuse.reset();
    desk.publish("b");
    CHECK(desk.window.topics == std::vector<std::string>{"b"});
    CHECK(desk.door.counts().refused == 1);
}

TEST_CASE("the filters take every partition's devices and nothing else") {
    const auto filters = app::LinkDoor::filters(app::LinkDoor::all_partitions());
    CHECK(filters.size() == wire::partition_count);
    const auto taken = [&](std::string_view topic) {
        return std::ranges::count_if(
            filters, [&](const std::string& f) { return mqtt::topic_matches(f, topic); });
    };
    CHECK(taken("pf/1/0/d/gate-1/up/birth") == 1);
    CHECK(taken("pf/1/15/d/gate-1/up/events") == 1);
    CHECK(taken("pf/1/3/d/gate-1/dn/ack") == 0);
    CHECK(taken("pf/2/3/d/gate-1/up/birth") == 0);
}
