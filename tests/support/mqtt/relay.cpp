#include "tests/support/mqtt/relay.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>
#include <vector>

namespace pf::tests {

namespace {

sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

const sockaddr* any(const sockaddr_in& address) {
    return reinterpret_cast<const sockaddr*>(&address);
}

struct Pair {
    int client;
    int broker;
};

void close_pair(const Pair& pair) {
    // Without lingering the other end sees a reset, as from a machine that lost its power.
    const linger none{.l_onoff = 1, .l_linger = 0};
    for (const int side : {pair.client, pair.broker}) {
        ::setsockopt(side, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
        ::close(side);
    }
}

/// False when one of the sides has ended.
bool pass(int from, int to) {
    std::array<char, 16 * 1024> buffer{};
    const ssize_t count = ::recv(from, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (count < 0) return errno == EAGAIN || errno == EINTR;
    if (count == 0) return false;
    // Blocking is fine: both ends of a test read.
    for (ssize_t done = 0; done < count;) {
        const ssize_t sent = ::send(to, &buffer[static_cast<std::size_t>(done)],
                                    static_cast<std::size_t>(count - done), MSG_NOSIGNAL);
        if (sent < 0) return false;
        done += sent;
    }
    return true;
}

}  // namespace

Relay::Relay(std::uint16_t target) : target_{target} {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    wake_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    const sockaddr_in free = loopback(0);
    sockaddr_in bound{};
    socklen_t size = sizeof(bound);
    if (::bind(listener_, any(free), sizeof(free)) != 0 || ::listen(listener_, 16) != 0 ||
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&bound), &size) != 0) {
        throw std::system_error(errno, std::generic_category(), "relay");
    }
    port_ = ntohs(bound.sin_port);
    thread_ = std::thread{[this] { run(); }};
}

Relay::~Relay() {
    quit_ = true;
    wake();
    thread_.join();
    ::close(listener_);
    ::close(wake_);
}

void Relay::cut() {
    const unsigned mine = ++cuts_wanted_;
    wake();
    while (cuts_done_ < mine) std::this_thread::yield();
}

void Relay::wake() {
    const std::uint64_t one = 1;
    (void)!::write(wake_, &one, sizeof(one));
}

void Relay::run() {
    std::vector<Pair> pairs;
    while (!quit_) {
        std::vector<pollfd> ready{{.fd = listener_, .events = POLLIN, .revents = 0},
                                  {.fd = wake_, .events = POLLIN, .revents = 0}};
        for (const Pair& pair : pairs) {
            ready.push_back({.fd = pair.client, .events = POLLIN, .revents = 0});
            ready.push_back({.fd = pair.broker, .events = POLLIN, .revents = 0});
        }
        if (::poll(ready.data(), ready.size(), -1) < 0) continue;
        if (ready[1].revents != 0) {
            std::uint64_t count = 0;
            (void)!::read(wake_, &count, sizeof(count));
        }
        const unsigned cuts = cuts_wanted_;
        std::vector<Pair> left;
        for (std::size_t i = 0; i < pairs.size(); ++i) {
            const bool alive =
                cuts == cuts_done_ &&
                (ready[2 + 2 * i].revents == 0 || pass(pairs[i].client, pairs[i].broker)) &&
                (ready[3 + 2 * i].revents == 0 || pass(pairs[i].broker, pairs[i].client));
            if (alive) {
                left.push_back(pairs[i]);
            } else {
                close_pair(pairs[i]);
            }
        }
        pairs = left;
        cuts_done_ = cuts;
        if (ready[0].revents != 0) {
            const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
            const int broker = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
            const sockaddr_in address = loopback(target_);
            if (open_ && ::connect(broker, any(address), sizeof(address)) == 0) {
                pairs.push_back({client, broker});
            } else {
                close_pair({client, broker});
            }
        }
    }
    for (const Pair& pair : pairs) close_pair(pair);
}

}  // namespace pf::tests
