#include "common/mqtt/no_delay.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <charconv>
#include <cstring>
#include <filesystem>
#include <optional>
#include <system_error>

namespace pf::mqtt {

namespace {

/// Nothing for what is no connection over IP.
std::optional<std::uint16_t> remote_port_of(int descriptor) noexcept {
    sockaddr_storage peer{};
    socklen_t length = sizeof peer;
    void* const address = &peer;
    if (::getpeername(descriptor, static_cast<sockaddr*>(address), &length) != 0)
        return std::nullopt;
    if (peer.ss_family == AF_INET) {
        sockaddr_in ip4{};
        std::memcpy(&ip4, &peer, sizeof ip4);
        return ntohs(ip4.sin_port);
    }
    if (peer.ss_family == AF_INET6) {
        sockaddr_in6 ip6{};
        std::memcpy(&ip6, &peer, sizeof ip6);
        return ntohs(ip6.sin6_port);
    }
    return std::nullopt;
}

}  // namespace

void send_at_once(std::uint16_t remote_port) noexcept {
    std::error_code failed;
    std::filesystem::directory_iterator entry{"/proc/self/fd", failed};
    for (; !failed && entry != std::filesystem::directory_iterator{}; entry.increment(failed)) {
        const std::string name = entry->path().filename().string();
        int descriptor = -1;
        const auto read = std::from_chars(name.data(), name.data() + name.size(), descriptor);
        if (read.ec != std::errc{} || remote_port_of(descriptor) != remote_port) continue;
        const int on = 1;
        (void)::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
}

}  // namespace pf::mqtt
