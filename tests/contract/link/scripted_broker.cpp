#include "tests/contract/link/scripted_broker.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace pf::tests {

namespace {

// MQTT, section 3.1: a one-byte length here, then "MQTT" with its length, then the level.
constexpr std::size_t level_at = 2 + 6;
constexpr std::size_t code_at = 3;  // of CONNACK

}  // namespace

ScriptedBroker::ScriptedBroker(std::function<Bytes(Byte)> answer) : answer_{std::move(answer)} {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* any = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener_, any, size) != 0 || ::listen(listener_, 4) != 0 ||
        ::getsockname(listener_, any, &size) != 0) {
        throw std::system_error(errno, std::generic_category(), "scripted broker");
    }
    port_ = ntohs(address.sin_port);
    thread_ = std::thread{[this] { run(); }};
}

ScriptedBroker::~ScriptedBroker() {
    finish();
    ::close(listener_);
}

std::vector<Byte> ScriptedBroker::finish() {
    ::shutdown(listener_, SHUT_RDWR);
    if (thread_.joinable()) thread_.join();
    return levels_;
}

void ScriptedBroker::run() {
    for (;;) {
        const int connection = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (connection < 0) return;
        serve(connection);
        ::close(connection);
    }
}

void ScriptedBroker::serve(int connection) {
    std::array<Byte, 1024> packet{};
    const ssize_t count = ::recv(connection, packet.data(), packet.size(), 0);
    if (count <= static_cast<ssize_t>(level_at)) return;
    levels_.push_back(packet[level_at]);
    const Bytes answer = answer_(packet[level_at]);
    if (::send(connection, answer.data(), answer.size(), MSG_NOSIGNAL) < 0) return;
    // Accepted: stays until the client leaves.
    while (answer.size() > code_at && answer[code_at] == 0 &&
           ::recv(connection, packet.data(), packet.size(), 0) > 0) {}
}

}  // namespace pf::tests
