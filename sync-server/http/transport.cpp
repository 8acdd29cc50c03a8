#include "sync-server/http/transport.hpp"

#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

namespace pf::server::http {
namespace {

using asio::redirect_error;
using asio::use_awaitable;
using asio::ip::tcp;

class PlainTransport final : public Transport {
public:
    explicit PlainTransport(tcp::socket socket) : socket_(std::move(socket)) {}

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

    asio::awaitable<void> finish() override { co_return; }
    tcp::socket& socket() override { return socket_; }
    std::optional<std::string> peer_certificate_pem() override { return std::nullopt; }

private:
    tcp::socket socket_;
};

std::string to_pem(X509* certificate) {
    const std::unique_ptr<BIO, decltype(&BIO_free)> memory{BIO_new(BIO_s_mem()), BIO_free};
    if (!memory || PEM_write_bio_X509(memory.get(), certificate) != 1) return {};
    char* text = nullptr;
    const auto length = BIO_get_mem_data(memory.get(), &text);
    return {text, static_cast<std::size_t>(length)};
}

class TlsTransport final : public Transport {
public:
    TlsTransport(tcp::socket socket, std::shared_ptr<asio::ssl::context> context)
        : context_(std::move(context)), stream_(std::move(socket), *context_) {}

    asio::awaitable<error_code> handshake() override {
        error_code error;
        co_await stream_.async_handshake(asio::ssl::stream_base::server,
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

    asio::awaitable<void> finish() override {
        error_code ignored;  // the peer may have gone without its own close_notify
        co_await stream_.async_shutdown(redirect_error(use_awaitable, ignored));
    }

    tcp::socket& socket() override { return stream_.next_layer(); }

    std::optional<std::string> peer_certificate_pem() override {
        const std::unique_ptr<X509, decltype(&X509_free)> certificate{
            SSL_get1_peer_certificate(stream_.native_handle()), X509_free};
        if (!certificate) return std::nullopt;
        auto pem = to_pem(certificate.get());
        if (pem.empty()) return std::nullopt;
        return pem;
    }

private:
    std::shared_ptr<asio::ssl::context> context_;
    asio::ssl::stream<tcp::socket> stream_;
};

}  // namespace

std::unique_ptr<Transport> plain_transport(tcp::socket socket) {
    return std::make_unique<PlainTransport>(std::move(socket));
}

std::unique_ptr<Transport> tls_transport(tcp::socket socket,
                                         std::shared_ptr<asio::ssl::context> context) {
    return std::make_unique<TlsTransport>(std::move(socket), std::move(context));
}

}  // namespace pf::server::http
