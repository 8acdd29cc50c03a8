#include "firmware/https/client.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/string.hpp>
#include <mutex>

#include "firmware/https/link.hpp"
#include "firmware/https/response_reader.hpp"
#include "firmware/https/url.hpp"

namespace pf::firmware::https {
namespace {

using asio::redirect_error;
using asio::use_awaitable;
using asio::ip::tcp;
using RS = ResponseReader::Step;
using Take = std::function<bool(std::string_view)>;

bool is_token(std::string_view text) {
    constexpr std::string_view others = "!#$%&'*+-.^_`|~";
    return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
               others.find(c) != std::string_view::npos;
    });
}

bool is_plain(std::string_view value) {
    return std::none_of(value.begin(), value.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte < 0x20U || byte == 0x7FU;
    });
}

std::uint64_t body_bytes(const Request& request) {
    return request.source ? request.body_bytes : request.body.size();
}

bool wants_length(const Request& request) {
    return body_bytes(request) > 0 || request.method == "POST" || request.method == "PUT" ||
           request.method == "PATCH";
}

std::optional<Fault> check(const Request& request) {
    if (!is_token(request.method)) return Fault::bad_request;
    for (const auto& [name, value] : request.headers)
        if (!is_token(name) || !is_plain(value)) return Fault::bad_request;
    const auto& target = request.target;
    if (target.empty() || target.front() != '/' ||
        target.find_first_of(" #") != std::string::npos || !is_plain(target))
        return Fault::bad_url;
    return std::nullopt;
}

std::string render(const Request& request, const Url& url) {
    std::string out = request.method + ' ' + url.prefix + request.target + " HTTP/1.1\r\n";
    out += "Host: " + url.authority + "\r\nConnection: close\r\n";
    for (const auto& [name, value] : request.headers) out += name + ": " + value + "\r\n";
    if (wants_length(request))
        out += "Content-Length: " + std::to_string(body_bytes(request)) + "\r\n";
    out += "\r\n";
    return request.source ? out : out + request.body;
}

/// Cuts pieces into lines.
class Lines {
public:
    Lines(const Client::OnLine& on_line, std::size_t max) : on_line_(on_line), max_(max) {}
    enum class Took : std::uint8_t { more, enough, too_long };

    Took take(std::string_view piece) {
        for (;;) {
            const auto end = piece.find('\n');
            held_.append(piece.substr(0, end));
            if (held_.size() > max_) return Took::too_long;
            if (end == std::string_view::npos) return Took::more;
            piece.remove_prefix(end + 1);
            if (held_.ends_with('\r')) held_.pop_back();
            const bool more = on_line_(held_);
            held_.clear();
            if (!more) return Took::enough;
        }
    }

private:
    const Client::OnLine& on_line_;
    const std::size_t max_;
    std::string held_;
};

}  // namespace

std::string_view to_text(Fault fault) noexcept {
    switch (fault) {
        case Fault::bad_url:
            return "bad_url";
        case Fault::bad_request:
            return "bad_request";
        case Fault::plain_http_refused:
            return "plain_http_refused";
        case Fault::bad_credentials:
            return "bad_credentials";
        case Fault::no_authority:
            return "no_authority";
        case Fault::unresolved:
            return "unresolved";
        case Fault::unreachable:
            return "unreachable";
        case Fault::tls_untrusted:
            return "tls_untrusted";
        case Fault::certificate_refused:
            return "certificate_refused";
        case Fault::tls_failed:
            return "tls_failed";
        case Fault::timeout:
            return "timeout";
        case Fault::too_large:
            return "too_large";
        case Fault::bad_response:
            return "bad_response";
        case Fault::closed_early:
            return "closed_early";
        case Fault::cancelled:
            return "cancelled";
    }
    return {};
}

std::optional<std::string_view> Response::header(std::string_view name) const noexcept {
    for (const auto& field : headers)
        if (boost::beast::iequals(field.first, name)) return field.second;
    return std::nullopt;
}

namespace {

/// How much of an answer goes where.
struct Intake {
    Client::OnPiece on_piece = {};  // empty: collected in the response
    Lines* lines = nullptr;
    bool live = false;  // pieces are waited for one by one, not as a whole
};

/// One request on an io_context of its own. Whatever ends it early stops the io_context, and
/// everything in flight is destroyed with it: no operation needs to be cancelled by name.
class Call {
public:
    Call(const Options& options, Trust* trust, const Url& url, const Request& request,
         Intake intake)
        : options_(options),
          trust_(trust),
          url_(url),
          request_(request),
          intake_(std::move(intake)),
          reader_(request.method == "HEAD"),
          io_(1),
          deadline_(io_) {}

    Result<Response, Fault> run() {
        asio::co_spawn(io_, perform(), [this](const std::exception_ptr& thrown) {
            if (thrown) std::rethrow_exception(thrown);  // a callback's: the caller's to handle
            io_.stop();
        });
        io_.run();
        link_.reset();
        if (timed_out_) return Fault::timeout;
        if (fault_) return *fault_;
        if (!finished_) return Fault::cancelled;
        return std::move(response_);
    }

    void stop() { io_.stop(); }
    const std::string& words() const { return words_; }

private:
    asio::awaitable<void> perform();
    asio::awaitable<bool> connect();
    asio::awaitable<std::vector<tcp::endpoint>> resolve();
    asio::awaitable<bool> send_source();
    asio::awaitable<bool> receive();
    bool take(std::string_view piece);

    bool fail(Fault fault, std::string words) {
        fault_ = fault;
        words_ = std::move(words);
        return false;
    }

    Options::ms patience() const { return request_.timeout.value_or(options_.request_timeout); }

    void allow(Options::ms time) {
        deadline_.expires_after(time);
        deadline_.async_wait([this](const error_code& cancelled) {
            if (cancelled || deadline_.expiry() > asio::steady_timer::clock_type::now()) return;
            timed_out_ = true;
            io_.stop();
        });
    }

    const Options& options_;
    Trust* trust_;
    const Url& url_;
    const Request& request_;
    Intake intake_;
    ResponseReader reader_;
    Response response_;
    std::optional<Fault> fault_;
    std::string words_;
    bool finished_ = false;
    bool timed_out_ = false;
    bool enough_ = false;
    std::array<char, 32 * 1024> room_{};
    asio::io_context io_;
    asio::steady_timer deadline_;
    std::unique_ptr<Link> link_;
};

asio::awaitable<void> Call::perform() {
    allow(options_.connect_timeout);
    if (!co_await connect()) co_return;
    response_.authority_pem = link_->authority_pem();
    allow(patience());
    const auto bytes = render(request_, url_);
    // A server that refuses early stops reading; its answer (or its TLS alert) is there to be read
    // all the same, so a failed write is not yet the end.
    const auto stopped = co_await link_->write(bytes);
    if (!stopped && request_.source && !co_await send_source()) co_return;
    finished_ = co_await receive();
    deadline_.cancel();
}

/// False when the source has no more and the server waits for it.
asio::awaitable<bool> Call::send_source() {
    std::string piece;
    for (std::uint64_t left = request_.body_bytes; left > 0;) {
        piece.resize(static_cast<std::size_t>(std::min<std::uint64_t>(left, room_.size())));
        const std::size_t got = request_.source(piece);
        if (got == 0 || got > piece.size())
            co_return fail(Fault::bad_request, "what was to be sent ended early");
        piece.resize(got);
        left -= got;
        if (co_await link_->write(piece)) co_return true;
        allow(patience());
    }
    co_return true;
}

asio::awaitable<std::vector<tcp::endpoint>> Call::resolve() {
    std::vector<tcp::endpoint> found;
    error_code failed;
    const auto address = asio::ip::make_address(url_.host, failed);
    if (!failed) {
        found.emplace_back(address, url_.port);
        co_return found;
    }
    tcp::resolver resolver{io_};
    failed.clear();
    const auto results = co_await resolver.async_resolve(url_.host, std::to_string(url_.port),
                                                         redirect_error(use_awaitable, failed));
    if (!failed)
        for (const auto& result : results) found.push_back(result.endpoint());
    co_return found;
}

asio::awaitable<bool> Call::connect() {
    const auto endpoints = co_await resolve();
    if (endpoints.empty()) co_return fail(Fault::unresolved, "no address for " + url_.host);
    tcp::socket socket{io_};
    error_code failed = asio::error::host_unreachable;
    for (const auto& endpoint : endpoints) {
        if (!url_.tls && !endpoint.address().is_loopback())
            co_return fail(Fault::plain_http_refused, "http:// is for loopback only, and " +
                                                          url_.host + " is " +
                                                          endpoint.address().to_string());
        error_code ignored;
        socket.close(ignored);
        failed.clear();
        co_await socket.async_connect(endpoint, redirect_error(use_awaitable, failed));
        if (!failed) break;
    }
    if (failed) co_return fail(Fault::unreachable, url_.authority + ": " + failed.message());
    error_code ignored;
    socket.set_option(tcp::no_delay{true}, ignored);
    if (!url_.tls) {
        link_ = plain_link(std::move(socket));
        co_return true;
    }
    const auto& name = options_.server_name.empty() ? url_.host : options_.server_name;
    link_ = tls_link(std::move(socket), *trust_, name, options_.ignore_certificate_dates);
    if (!link_) co_return fail(Fault::bad_url, "no certificate can bear the name " + name);
    const auto refused = co_await link_->handshake();
    if (refused) co_return fail(link_->fault(refused, true), link_->words(refused));
    co_return true;
}

/// Reads the answer to its end, or until whoever takes it has enough.
asio::awaitable<bool> Call::receive() {
    error_code ended;
    for (;;) {
        switch (reader_.next()) {
            case RS::need_more: {
                const auto got = co_await link_->read(asio::buffer(room_), ended);
                if (ended || got == 0)
                    reader_.feed_end();
                else
                    reader_.feed(std::string_view{room_.data(), got});
                break;
            }
            case RS::head: {
                auto authority = std::move(response_.authority_pem);
                response_ = reader_.take_head();
                response_.authority_pem = std::move(authority);
                if (response_.status != 200) intake_ = Intake();
                if (intake_.live) allow(options_.silence_timeout);
                break;
            }
            case RS::piece:
                if (!take(reader_.take_piece())) co_return !fault_;
                if (intake_.live) allow(options_.silence_timeout);
                break;
            case RS::end:
                co_return true;
            case RS::failed:
                co_return fail(Fault::bad_response, "not an HTTP/1.1 response");
            case RS::cut:
                co_return fail(link_->fault(ended, false), link_->words(ended));
        }
    }
}

/// False when enough was taken, or too much.
bool Call::take(std::string_view piece) {
    if (intake_.lines) {
        switch (intake_.lines->take(piece)) {
            case Lines::Took::more:
                return true;
            case Lines::Took::enough:
                return false;
            case Lines::Took::too_long:
                return fail(Fault::too_large, "a line is too long");
        }
    }
    if (intake_.on_piece) return intake_.on_piece(piece);
    response_.body += piece;
    if (response_.body.size() > options_.response_bytes_max)
        return fail(Fault::too_large, "the answer has more than " +
                                          std::to_string(options_.response_bytes_max) + " bytes");
    return true;
}

}  // namespace

class Client::Impl {
public:
    explicit Impl(Options options)
        : options_(std::move(options)), url_(read_url(options_.base_url)) {
        if (url_ && url_->tls) trust_ = std::make_unique<Trust>(options_);
    }

    Result<Response, Fault> run(const Request& request, Intake intake) {
        words_.clear();
        if (!url_) {
            words_ = "'" + options_.base_url + "' is not a URL of a server";
            return Fault::bad_url;
        }
        if (trust_ && trust_->fault) {
            words_ = trust_->why;
            return *trust_->fault;
        }
        if (const auto wrong = check(request)) return *wrong;
        Call call{options_, trust_.get(), *url_, request, std::move(intake)};
        if (!enter(&call)) return Fault::cancelled;
        // Also when a callback throws: cancel() must not meet a call that is over.
        const std::unique_ptr<Impl, void (*)(Impl*)> leave{
            this, [](Impl* self) { self->enter(nullptr); }};
        auto result = call.run();
        words_ = call.words();
        return result;
    }

    void cancel() {
        const std::lock_guard lock{mutex_};
        cancelled_ = true;
        if (call_) call_->stop();
    }

    std::size_t line_bytes_max() const { return options_.line_bytes_max; }
    const std::string& words() const { return words_; }

private:
    bool enter(Call* call) {
        const std::lock_guard lock{mutex_};
        call_ = call;
        return !cancelled_;
    }

    const Options options_;
    const std::optional<Url> url_;
    std::unique_ptr<Trust> trust_;
    std::string words_;
    std::mutex mutex_;
    Call* call_ = nullptr;
    bool cancelled_ = false;
};

Client::Client(Options options) : impl_(std::make_unique<Impl>(std::move(options))) {}
Client::~Client() = default;

Result<Response, Fault> Client::request(const Request& request) { return impl_->run(request, {}); }

Result<Response, Fault> Client::stream(const Request& request, const OnLine& on_line) {
    Lines lines{on_line, impl_->line_bytes_max()};
    return impl_->run(request, {.lines = &lines, .live = true});
}

Result<Response, Fault> Client::download(const Request& request, const OnPiece& on_piece) {
    return impl_->run(request, {.on_piece = on_piece, .live = true});
}

void Client::cancel() { impl_->cancel(); }
std::string Client::explain() const { return impl_->words(); }

}  // namespace pf::firmware::https
