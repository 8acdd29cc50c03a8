// The receiving half of a connection; session_answer.cpp has the sending half.
#include "sync-server/http/session.hpp"

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/string.hpp>
#include <exception>

namespace pf::server::http {
namespace {

using RS = RequestReader::Step;

// Braced initialisers stay out of the coroutines below: g++ 12 miscompiles or rejects them there.
Problem problem(int status, std::string code) {
    return {.status = status, .code = std::move(code)};
}

Response knows(const std::string& allow) {
    Response response{.status = 204};
    if (!allow.empty()) response.headers.set("Allow", allow);
    return response;
}

Problem problem_from(ReadFault fault) {
    switch (fault) {
        case ReadFault::malformed:
            return problem(400, "malformed_request");
        case ReadFault::header_too_large:
            return problem(431, "header_too_large");
        case ReadFault::version_not_supported:
            return problem(505, "version_not_supported");
        case ReadFault::coding_not_supported:
            return problem(501, "coding_not_supported");
        case ReadFault::bad_host:
            return problem(400, "bad_host");
    }
    std::abort();
}

Problem problem_from(TargetFault fault) {
    switch (fault) {
        case TargetFault::not_origin_form:
            return problem(400, "bad_target");
        case TargetFault::bad_encoding:
            return problem(400, "bad_encoding");
        case TargetFault::repeated_key:
            return problem(400, "query_key_repeated");
    }
    std::abort();
}

Problem too_slow() { return problem(408, "request_too_slow"); }

Problem too_large(std::uint64_t max) {
    return {.status = 413,
            .code = "body_too_large",
            .detail = "The body may have " + std::to_string(max) + " bytes."};
}

std::string address_of(const asio::ip::tcp::socket& socket) {
    error_code gone;
    const auto peer = socket.remote_endpoint(gone);
    return gone ? std::string{} : peer.address().to_string();
}

bool usable_request_id(std::string_view id) {
    return !id.empty() && id.size() <= 64 && std::all_of(id.begin(), id.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               c == '.' || c == '_' || c == '-';
    });
}

}  // namespace

Session::Session(SessionSetup setup)
    : core_(std::move(setup.core)),
      worker_(*setup.worker),
      transport_(std::move(setup.transport)),
      router_(std::move(setup.router)),
      listener_(std::move(setup.listener)),
      peer_address_(address_of(transport_->socket())),
      reader_(core_->limits.header_bytes_max),
      wake_(worker_.io),
      watchdog_(worker_.io) {}

Session::~Session() {
    if (exchange_) exchange_->set_gone();
    worker_.sessions.erase(this);
    const std::lock_guard lock{core_->mutex};
    --core_->sessions;
    core_->none_left.notify_all();
}

void Session::guarded(const std::function<void()>& call) {
    // The one place where a handler's exception may not end the program: others' requests go on.
    try {
        call();
    } catch (const std::exception& bug) {
        report_bug(bug.what());
        exchange_->refuse(problem(500, "handler_failed"));
    }
}

asio::awaitable<void> Session::run() {
    const auto self = shared_from_this();
    worker_.sessions.insert(this);
    stopping_ = worker_.stopping;
    if (!co_await open()) {
        co_await drain();  // so that the peer reads the TLS alert and not a reset
        co_return;
    }
    while (!stopping_) {
        if (!co_await await_request()) break;
        const bool keep = co_await serve_one();
        report_access();
        if (!keep) break;
        reader_.restart();
    }
    co_await close();
}

void Session::stop_soon() {
    stopping_ = true;
    error_code ignored;
    if (idle_) transport_->socket().cancel(ignored);
    wake_.cancel();
}

asio::awaitable<bool> Session::open() {
    error_code ignored;
    transport_->socket().set_option(asio::ip::tcp::no_delay{true}, ignored);
    arm(core_->timeouts.handshake);
    const auto failed = co_await transport_->handshake();
    disarm();
    if (failed) co_return false;
    client_certificate_pem_ = transport_->peer_certificate_pem();
    co_return true;
}

asio::awaitable<bool> Session::await_request() {
    if (reader_.begun()) co_return true;
    idle_ = true;
    arm(core_->timeouts.idle);
    error_code error;
    const auto got = co_await transport_->read(asio::buffer(room_), error);
    disarm();
    idle_ = false;
    if (error || got == 0) co_return false;
    reader_.feed(std::string_view{room_.data(), got});
    co_return true;
}

asio::awaitable<Session::Fed> Session::next_step() {
    for (;;) {
        const auto step = reader_.next();
        if (step != RS::need_more) co_return fed(Got::step, step);
        error_code error;
        const auto got = co_await transport_->read(asio::buffer(room_), error);
        if (error || got == 0) co_return fed(timed_out_ ? Got::too_slow : Got::peer_gone, step);
        reader_.feed(std::string_view{room_.data(), got});
    }
}

void Session::begin_request() {
    began_ = std::chrono::steady_clock::now();
    access_ = Access{};
    access_.listener = listener_;
    access_.peer_address = peer_address_;
    access_.request_id = core_->request_id_prefix + std::to_string(++core_->requests);
    timed_out_ = false;
    body_read_ = false;
    head_request_ = false;
    exchange_.reset();
}

void Session::read_request_id() {
    const auto given = reader_.head().headers.find("X-Request-Id");
    if (given && usable_request_id(*given)) access_.request_id = *given;
}

/// True when the connection can take another request.
asio::awaitable<bool> Session::serve_one() {
    begin_request();
    arm(core_->timeouts.header);
    const auto fed = co_await next_step();
    disarm();
    if (fed.got == Got::peer_gone) co_return false;
    if (fed.got == Got::too_slow) co_return co_await refuse(too_slow());
    if (fed.step == RS::failed) co_return co_await refuse(problem_from(reader_.fault()));

    const auto& head = reader_.head();
    read_request_id();
    access_.method = head.method;
    access_.path = head.target.substr(0, head.target.find('?'));
    if (!head.has_body()) body_read_ = reader_.next() == RS::end;

    const auto method = method_from(head.method);
    if (!method) co_return co_await refuse(problem(501, "method_unknown"));
    head_request_ = *method == Method::head;
    if (*method == Method::options && head.target == "*")
        co_return co_await send_whole(knows(""), body_read_ && head.keep_alive);
    auto read = read_target(head.target);
    if (!read.target) co_return co_await refuse(problem_from(read.fault));
    const auto expects = head.headers.find("Expect");
    if (expects && !boost::beast::iequals(*expects, "100-continue"))
        co_return co_await refuse(problem(417, "expectation_unknown"));
    co_return co_await route_request(*method, std::move(*read.target));
}

asio::awaitable<bool> Session::route_request(Method method, Target target) {
    auto match = router_->find(method, target.path);
    if (std::holds_alternative<Router::NotFound>(match))
        co_return co_await refuse(problem(404, "not_found"));
    if (std::holds_alternative<Router::BadPath>(match))
        co_return co_await refuse(problem(400, "bad_encoding"));
    if (const auto* other = std::get_if<Router::OtherMethods>(&match)) {
        if (method == Method::options)
            co_return co_await send_whole(knows(other->allow),
                                          body_read_ && reader_.head().keep_alive);
        auto refusal = problem(405, "method_not_allowed");
        refusal.detail = "This resource knows " + other->allow + ".";
        co_return co_await refuse(std::move(refusal), other->allow);
    }
    auto& found = std::get<Router::Found>(match);
    access_.route = found.route->path;
    Request request;
    request.method = method;
    request.path = std::move(target.path);
    request.route = found.route->path;
    request.query = std::move(target.query);
    request.parameters = std::move(found.parameters);
    request.headers = reader_.head().headers;
    request.peer_address = peer_address_;
    request.listener = listener_;
    request.request_id = access_.request_id;
    request.client_certificate_pem = client_certificate_pem_;
    co_return co_await serve_routed(std::move(request), *found.route);
}

std::shared_ptr<Exchange> Session::make_exchange() {
    auto wake = [gate = core_->gate, io = &worker_.io, session = weak_from_this()] {
        gate->post(*io, [session] {
            if (const auto alive = session.lock()) alive->wake_.cancel();
        });
    };
    return std::make_shared<Exchange>(access_.request_id, core_->limits.stream_queue_bytes_max,
                                      std::move(wake));
}

asio::awaitable<bool> Session::serve_routed(Request request, const Route& route) {
    auto max = route.body_bytes_max;
    if (max == 0)
        max = route.upload ? core_->limits.upload_bytes_max : core_->limits.body_bytes_max;
    if (reader_.head().content_length.value_or(0) > max) co_return co_await refuse(too_large(max));

    exchange_ = make_exchange();
    if (route.upload) {
        if (co_await take_upload(std::move(request), route, max) == Body::lost) co_return false;
    } else {
        if (co_await take_whole(request.body, max) != Body::complete) co_return false;
        // Kept over the call: unwinding out of a handler must not answer `no_answer` first.
        const Responder respond{exchange_};
        guarded([&] { route.handler(std::move(request), respond); });
    }
    co_await await_answer();
    co_return co_await send_answer(body_read_);
}

/// A client that asked first gets its answer before it sends.
asio::awaitable<void> Session::invite_body() {
    const auto& head = reader_.head();
    if (!head.has_body() || head.http_1_0 || !head.headers.has("Expect") || reader_.has_input())
        co_return;
    const std::string invitation = "HTTP/1.1 100 Continue\r\n\r\n";
    co_await send(invitation);
}

asio::awaitable<Session::Body> Session::take_whole(std::string& body, std::uint64_t max) {
    co_await invite_body();
    arm(core_->timeouts.body);
    for (;;) {
        if (body_read_) break;
        const auto fed = co_await next_step();
        if (fed.got == Got::peer_gone) {
            disarm();
            co_return Body::lost;
        }
        std::optional<Problem> wrong;
        if (fed.got == Got::too_slow) {
            wrong = too_slow();
        } else if (fed.step == RS::failed) {
            wrong = problem_from(reader_.fault());
        } else if (fed.step == RS::piece) {
            body += reader_.take_piece();
            if (body.size() > max) wrong = too_large(max);
        } else {
            body_read_ = true;
        }
        if (wrong) {
            disarm();
            co_await refuse(std::move(*wrong));
            co_return Body::refused;
        }
    }
    disarm();
    access_.body_bytes_in = body.size();
    co_return Body::complete;
}

asio::awaitable<Session::Body> Session::take_upload(Request request, const Route& route,
                                                    std::uint64_t max) {
    std::unique_ptr<BodySink> sink;
    auto respond = std::make_unique<Responder>(exchange_);  // as in serve_routed()
    guarded([&] { sink = route.upload(std::move(request), *respond); });
    respond.reset();
    if (!sink) co_return Body::refused;
    co_await invite_body();
    const auto fault = co_await pour(*sink, max);
    if (!fault) {
        guarded([&] { sink->on_end(); });
        co_await await_answer();  // the sink lives until then: it may be what answers
        co_return Body::complete;
    }
    switch (*fault) {
        case BodyFault::too_large:
            exchange_->refuse(too_large(max));
            break;
        case BodyFault::malformed:
            exchange_->refuse(problem_from(reader_.fault()));
            break;
        case BodyFault::too_slow:
            exchange_->refuse(too_slow());
            break;
        case BodyFault::stopping:
            exchange_->refuse(problem(503, "stopping"));
            break;
        case BodyFault::peer_gone:
            exchange_->set_gone();
            break;
        case BodyFault::answered:
            break;
    }
    guarded([&] { sink->on_broken(*fault); });
    co_return *fault == BodyFault::peer_gone ? Body::lost : Body::refused;
}

asio::awaitable<std::optional<BodyFault>> Session::pour(BodySink& sink, std::uint64_t max) {
    const auto more = [exchange = std::weak_ptr{exchange_}] {
        if (const auto alive = exchange.lock()) alive->allow_more();
    };
    while (!body_read_) {
        arm(core_->timeouts.body);
        const auto fed = co_await next_step();
        disarm();
        if (fed.got == Got::peer_gone) co_return BodyFault::peer_gone;
        if (fed.got == Got::too_slow) co_return BodyFault::too_slow;
        if (fed.step == RS::failed) co_return BodyFault::malformed;
        if (fed.step == RS::end) {
            body_read_ = true;
            break;
        }
        auto piece = reader_.take_piece();
        access_.body_bytes_in += piece.size();
        if (access_.body_bytes_in > max) co_return BodyFault::too_large;
        guarded([&] { sink.on_piece(std::move(piece), more); });
        if (!co_await permission()) co_return stopping_ ? BodyFault::stopping : BodyFault::answered;
    }
    co_return std::nullopt;
}

/// Waits until the sink wants more. False when it answered instead, never asked, or it is time to
/// stop.
asio::awaitable<bool> Session::permission() {
    const auto deadline = std::chrono::steady_clock::now() + core_->timeouts.answer;
    for (;;) {
        if (exchange_->answered() || stopping_) co_return false;
        if (exchange_->take_permission()) co_return true;
        const auto left = std::chrono::ceil<ms>(deadline - std::chrono::steady_clock::now());
        if (left <= ms::zero())
            exchange_->refuse(problem(503, "answer_late"));
        else
            co_await sleep(left);
    }
}

void Session::report_access() const {
    if (!core_->on_access) return;
    auto access = access_;
    access.took = std::chrono::duration_cast<std::chrono::microseconds>(
        std::chrono::steady_clock::now() - began_);
    core_->on_access(access);
}

void Session::report_bug(std::string_view what) const {
    if (core_->on_bug) core_->on_bug(what);
}

}  // namespace pf::server::http
