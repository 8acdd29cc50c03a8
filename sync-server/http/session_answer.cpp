// The sending half of a connection, its deadlines and its end.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/string.hpp>

#include "sync-server/http/render.hpp"
#include "sync-server/http/session.hpp"

namespace pf::server::http {
namespace {

using asio::redirect_error;
using asio::use_awaitable;

Problem failure(int status, std::string code) {
    return {.status = status, .code = std::move(code)};
}

// What a coroutine below awaits takes named values only: g++ 12 copies temporaries of a conditional
// or braced expression bit by bit into the frame and destroys them twice.
std::string in_frame(bool chunked, const std::string& bytes) {
    return chunked ? render_chunk(bytes) : bytes;
}

std::string head_of(const Response& response, Framing::Body body, bool keep, std::string_view id) {
    const Framing framing{body, response.body.size(), keep};
    return render_head(response, framing, id);
}

bool without_body(int status) { return status == 204 || status == 304; }

bool is_event_stream(const Response& head) {
    const auto type = head.headers.find("Content-Type").value_or("");
    constexpr std::string_view wanted = "text/event-stream";
    return boost::beast::iequals(type.substr(0, wanted.size()), wanted);
}

}  // namespace

void Session::arm(ms after) {
    timed_out_ = false;
    watchdog_.expires_after(after);
    watch(++armed_);
}

void Session::disarm() {
    ++armed_;
    watchdog_.cancel();
}

void Session::watch(std::uint64_t number) {
    watchdog_.async_wait([session = weak_from_this(), number](const error_code& cancelled) {
        const auto self = session.lock();
        if (cancelled || !self || self->armed_ != number) return;
        self->timed_out_ = true;
        error_code ignored;
        self->transport_->socket().cancel(ignored);
        // An operation made of several may have been between two of them: then the next one is
        // caught here.
        self->watchdog_.expires_after(ms{50});
        self->watch(number);
    });
}

/// False when the time has passed, true when woken.
asio::awaitable<bool> Session::sleep(ms at_most) {
    wake_.expires_after(at_most);
    error_code woken;
    co_await wake_.async_wait(redirect_error(use_awaitable, woken));
    co_return bool(woken);
}

asio::awaitable<void> Session::await_answer() {
    const auto deadline = std::chrono::steady_clock::now() + core_->timeouts.answer;
    while (!exchange_->answered()) {
        const auto left = std::chrono::ceil<ms>(deadline - std::chrono::steady_clock::now());
        if (left <= ms::zero())
            exchange_->refuse(failure(503, "answer_late"));
        else
            co_await sleep(left);
    }
}

asio::awaitable<bool> Session::send(const std::string& bytes) {
    arm(core_->timeouts.write);
    const auto failed = co_await transport_->write(bytes);
    disarm();
    if (!failed) access_.bytes_out += bytes.size();
    co_return !failed;
}

asio::awaitable<bool> Session::refuse(Problem problem, std::string allow) {
    problem.instance = "urn:paifang:request:" + access_.request_id;
    auto response = to_response(problem);
    if (!allow.empty()) response.headers.set("Allow", std::move(allow));
    const bool keep = body_read_ && reader_.head().keep_alive;
    co_return co_await send_whole(response, keep);
}

asio::awaitable<bool> Session::send_answer(bool body_complete) {
    auto answer = exchange_->take_answer();
    if (!answer) co_return false;
    if (answer->response.status < 200 || answer->response.status > 599) {
        report_bug("status " + std::to_string(answer->response.status) + " out of a handler");
        answer->kind = Exchange::Kind::whole;
        answer->response = to_response(failure(500, "handler_failed"));
    }
    const bool keep = body_complete && reader_.head().keep_alive;
    bool kept = false;
    switch (answer->kind) {
        case Exchange::Kind::whole:
            kept = co_await send_whole(answer->response, keep);
            break;
        case Exchange::Kind::pulled:
            kept = co_await send_pulled(answer->response, answer->source, keep);
            break;
        case Exchange::Kind::streamed:
            kept = co_await send_streamed(answer->response, keep);
            break;
    }
    exchange_->set_gone();
    co_return kept;
}

asio::awaitable<bool> Session::send_whole(const Response& response, bool keep) {
    keep = keep && !stopping_;
    access_.status = response.status;
    const bool bare = without_body(response.status);
    const auto framing = bare ? Framing::Body::none : Framing::Body::length;
    auto bytes = head_of(response, framing, keep, access_.request_id);
    if (!bare && !head_request_) bytes += response.body;
    const bool sent = co_await send(bytes);
    co_return sent&& keep;
}

asio::awaitable<bool> Session::send_pulled(const Response& head, const BodySource& source,
                                           bool keep) {
    const bool chunked = !reader_.head().http_1_0;
    keep = keep && chunked && !stopping_;
    access_.status = head.status;
    const auto framing = chunked ? Framing::Body::chunked : Framing::Body::until_close;
    auto bytes = head_of(head, framing, keep, access_.request_id);
    Pulled piece;
    piece.bytes = head.body;
    while (!head_request_) {
        if (!piece.bytes.empty()) bytes += in_frame(chunked, piece.bytes);
        if (piece.next != Pulled::Next::more) break;
        if (!bytes.empty() && !co_await send(bytes)) co_return false;
        bytes.clear();
        piece = Pulled{};
        piece.next = Pulled::Next::broken;
        guarded([&] { piece = source(); });
    }
    if (piece.next == Pulled::Next::end && chunked) bytes += last_chunk;
    const bool sent = co_await send(bytes);
    co_return sent&& keep && (head_request_ || piece.next == Pulled::Next::end);
}

asio::awaitable<bool> Session::send_streamed(const Response& head, bool keep) {
    const bool chunked = !reader_.head().http_1_0;
    const auto framing = chunked ? Framing::Body::chunked : Framing::Body::until_close;
    keep = keep && head_request_;  // what the peer sends meanwhile is thrown away
    access_.status = head.status;
    auto bytes = head_of(head, framing, keep, access_.request_id);
    if (!head_request_ && !head.body.empty()) bytes += in_frame(chunked, head.body);
    if (!co_await send(bytes) || head_request_) co_return keep;

    watching_ = true;
    asio::co_spawn(worker_.io, watch_peer(shared_from_this()),
                   [self = shared_from_this()](const std::exception_ptr& thrown) {
                       self->watching_ = false;
                       if (thrown) self->report_bug("watching a stream's peer");
                       self->wake_.cancel();
                   });
    co_await flow(chunked, is_event_stream(head));
    exchange_->set_gone();
    co_await end_watch();
    co_return false;
}

asio::awaitable<void> Session::flow(bool chunked, bool event_stream) {
    const std::string ping = in_frame(chunked, ":\n\n");
    const std::string final_chunk{last_chunk};
    for (;;) {
        const auto next = exchange_->take_flow();
        if (!next.bytes.empty()) {
            const std::string framed = in_frame(chunked, next.bytes);
            const bool sent = co_await send(framed);
            if (!sent) co_return;
            continue;
        }
        if (next.ended) {
            if (chunked) co_await send(final_chunk);
            co_return;
        }
        // Without the final chunk: the client must not take this for the end.
        if (next.cut || stopping_ || !watching_) co_return;
        const bool woken = co_await sleep(core_->timeouts.stream_ping);
        if (woken || !event_stream) continue;
        const bool sent = co_await send(ping);
        if (!sent) co_return;
    }
}

/// Reads so as to learn that the peer went: nothing else would tell while there is nothing to send.
asio::awaitable<void> Session::watch_peer(std::shared_ptr<Session> self) {
    error_code error;
    while (!error) {
        const auto got = co_await self->transport_->read(asio::buffer(self->room_), error);
        if (got == 0) break;
    }
    self->exchange_->set_gone();
}

asio::awaitable<void> Session::end_watch() {
    while (watching_) {
        error_code ignored;
        transport_->socket().cancel(ignored);
        co_await sleep(ms{50});
    }
}

/// Reads on for a while after the last word: closing with unread input would reset the connection,
/// and the peer would lose the answer it has not read yet.
asio::awaitable<void> Session::drain() {
    auto& socket = transport_->socket();
    error_code error;
    socket.shutdown(asio::ip::tcp::socket::shutdown_send, error);
    arm(core_->timeouts.linger);
    while (!error && !timed_out_ && !stopping_)
        co_await socket.async_read_some(asio::buffer(room_), redirect_error(use_awaitable, error));
    disarm();
    socket.close(error);
}

asio::awaitable<void> Session::close() {
    arm(core_->timeouts.linger);
    co_await transport_->finish();
    disarm();
    co_await drain();
}

}  // namespace pf::server::http
