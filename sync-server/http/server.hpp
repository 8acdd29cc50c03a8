#pragma once
// The HTTP/1.1 server: listeners, limits, threads. Handlers see messages only.
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "sync-server/http/router.hpp"

namespace pf::server::http {

enum class ClientCertificate : std::uint8_t {
    none,       // not asked for
    requested,  // may be absent; one that doesn't verify ends the handshake
    required,
};

/// TLS 1.2 and later, without session resumption: a resumed session would not be verified again
/// after the client CA or a revocation changed.
struct TlsOptions {
    std::string certificate_chain_pem;  // leaf first; add the CA for clients that pin it
    std::string private_key_pem;
    ClientCertificate client_certificate = ClientCertificate::none;
    std::string client_ca_pem = {};  // bundle; required unless client_certificate is none
    /// The renewal listener: a leaf past its end is accepted if all else verifies. How long past,
    /// and whether it was revoked, is for the handler.
    bool accept_expired_client_certificates = false;
};

struct ListenerOptions {
    std::string name = "main";
    std::string address = "127.0.0.1";   // a literal IPv4 or IPv6 address
    std::uint16_t port = 0;              // 0: the kernel chooses
    std::optional<TlsOptions> tls = {};  // none: loopback addresses only
    std::shared_ptr<const Router> router = {};
};

struct Limits {
    std::uint32_t header_bytes_max = 16 * 1024;             // else 431
    std::uint64_t body_bytes_max = 1024 * 1024;             // else 413
    std::uint64_t upload_bytes_max = 256ULL * 1024 * 1024;  // upload routes; else 413
    std::size_t connections_max = 1000;                     // the one after is closed at once
    std::size_t stream_queue_bytes_max = 1024 * 1024;
};

struct Timeouts {
    using ms = std::chrono::milliseconds;
    ms handshake{10'000};
    ms header{10'000};       // first byte of a request to the end of its header
    ms body{60'000};         // the whole body; for uploads the wait for each piece
    ms idle{75'000};         // between requests of a kept connection
    ms write{30'000};        // a whole response, or one piece of a stream
    ms answer{60'000};       // a handler that takes longer: 503 `answer_late`
    ms stream_ping{15'000};  // a comment line into a silent text/event-stream
    ms linger{2'000};        // reading on after an early refusal, so the client can read it
    ms stop_grace{5'000};    // what is in flight may finish
};

/// One finished exchange, for the access log.
struct Access {
    std::string request_id;
    std::string listener;
    std::string peer_address;
    std::string method;
    std::string path;
    std::string route;  // empty: none matched
    int status = 0;     // 0: the peer went before an answer
    std::uint64_t body_bytes_in = 0;
    std::uint64_t bytes_out = 0;
    std::chrono::microseconds took{};
};

struct ServerOptions {
    std::vector<ListenerOptions> listeners = {};
    unsigned threads = 1;
    Limits limits = {};
    Timeouts timeouts = {};
    /// Both run on I/O threads and must not block.
    std::function<void(const Access&)> on_access = {};
    std::function<void(std::string_view what)> on_bug = {};
};

enum class StartFault : std::uint8_t {
    bad_address = 1,
    tls_required,  // a non-loopback address without TLS
    bad_certificate,
    bad_private_key,
    bad_client_ca,
    no_router,
    bad_limits,
    cannot_listen,
};
struct StartError {
    StartFault fault;
    std::string message;  // names the listener and what to change
};

struct Endpoint {
    std::string listener;
    std::string address;
    std::uint16_t port;
};

class Server {
public:
    explicit Server(ServerOptions options);
    ~Server();  // stop()
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    /// Checks the options, binds every listener, starts the threads. One endpoint per listener, in
    /// order. On an error nothing is left listening.
    Result<std::vector<Endpoint>, StartError> start();

    /// No new connections; what is in flight may finish within `stop_grace`; then all is closed.
    /// Not from a handler. Calling it again does nothing.
    void stop();

    /// New certificates for connections to come; those that stand keep theirs. On an error the old
    /// ones stay in use.
    std::optional<StartError> replace_tls(std::string_view listener, const TlsOptions& tls);

    std::size_t connections() const;

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace pf::server::http
