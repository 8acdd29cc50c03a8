#pragma once
// One accepted connection as bytes, with or without TLS, so that the session is written once.
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <memory>
#include <optional>
#include <string>

namespace pf::server::http {

namespace asio = boost::asio;
using boost::system::error_code;

class Transport {
public:
    virtual ~Transport() = default;
    virtual asio::awaitable<error_code> handshake() = 0;
    virtual asio::awaitable<std::size_t> read(asio::mutable_buffer room, error_code& error) = 0;
    /// All of `bytes`, which outlives the operation.
    virtual asio::awaitable<error_code> write(const std::string& bytes) = 0;
    /// Says goodbye as the protocol wants it; the socket stays open for reading.
    virtual asio::awaitable<void> finish() = 0;
    virtual asio::ip::tcp::socket& socket() = 0;
    /// What the peer proved to be. After the handshake.
    virtual std::optional<std::string> peer_certificate_pem() = 0;
};

std::unique_ptr<Transport> plain_transport(asio::ip::tcp::socket socket);
std::unique_ptr<Transport> tls_transport(asio::ip::tcp::socket socket,
                                         std::shared_ptr<asio::ssl::context> context);

}  // namespace pf::server::http
