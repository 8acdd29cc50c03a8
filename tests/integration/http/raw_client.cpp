#include "tests/integration/http/raw_client.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <stdexcept>
#include <thread>

namespace pf::tests {

bool eventually(const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > deadline) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds{1});
    }
    return true;
}

RawClient::RawClient(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0)
        throw std::runtime_error("the server doesn't accept");
}

RawClient::~RawClient() {
    if (socket_ >= 0) ::close(socket_);
}

bool RawClient::send(std::string_view bytes) {
    while (!bytes.empty()) {
        const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}

void RawClient::end_sending() { ::shutdown(socket_, SHUT_WR); }

void RawClient::reset() {
    const linger hard{1, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    ::close(socket_);
    socket_ = -1;
}

bool RawClient::receive_some() {
    pollfd ready{socket_, POLLIN, 0};
    const auto wait = std::chrono::duration_cast<std::chrono::milliseconds>(patience);
    if (::poll(&ready, 1, static_cast<int>(wait.count())) != 1)
        throw std::runtime_error("the server says nothing more; so far: " + received_);
    std::array<char, 64 * 1024> room{};
    const auto got = ::recv(socket_, room.data(), room.size(), 0);
    if (got <= 0) {
        ended_ = true;
        return false;
    }
    received_.append(room.data(), static_cast<std::size_t>(got));
    return true;
}

const std::string& RawClient::until(std::string_view marker) {
    while (received_.find(marker) == std::string::npos && receive_some()) {}
    return received_;
}

const std::string& RawClient::all() {
    while (receive_some()) {}
    return received_;
}

std::string statuses(std::string_view bytes) {
    constexpr std::string_view mark = "HTTP/1.1 ";
    std::string found;
    for (auto at = bytes.find(mark); at != std::string_view::npos; at = bytes.find(mark, at + 1))
        found += (found.empty() ? "" : " ") + std::string{bytes.substr(at + mark.size(), 3)};
    return found;
}

}  // namespace pf::tests
