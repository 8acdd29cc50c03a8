#pragma once
// One connection to the server, with or without TLS.
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <string>

#include "firmware/https/tls.hpp"

namespace pf::firmware::https {

namespace asio = boost::asio;
using boost::system::error_code;

class Link {
public:
    virtual ~Link() = default;
    virtual asio::awaitable<error_code> handshake() = 0;
    virtual asio::awaitable<std::size_t> read(asio::mutable_buffer room, error_code& error) = 0;
    /// All of `bytes`, which outlives the operation.
    virtual asio::awaitable<error_code> write(const std::string& bytes) = 0;
    virtual std::string authority_pem() = 0;
    /// What an error means here; `handshake` is false once requests flow.
    virtual Fault fault(const error_code& error, bool handshaking) = 0;
    virtual std::string words(const error_code& error) = 0;
};

std::unique_ptr<Link> plain_link(asio::ip::tcp::socket socket);
/// Null when the name can't be expected of a certificate.
std::unique_ptr<Link> tls_link(asio::ip::tcp::socket socket, Trust& trust, const std::string& name,
                               bool ignore_dates);

}  // namespace pf::firmware::https
