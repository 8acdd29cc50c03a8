#include "firmware/https/link.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

namespace pf::firmware::https {
namespace {

using asio::redirect_error;
using asio::use_awaitable;
using asio::ip::tcp;

class PlainLink final : public Link {
public:
    explicit PlainLink(tcp::socket socket) : socket_(std::move(socket)) {}

    asio::awaitable<error_code> handshake() override { co_return error_code{}; }
    asio::awaitable<std::size_t> read(asio::mutable_buffer room, error_code& error) override {
        const std::size_t got =
            co_await socket_.async_read_some(room, redirect_error(use_awaitable, error));
        co_return got;
    }
    asio::awaitable<error_code> write(const std::string& bytes) override {
        error_code error;
        co_await asio::async_write(socket_, asio::buffer(bytes),
                                   redirect_error(use_awaitable, error));
        co_return error;
    }
    std::string authority_pem() override { return {}; }
    Fault fault(const error_code&, bool) override { return Fault::closed_early; }
    std::string words(const error_code& error) override { return error.message(); }

private:
    tcp::socket socket_;
};

class TlsLink final : public Link {
public:
    TlsLink(tcp::socket socket, Trust& trust) : stream_(std::move(socket), trust.context) {}

    SSL* native() { return stream_.native_handle(); }

    asio::awaitable<error_code> handshake() override {
        error_code error;
        co_await stream_.async_handshake(asio::ssl::stream_base::client,
                                         redirect_error(use_awaitable, error));
        co_return error;
    }
    asio::awaitable<std::size_t> read(asio::mutable_buffer room, error_code& error) override {
        const std::size_t got =
            co_await stream_.async_read_some(room, redirect_error(use_awaitable, error));
        co_return got;
    }
    asio::awaitable<error_code> write(const std::string& bytes) override {
        error_code error;
        co_await asio::async_write(stream_, asio::buffer(bytes),
                                   redirect_error(use_awaitable, error));
        co_return error;
    }
    std::string authority_pem() override { return authority_of(native()); }

    Fault fault(const error_code& error, bool handshaking) override {
        // With TLS 1.3 our certificate is judged after our side of the handshake is done.
        const auto meant = tls_fault(native(), error);
        if (handshaking || meant == Fault::certificate_refused) return meant;
        return Fault::closed_early;
    }
    std::string words(const error_code& error) override { return tls_words(native(), error); }

private:
    asio::ssl::stream<tcp::socket> stream_;
};

}  // namespace

std::unique_ptr<Link> plain_link(tcp::socket socket) {
    return std::make_unique<PlainLink>(std::move(socket));
}

std::unique_ptr<Link> tls_link(tcp::socket socket, Trust& trust, const std::string& name,
                               bool ignore_dates) {
    auto link = std::make_unique<TlsLink>(std::move(socket), trust);
    if (!expect_server(link->native(), name, ignore_dates)) return nullptr;
    return link;
}

}  // namespace pf::firmware::https
