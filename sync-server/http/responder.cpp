#include "sync-server/http/responder.hpp"

#include <atomic>
#include <utility>

namespace pf::server::http {

struct StreamWriter::Token {
    explicit Token(std::shared_ptr<StreamPort> to) : port(std::move(to)) {}
    Token(const Token&) = delete;
    Token& operator=(const Token&) = delete;
    ~Token() { port->abort(); }  // without effect after end()
    std::shared_ptr<StreamPort> port;
};

StreamWriter::StreamWriter(std::shared_ptr<StreamPort> port)
    : token_(std::make_shared<Token>(std::move(port))) {}

bool StreamWriter::write(std::string bytes) const {
    return token_ && token_->port->write(std::move(bytes));
}

void StreamWriter::end() const {
    if (token_) token_->port->end();
}

bool StreamWriter::gone() const { return !token_ || token_->port->gone(); }

struct Responder::Token {
    explicit Token(std::shared_ptr<ReplyPort> to) : port(std::move(to)) {}
    Token(const Token&) = delete;
    Token& operator=(const Token&) = delete;
    ~Token() { port->dropped(); }
    std::shared_ptr<ReplyPort> port;
};

namespace {

/// Ends in a function: for tests and for callers inside the process.
class FunctionPort final : public ReplyPort {
public:
    explicit FunctionPort(std::function<void(Response)> take) : take_(std::move(take)) {}

    bool respond(Response response) override {
        if (answered_.exchange(true)) return false;
        take_(std::move(response));
        return true;
    }
    StreamWriter stream(Response head) override {
        respond(std::move(head));
        return {};
    }
    bool pull(Response head, BodySource source) override {
        for (;;) {
            auto piece = source();
            if (piece.next == Pulled::Next::broken) break;
            head.body += piece.bytes;
            if (piece.next == Pulled::Next::end) break;
        }
        return respond(std::move(head));
    }
    void dropped() override { respond(to_response({.status = 500, .code = "no_answer"})); }
    std::string request_id() const override { return "in-process"; }

private:
    std::function<void(Response)> take_;
    std::atomic<bool> answered_{false};
};

/// Shows the answer to somebody on its way.
class ThroughPort final : public ReplyPort {
public:
    ThroughPort(Responder next, std::shared_ptr<ReplyPort> port, std::function<void(Response&)> see)
        : next_(std::move(next)), port_(std::move(port)), see_(std::move(see)) {}

    bool respond(Response response) override {
        if (seen_.exchange(true)) return false;
        see_(response);
        return port_->respond(std::move(response));
    }
    StreamWriter stream(Response head) override {
        if (seen_.exchange(true)) return {};
        see_(head);
        return port_->stream(std::move(head));
    }
    bool pull(Response head, BodySource source) override {
        if (seen_.exchange(true)) return false;
        see_(head);
        return port_->pull(std::move(head), std::move(source));
    }
    void dropped() override {}  // next_ goes with this port, and answers
    std::string request_id() const override { return port_->request_id(); }

private:
    Responder next_;  // keeps the right to answer alive
    std::shared_ptr<ReplyPort> port_;
    std::function<void(Response&)> see_;
    std::atomic<bool> seen_{false};
};

}  // namespace

Responder::Responder(std::shared_ptr<ReplyPort> port)
    : token_(std::make_shared<Token>(std::move(port))) {}

Responder::Responder(std::function<void(Response)> take)
    : Responder(std::make_shared<FunctionPort>(std::move(take))) {}

bool Responder::operator()(Response response) const {
    return token_ && token_->port->respond(std::move(response));
}

bool Responder::refuse(Problem problem) const {
    if (!token_) return false;
    if (problem.instance.empty())
        problem.instance = "urn:paifang:request:" + token_->port->request_id();
    return token_->port->respond(to_response(problem));
}

StreamWriter Responder::stream(Response head) const {
    return token_ ? token_->port->stream(std::move(head)) : StreamWriter{};
}

bool Responder::pull(Response head, BodySource source) const {
    return token_ && token_->port->pull(std::move(head), std::move(source));
}

Responder Responder::through(std::function<void(Response&)> see) const {
    if (!token_) return {};
    return Responder{std::make_shared<ThroughPort>(*this, token_->port, std::move(see))};
}

std::string Responder::request_id() const { return token_ ? token_->port->request_id() : ""; }

}  // namespace pf::server::http
