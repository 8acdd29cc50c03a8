#pragma once
// How a handler answers: once, from any thread, whole or as a stream.
#include <functional>
#include <memory>
#include <string>

#include "sync-server/http/message.hpp"
#include "sync-server/http/problem.hpp"

namespace pf::server::http {

/// The far end of a StreamWriter.
class StreamPort {
public:
    virtual ~StreamPort() = default;
    virtual bool write(std::string bytes) = 0;
    virtual void end() = 0;
    virtual void abort() = 0;
    virtual bool gone() const = 0;
};

/// The sending end of a response that goes on (text/event-stream, follow). Copies share one stream;
/// any thread. When the last copy goes without end(), the connection is cut without the final
/// chunk, so the client knows that it doesn't have everything.
class StreamWriter {
public:
    StreamWriter() = default;
    explicit StreamWriter(std::shared_ptr<StreamPort> port);

    /// Queues bytes. False when the peer is gone, or was cut off because it left more than
    /// `Limits::stream_queue_bytes_max` unread; the stream is over then.
    bool write(std::string bytes) const;
    void end() const;
    bool gone() const;

private:
    struct Token;
    std::shared_ptr<Token> token_;
};

/// One step of a response that is pulled.
struct Pulled {
    enum class Next : std::uint8_t { more, end, broken };
    std::string bytes = {};
    Next next = Next::more;  // broken: cut without the final chunk
};
/// Called on the connection's I/O thread each time the previous piece has been written; so a piece
/// is bounded by its maker (64 KiB is a good size) and must not block for long.
using BodySource = std::function<Pulled()>;

/// The far end of a Responder: the server, an interceptor, or a test.
class ReplyPort {
public:
    virtual ~ReplyPort() = default;
    virtual bool respond(Response response) = 0;
    virtual StreamWriter stream(Response head) = 0;
    virtual bool pull(Response head, BodySource source) = 0;
    /// The last Responder went away; answered or not is the port's to know.
    virtual void dropped() = 0;
    virtual std::string request_id() const = 0;
};

/// The right to answer one request. Copies share it; the first answer counts, later ones are
/// dropped and return false. Destroyed unanswered: the server answers 500 `no_answer`. It may
/// outlive the connection and the server; answering is then without effect.
class Responder {
public:
    Responder() = default;
    explicit Responder(std::shared_ptr<ReplyPort> port);
    /// For tests and in-process callers: gets the whole response. Streams aren't supported there
    /// (a pulled body is collected).
    explicit Responder(std::function<void(Response)> take);

    bool operator()(Response response) const;
    /// Answers with the problem; `instance` becomes "urn:paifang:request:<id>" where empty.
    bool refuse(Problem problem) const;
    /// Starts a response whose bytes come later. `head.body` is sent first.
    StreamWriter stream(Response head) const;
    bool pull(Response head, BodySource source) const;

    /// A responder that shows the answer (for streams: its head) to `see` before it goes on to this
    /// one: idempotency keys, audit. `see` runs on the answering thread and may edit.
    Responder through(std::function<void(Response&)> see) const;

    std::string request_id() const;

private:
    struct Token;
    std::shared_ptr<Token> token_;
};

enum class BodyFault : std::uint8_t {
    too_large = 1,  // the server has answered 413
    malformed,      // bad chunking; the server has answered 400
    peer_gone,
    too_slow,
    answered,  // the sink answered before the end; the rest was not read
    stopping,
};

/// Where a large body goes piece by piece, on the connection's I/O thread.
class BodySink {
public:
    virtual ~BodySink() = default;
    /// The next piece comes only after `more()` has been called (once, any thread): that is the
    /// backpressure. Answering instead ends the upload.
    virtual void on_piece(std::string bytes, std::function<void()> more) = 0;
    /// The body is complete; answer now or later.
    virtual void on_end() = 0;
    /// The body will not be complete. Nothing else is called afterwards.
    virtual void on_broken(BodyFault fault) = 0;
};

/// Called on an I/O thread, with several threads concurrently. An exception out of a handler is a
/// bug: it is reported through ServerOptions::on_bug and answered with 500.
using Handler = std::function<void(Request, Responder)>;

/// Upload routes: called when the header is there. Answer and return null to refuse the body.
using UploadHandler = std::function<std::unique_ptr<BodySink>(Request, Responder)>;

}  // namespace pf::server::http
