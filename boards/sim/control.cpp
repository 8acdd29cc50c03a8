#include "boards/sim/control.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <thread>
#include <vector>

namespace pf::boards::sim {

struct Control::Impl {
    struct Client {
        int fd;
        std::string read;
    };

    Impl(std::string path, Answer a) : socket_path{std::move(path)}, answer{std::move(a)} {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        if (socket_path.size() >= sizeof address.sun_path)
            throw std::runtime_error{"socket path too long"};
        std::strcpy(address.sun_path, socket_path.c_str());
        ::unlink(socket_path.c_str());
        listener = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (listener < 0 ||
            ::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
            ::listen(listener, 8) != 0)
            throw std::runtime_error{"can't listen on " + socket_path + ": " +
                                     std::strerror(errno)};
        stopper = ::eventfd(0, EFD_CLOEXEC);
        thread = std::thread{[this] { run(); }};
    }

    ~Impl() {
        const std::uint64_t one = 1;
        (void)!::write(stopper, &one, sizeof one);
        thread.join();
        for (const Client& client : clients) ::close(client.fd);
        ::close(listener);
        ::close(stopper);
        ::unlink(socket_path.c_str());
    }

    void run() {
        for (;;) {
            std::vector<pollfd> fds{{stopper, POLLIN, 0}, {listener, POLLIN, 0}};
            for (const Client& client : clients) fds.push_back({client.fd, POLLIN, 0});
            if (::poll(fds.data(), fds.size(), -1) < 0) continue;  // EINTR
            if (fds[0].revents != 0) return;
            for (std::size_t i = fds.size(); i-- > 2;)
                if (fds[i].revents != 0 && !serve(clients[i - 2])) {
                    ::close(clients[i - 2].fd);
                    clients.erase(clients.begin() + static_cast<std::ptrdiff_t>(i - 2));
                }
            if ((fds[1].revents & POLLIN) != 0) {
                const int fd = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
                if (fd >= 0) clients.push_back({fd, {}});
            }
        }
    }

    /// False: the client is gone or talks too long.
    bool serve(Client& client) const {
        char buffer[1024];
        const ssize_t got = ::recv(client.fd, buffer, sizeof buffer, 0);
        if (got <= 0) return false;
        client.read.append(buffer, static_cast<std::size_t>(got));
        for (std::size_t end; (end = client.read.find('\n')) != std::string::npos;) {
            const std::string reply = answer(client.read.substr(0, end)) + "\n";
            client.read.erase(0, end + 1);
            if (::send(client.fd, reply.data(), reply.size(), MSG_NOSIGNAL) < 0) return false;
        }
        return client.read.size() <= line_bytes_max;
    }

    std::string socket_path;
    Answer answer;
    int listener = -1;
    int stopper = -1;
    std::vector<Client> clients;
    std::thread thread;
};

Control::Control(std::string socket_path, Answer answer)
    : impl_{std::make_unique<Impl>(std::move(socket_path), std::move(answer))} {}
Control::~Control() = default;

}  // namespace pf::boards::sim
