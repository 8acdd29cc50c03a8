// The server's own link: under which name, and that a link which could not be made is made later.
#include "sync-server/app/own_link.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <future>

#include "tests/support/temp_dir.hpp"
#include "tests/unit/sync-server/ingest/world.hpp"

using namespace pf;
using namespace pf::server;

namespace {

class Silent final : public mqtt::Link {
public:
    void open(mqtt::LinkEvents&) override {}
    void close() override {}
    Result<mqtt::PublishId, mqtt::Fault> publish(std::string, Bytes) override {
        return mqtt::Fault::window_full;
    }
    bool up() const override { return false; }
};

/// Ends when it may, as Paho's do when a broker is slow; at the latest after a while, or a test
/// that fails would never end.
class Slow final : public mqtt::Link {
public:
    Slow(std::shared_future<void> may_end, std::atomic<int>& ended)
        : may_end_{std::move(may_end)}, ended_{ended} {}
    ~Slow() override {
        may_end_.wait_for(std::chrono::seconds{5});
        ++ended_;
    }
    void open(mqtt::LinkEvents& events) override { silent_.open(events); }
    void close() override { silent_.close(); }
    Result<mqtt::PublishId, mqtt::Fault> publish(std::string topic, Bytes payload) override {
        return silent_.publish(std::move(topic), std::move(payload));
    }
    bool up() const override { return silent_.up(); }

private:
    Silent silent_;
    std::shared_future<void> may_end_;
    std::atomic<int>& ended_;
};

struct Post : tests::World {
    std::unique_ptr<app::OwnLink> link(app::Config::Broker broker) {
        return std::make_unique<app::OwnLink>(
            app::OwnLink::Parts{.broker = std::move(broker),
                                .port = 1,
                                .keys = keys(),
                                .entropy = std::make_shared<tests::SeededEntropy>(1),
                                .log = log,
                                .post = [](std::function<void()>) {},
                                .on_message = [](mqtt::Message) {},
                                .make =
                                    [this](mqtt::Options options) {
                                        made.push_back(options.client_id);
                                        return make();
                                    }});
    }
    app::Log log{app::LogLevel::error, app::LogFormat::text};
    std::vector<std::string> made;
    std::function<std::unique_ptr<mqtt::Link>()> make = [] { return std::make_unique<Silent>(); };
};

}  // namespace

TEST_CASE("at a broker of its own a server has the one name that broker knows, whatever its seat") {
    Post post;
    app::Config::Broker broker;
    CHECK_FALSE(post.link(broker)->listen(3, {1}).has_value());
    broker.managed = false;
    broker.host = "localhost";
    CHECK_FALSE(post.link(broker)->listen(3, {1}).has_value());
    CHECK(post.made == std::vector<std::string>{"paifang_server", "paifang_server_3"});
}

TEST_CASE("a link that could not be made is owed; one that is there is left alone") {
    Post post;
    const tests::TempDir folder;
    app::Config::Broker broker;
    broker.managed = false;
    broker.host = "localhost";
    broker.authority = folder / "ca.pem";
    const auto link = post.link(broker);
    CHECK_FALSE(link->listens_to(2, {1, 2}));
    CHECK(link->listen(2, {1, 2}).has_value());
    CHECK_FALSE(link->listens_to(2, {1, 2}));
    std::ofstream{folder / "ca.pem"} << "somebody";
    CHECK_FALSE(link->listen(2, {1, 2}).has_value());
    CHECK(link->listens_to(2, {1, 2}));
    CHECK_FALSE(link->listens_to(2, {1}));
    CHECK_FALSE(link->listens_to(1, {1, 2}));
    // What can't be had does not take the place of what is there.
    std::filesystem::remove(folder / "ca.pem");
    CHECK(link->listen(2, {1}).has_value());
    CHECK(link->listens_to(2, {1, 2}));
    CHECK(post.made.size() == 1);
}

TEST_CASE("links that take their time to end do not hold up the next one") {
    std::promise<void> may_end;
    std::atomic<int> ended{0};
    Post post;
    post.make = [&, may = may_end.get_future().share()] {
        return std::make_unique<Slow>(may, ended);
    };
    const auto link = post.link({});
    for (const std::uint32_t partition : {1, 2, 3})
        CHECK_FALSE(link->listen(0, {partition}).has_value());
    CHECK(ended == 0);
    may_end.set_value();
}
