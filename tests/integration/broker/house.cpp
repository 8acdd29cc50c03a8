#include "tests/integration/broker/house.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <fstream>

#include "tests/support/fixed_entropy.hpp"

namespace pf::tests {

House::House(bool passable) {
    if (passable) REQUIRE(::chmod(directory.path().c_str(), 0755) == 0);
}

server::broker::Config House::config() {
    server::broker::Config config;
    // Long, as state directories are: a Unix socket's address would not hold it.
    config.directory = directory.path() / std::string(100, 'd') / "broker";
    std::filesystem::create_directories(config.directory.parent_path());
    config.port = 0;
    config.material = material();
    config.access = access({gate_1, gate_2});
    return config;
}

server::broker::Material House::material() {
    return {.authority = authority.pem(),
            .certificate = own.certificate_pem,
            .key = own.key_pem,
            .crl = authority.crl()};
}

server::broker::Access House::access(const std::vector<std::string>& devices) const {
    server::broker::Access access{.server_ids = {server_id}, .devices = {}};
    for (const std::string& id : devices) {
        access.devices.push_back({.id = id, .root = id == gate_1 ? root_1 : root_2});
    }
    return access;
}

void House::start() {
    broker = std::make_unique<server::broker::Broker>(config(), [this](std::string_view line) {
        const std::scoped_lock lock{said_mutex_};
        said_ += line;
        said_ += '\n';
    });
    const auto started = broker->start();
    INFO(said());
    REQUIRE(started.has_value());
}

std::unique_ptr<Guest> House::guest(const std::string& id, std::vector<std::string> subscriptions) {
    auto guest = std::make_unique<Guest>();
    guest->identity = authority.client(id);
    mqtt::Options options;
    options.host = "127.0.0.1";
    options.port = broker->port();
    options.client_id = id;
    options.tls = authority.tls(guest->identity);
    options.subscriptions = std::move(subscriptions);
    options.reconnect_ms_min = 10;
    options.reconnect_ms_max = 100;
    guest->link = mqtt::make_paho_link(options, loop.post(), std::make_shared<SeededEntropy>(12));
    guest->link->open(guest->heard);
    return guest;
}

std::unique_ptr<Guest> House::visit(const std::string& id, std::vector<std::string> subscriptions) {
    auto guest = this->guest(id, std::move(subscriptions));
    REQUIRE(loop.run_until([&] { return guest->heard.ups == 1; }));
    return guest;
}

std::optional<mqtt::Fault> House::fate(Guest& guest, const std::string& topic) {
    const auto id = guest.link->publish(topic, to_bytes("hello"));
    REQUIRE(id.has_value());
    REQUIRE(loop.run_until([&] { return guest.heard.sent.contains(*id); }));
    return guest.heard.sent.at(*id);
}

std::string House::said() const {
    const std::scoped_lock lock{said_mutex_};
    return said_;
}

std::optional<unsigned> user_of(pid_t process) {
    std::ifstream status{"/proc/" + std::to_string(process) + "/status"};
    std::string word;
    char state = 'Z';
    while (status >> word) {
        if (word == "State:") status >> state;
        if (word != "Uid:") continue;
        unsigned real = 0;
        unsigned effective = 0;
        status >> real >> effective;
        return state == 'Z' || state == 'X' ? std::nullopt : std::optional{effective};
    }
    return std::nullopt;
}

}  // namespace pf::tests
