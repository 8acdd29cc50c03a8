#include "sync-server/broker/back_door.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cassert>
#include <cstring>

#include "common/base/bytes.hpp"
#include "sync-server/broker/child.hpp"

namespace pf::server::broker {

namespace {

// MQTT 3.1.1, sections 3.1, 3.2 and 3.14.
constexpr std::size_t client_id_bytes_max = 64;
constexpr std::array<Byte, 10> connect_head{0, 4, 'M', 'Q', 'T', 'T', 4, /*clean session*/ 2,
                                            0, 10};
constexpr std::array<Byte, 4> accepted{0x20, 2, 0, 0};
constexpr std::array<Byte, 2> disconnect{0xe0, 0};

Bytes connect_packet(const std::string& client_id) {
    assert(client_id.size() <= client_id_bytes_max);
    const auto size = static_cast<Byte>(client_id.size());
    Bytes packet{0x10, static_cast<Byte>(connect_head.size() + 2 + size)};
    packet.insert(packet.end(), connect_head.begin(), connect_head.end());
    packet.push_back(0);
    packet.push_back(size);
    packet.insert(packet.end(), client_id.begin(), client_id.end());
    return packet;
}

/// The directory may lie deeper than a socket's address is long, so its name is given through a
/// descriptor of the directory.
Descriptor connect_to(const std::filesystem::path& socket) {
    const Descriptor directory{::open(socket.parent_path().c_str(), O_PATH | O_CLOEXEC)};
    Descriptor connection{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    if (!directory || !connection) return Descriptor{};
    const std::string name =
        "/proc/self/fd/" + std::to_string(directory.get()) + "/" + socket.filename().string();
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (name.size() >= sizeof(address.sun_path)) return Descriptor{};
    std::memcpy(address.sun_path, name.c_str(), name.size() + 1);
    const int result =
        ::connect(connection.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address));
    return result == 0 ? std::move(connection) : Descriptor{};
}

bool send_all(const Descriptor& to, BytesView packet) {
    // Far below what a socket's buffer takes at once, so a short write means trouble.
    return ::send(to.get(), packet.data(), packet.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(packet.size());
}

bool read_accepted(const Descriptor& from, std::chrono::milliseconds patience) {
    std::array<Byte, accepted.size()> answer{};
    std::size_t have = 0;
    const auto until = std::chrono::steady_clock::now() + patience;
    while (have < answer.size()) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
            until - std::chrono::steady_clock::now());
        pollfd readable{.fd = from.get(), .events = POLLIN, .revents = 0};
        if (left.count() <= 0 || ::poll(&readable, 1, static_cast<int>(left.count())) <= 0) {
            return false;
        }
        const ssize_t count = ::recv(from.get(), &answer[have], answer.size() - have, 0);
        if (count <= 0) return false;
        have += static_cast<std::size_t>(count);
    }
    return answer == accepted;
}

}  // namespace

bool take_over(const std::filesystem::path& socket, const std::string& client_id,
               std::chrono::milliseconds patience) {
    const Descriptor connection = connect_to(socket);
    if (!connection || !send_all(connection, connect_packet(client_id))) return false;
    if (!read_accepted(connection, patience)) return false;
    // Should this not arrive, the broker ends the connection by itself: the socket is closed next.
    (void)send_all(connection, disconnect);
    return true;
}

bool answers(const std::filesystem::path& socket, std::chrono::milliseconds patience) {
    return take_over(socket, "(server)", patience);
}

}  // namespace pf::server::broker
