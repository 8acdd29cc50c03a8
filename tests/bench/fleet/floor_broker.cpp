#include "tests/bench/fleet/floor_broker.hpp"

#include <boost/asio/post.hpp>

#include "tests/bench/row.hpp"
#include "tests/support/mqtt/broker_config.hpp"

namespace pf::bench {

namespace asio = boost::asio;

namespace {
const std::string server_name = "paifang_server";
const std::string device_name = "gate-1";
const std::string root = "pf/1/3/d/gate-1/";
constexpr std::chrono::seconds patience{60};

void wait_for(std::future<void> future) {
    require(future.wait_for(patience) == std::future_status::ready, "the broker carries it");
}
}  // namespace

Client::Client(mqtt::Options options, std::function<void(Client&, mqtt::Message)> hear)
    : hear_{std::move(hear)} {
    link_ = mqtt::make_paho_link(
        std::move(options),
        [this](std::function<void()> task) { asio::post(context_, std::move(task)); },
        std::make_shared<tests::SeededEntropy>(5));
    thread_ = std::thread{[this] { context_.run(); }};
    on_thread([this] { link_->open(*this); });
}

Client::~Client() {
    std::promise<void> closed;
    on_thread([&] {
        link_->close();
        link_.reset();
        closed.set_value();
    });
    closed.get_future().wait();
    context_.stop();
    thread_.join();
}

void Client::wait_up() { wait_for(up_.get_future()); }

void Client::on_thread(std::function<void()> task) { asio::post(context_, std::move(task)); }

void Client::publish(std::string topic, Bytes payload) {
    require(link_->publish(std::move(topic), std::move(payload)).has_value(), "it is published");
}

void Client::publish_all(std::string topic, const std::vector<Bytes>& payloads) {
    topic_ = std::move(topic);
    payloads_ = &payloads;
    next_ = 0;
    go_on();
}

void Client::go_on() {
    if (payloads_ == nullptr) return;
    while (next_ < payloads_->size() && link_->publish(topic_, (*payloads_)[next_]).has_value())
        ++next_;
    if (next_ == payloads_->size()) payloads_ = nullptr;
}

FloorBroker::FloorBroker() {
    auto config = tests::broker_config(
        directory_.path() / "broker", authority_,
        {.server_ids = {server_name}, .devices = {{.id = device_name, .root = root}}});
    broker_ = std::make_unique<server::broker::Broker>(std::move(config), [](std::string_view) {});
    require(broker_->start().has_value(), "the broker starts");
    server_ =
        std::make_unique<Client>(options(server_name, root + "up/#"),
                                 [this](Client&, const mqtt::Message&) { done_.set_value(); });
    device_ = std::make_unique<Client>(
        options(device_name, root + "dn/#"),
        [this](Client& device, const mqtt::Message&) { device_heard(device); });
    server_->wait_up();
    device_->wait_up();
}

FloorBroker::~FloorBroker() {
    device_.reset();
    server_.reset();
    broker_->stop();
}

mqtt::Options FloorBroker::options(const std::string& name, std::string subscription) {
    mqtt::Options out;
    out.host = "127.0.0.1";
    out.port = broker_->port();
    out.client_id = name;
    out.tls = authority_.tls(authority_.client(name));
    out.subscriptions = {std::move(subscription)};
    return out;
}

void FloorBroker::device_heard(Client& device) {
    if (awaited_ == 0) return device.publish(root + "up/want", Bytes(64, 0x5a));
    if (++arrived_ == awaited_) done_.set_value();
}

void FloorBroker::round_trip() {
    awaited_ = 0;
    done_ = {};
    auto back = done_.get_future();
    server_->on_thread([this] { server_->publish(root + "dn/news", Bytes(64, 0x5a)); });
    wait_for(std::move(back));
}

void FloorBroker::transfer(const std::vector<Bytes>& payloads) {
    arrived_ = 0;
    awaited_ = payloads.size();
    done_ = {};
    auto all = done_.get_future();
    server_->on_thread([&] { server_->publish_all(root + "dn/chunk", payloads); });
    wait_for(std::move(all));
}

}  // namespace pf::bench
