#pragma once
// The product's own kind of broker (server/broker) with two clients and nothing behind them: what a
// message costs before anybody does anything with it.
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "common/mqtt/paho_link.hpp"
#include "sync-server/broker/broker.hpp"
#include "tests/support/mqtt/authority.hpp"
#include "tests/support/temp_dir.hpp"

namespace pf::bench {

/// One client and its owner's thread.
class Client final : public mqtt::LinkEvents {
public:
    Client(mqtt::Options options, std::function<void(Client&, mqtt::Message)> hear);
    ~Client() override;
    void wait_up();
    void on_thread(std::function<void()> task);
    /// Keeps the window full until all are on their way; on the client's thread.
    void publish_all(std::string topic, const std::vector<Bytes>& payloads);
    void publish(std::string topic, Bytes payload);

private:
    void on_up() override { up_.set_value(); }
    void on_down(mqtt::Fault) override {}
    void on_message(mqtt::Message message) override { hear_(*this, std::move(message)); }
    void on_sent(mqtt::PublishId, std::optional<mqtt::Fault>) override { go_on(); }
    void on_inbound_dropped(std::uint64_t) override {}
    void go_on();

    boost::asio::io_context context_{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{
        context_.get_executor()};
    std::function<void(Client&, mqtt::Message)> hear_;
    std::promise<void> up_;
    std::string topic_;
    const std::vector<Bytes>* payloads_ = nullptr;
    std::size_t next_ = 0;
    std::unique_ptr<mqtt::Link> link_;
    std::thread thread_;
};

class FloorBroker {
public:
    FloorBroker();
    ~FloorBroker();
    /// Server to device and back, both at QoS 1.
    void round_trip();
    /// Server to device, until the last has arrived.
    void transfer(const std::vector<Bytes>& payloads);

private:
    mqtt::Options options(const std::string& name, std::string subscription);
    void device_heard(Client& device);

    tests::TempDir directory_;
    tests::Authority authority_{1};
    std::unique_ptr<server::broker::Broker> broker_;
    std::atomic<std::size_t> awaited_{0};  // of a transfer; 0: a round trip is answered
    std::atomic<std::size_t> arrived_{0};
    std::promise<void> done_;
    std::unique_ptr<Client> server_, device_;
};

}  // namespace pf::bench
