#include "sync-server/http/server.hpp"

#include <openssl/rand.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <thread>

#include "common/base/bytes.hpp"
#include "sync-server/http/session.hpp"
#include "sync-server/http/tls_context.hpp"

namespace pf::server::http {
namespace {

using asio::ip::tcp;
using Tls = std::shared_ptr<asio::ssl::context>;

struct Door {
    explicit Door(asio::io_context& io) : acceptor(io), pause(io) {}
    std::string name;
    std::shared_ptr<const Router> router;
    tcp::acceptor acceptor;
    asio::steady_timer pause;
    bool secured = false;
    std::mutex mutex;
    Tls tls;  // guarded: replaced from other threads

    Tls current_tls() {
        const std::lock_guard lock{mutex};
        return tls;
    }
};

StartError error(StartFault fault, const std::string& listener, const std::string& what) {
    return {fault, "listener '" + listener + "': " + what};
}

/// Request ids of two runs of the server must not be taken for each other.
std::string random_prefix() {
    std::array<unsigned char, 6> bytes{};
    if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) std::abort();
    return to_hex(bytes) + '-';
}

std::optional<StartError> check(const ServerOptions& options) {
    const auto& limits = options.limits;
    if (options.threads == 0 || limits.header_bytes_max < 256 || limits.connections_max == 0)
        return StartError{StartFault::bad_limits,
                          "threads and connections_max must be at least 1, header_bytes_max at "
                          "least 256"};
    for (const auto& listener : options.listeners) {
        error_code failed;
        const auto address = asio::ip::make_address(listener.address, failed);
        if (failed)
            return error(StartFault::bad_address, listener.name,
                         "'" + listener.address + "' is not an IPv4 or IPv6 address");
        if (!listener.router) return error(StartFault::no_router, listener.name, "has no router");
        if (!address.is_loopback() && !listener.tls)
            return error(StartFault::tls_required, listener.name,
                         "'" + listener.address +
                             "' is reachable from other machines, and that needs TLS: configure a "
                             "certificate, or listen on 127.0.0.1");
    }
    return std::nullopt;
}

}  // namespace

class Server::Impl {
public:
    explicit Impl(ServerOptions options)
        : options_(std::move(options)), core_(std::make_shared<Core>()) {
        core_->limits = options_.limits;
        core_->timeouts = options_.timeouts;
        core_->on_access = options_.on_access;
        core_->on_bug = options_.on_bug;
        core_->request_id_prefix = random_prefix();
    }

    Result<std::vector<Endpoint>, StartError> start();
    void stop();
    std::optional<StartError> replace_tls(std::string_view listener, const TlsOptions& tls);
    std::size_t connections() const {
        const std::lock_guard lock{core_->mutex};
        return core_->sessions;
    }

private:
    std::optional<StartError> open(const ListenerOptions& listener);
    asio::awaitable<void> accept(Door& door);
    void admit(Door& door, tcp::socket socket, Worker& worker);
    void discard();

    ServerOptions options_;
    std::shared_ptr<Core> core_;
    std::vector<std::unique_ptr<Worker>> workers_;
    std::vector<std::unique_ptr<Door>> doors_;  // on the first worker
    std::vector<asio::executor_work_guard<asio::io_context::executor_type>> guards_;
    std::vector<std::thread> threads_;
    std::size_t turn_ = 0;
};

std::optional<StartError> Server::Impl::open(const ListenerOptions& listener) {
    auto door = std::make_unique<Door>(workers_.front()->io);
    door->name = listener.name;
    door->router = listener.router;
    if (listener.tls) {
        auto tls = make_tls_context(*listener.tls, listener.name);
        if (tls.has_error()) return tls.error();
        door->tls = std::move(*tls);
        door->secured = true;
    }
    error_code failed;
    const tcp::endpoint endpoint{asio::ip::make_address(listener.address, failed), listener.port};
    auto& acceptor = door->acceptor;
    if (!failed) acceptor.open(endpoint.protocol(), failed);
    if (!failed) acceptor.set_option(tcp::acceptor::reuse_address{true}, failed);
    if (!failed) acceptor.bind(endpoint, failed);
    if (!failed) acceptor.listen(asio::socket_base::max_listen_connections, failed);
    if (failed)
        return error(StartFault::cannot_listen, listener.name,
                     "cannot listen on " + listener.address + " port " +
                         std::to_string(listener.port) + ": " + failed.message());
    doors_.push_back(std::move(door));
    return std::nullopt;
}

Result<std::vector<Endpoint>, StartError> Server::Impl::start() {
    if (!workers_.empty()) std::abort();  // started twice
    if (auto wrong = check(options_)) return std::move(*wrong);
    for (unsigned i = 0; i < options_.threads; ++i) workers_.push_back(std::make_unique<Worker>());
    std::vector<Endpoint> endpoints;
    for (const auto& listener : options_.listeners) {
        if (auto wrong = open(listener)) {
            discard();
            return std::move(*wrong);
        }
        const auto bound = doors_.back()->acceptor.local_endpoint();
        endpoints.push_back({listener.name, bound.address().to_string(), bound.port()});
    }
    for (auto& door : doors_)
        asio::co_spawn(workers_.front()->io, accept(*door),
                       [this](const std::exception_ptr& thrown) {
                           if (thrown && core_->on_bug) core_->on_bug("accepting connections");
                       });
    for (auto& worker : workers_) {
        guards_.push_back(asio::make_work_guard(worker->io));
        threads_.emplace_back([io = &worker->io] { io->run(); });
    }
    return endpoints;
}

asio::awaitable<void> Server::Impl::accept(Door& door) {
    for (;;) {
        auto& worker = *workers_[turn_++ % workers_.size()];
        error_code failed;
        auto socket = co_await door.acceptor.async_accept(
            worker.io, asio::redirect_error(asio::use_awaitable, failed));
        if (!door.acceptor.is_open()) co_return;
        if (failed) {
            // Out of descriptors, most likely: asking again at once would spin.
            door.pause.expires_after(std::chrono::milliseconds{100});
            co_await door.pause.async_wait(asio::redirect_error(asio::use_awaitable, failed));
            continue;
        }
        admit(door, std::move(socket), worker);
    }
}

void Server::Impl::admit(Door& door, tcp::socket socket, Worker& worker) {
    {
        const std::lock_guard lock{core_->mutex};
        if (core_->sessions >= core_->limits.connections_max) return;
        ++core_->sessions;
    }
    auto transport = door.secured ? tls_transport(std::move(socket), door.current_tls())
                                  : plain_transport(std::move(socket));
    auto session = std::make_shared<Session>(
        SessionSetup{core_, &worker, std::move(transport), door.router, door.name});
    asio::post(worker.io, [core = core_, session = std::move(session), &worker]() mutable {
        auto running = session->run();
        asio::co_spawn(worker.io, std::move(running),
                       [core, session = std::move(session)](const std::exception_ptr& thrown) {
                           if (thrown && core->on_bug)
                               core->on_bug("a connection ended by a throw");
                       });
    });
}

void Server::Impl::stop() {
    if (workers_.empty()) return;
    asio::post(workers_.front()->io, [this] {
        error_code ignored;
        for (auto& door : doors_) {
            door->acceptor.close(ignored);
            door->pause.cancel();
        }
    });
    for (auto& worker : workers_)
        asio::post(worker->io, [worker = worker.get()] {
            worker->stopping = true;
            for (auto* session : worker->sessions) session->stop_soon();
        });
    {
        std::unique_lock lock{core_->mutex};
        core_->none_left.wait_for(lock, core_->timeouts.stop_grace,
                                  [this] { return core_->sessions == 0; });
    }
    guards_.clear();
    for (auto& worker : workers_) worker->io.stop();
    for (auto& thread : threads_) thread.join();
    threads_.clear();
    core_->gate->close();
    discard();
}

void Server::Impl::discard() {
    doors_.clear();
    // The first one accepts: it may hold a socket that belongs to another.
    for (auto& worker : workers_) worker.reset();
    workers_.clear();
}

std::optional<StartError> Server::Impl::replace_tls(std::string_view listener,
                                                    const TlsOptions& tls) {
    for (auto& door : doors_) {
        if (door->name != listener || !door->secured) continue;
        auto context = make_tls_context(tls, door->name);
        if (context.has_error()) return context.error();
        const std::lock_guard lock{door->mutex};
        door->tls = std::move(*context);
        return std::nullopt;
    }
    return error(StartFault::bad_certificate, std::string{listener}, "no such TLS listener");
}

Server::Server(ServerOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
Server::~Server() { impl_->stop(); }
Result<std::vector<Endpoint>, StartError> Server::start() { return impl_->start(); }
void Server::stop() { impl_->stop(); }
std::optional<StartError> Server::replace_tls(std::string_view listener, const TlsOptions& tls) {
    return impl_->replace_tls(listener, tls);
}
std::size_t Server::connections() const { return impl_->connections(); }

}  // namespace pf::server::http
