#pragma once
// Where a handler, on any thread, and the connection, on its I/O thread, meet over one request.
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "sync-server/http/responder.hpp"

namespace pf::server::http {

class Exchange final : public ReplyPort,
                       public StreamPort,
                       public std::enable_shared_from_this<Exchange> {
public:
    /// `wake` makes the connection look at this exchange again; any thread, also after the server's
    /// end.
    Exchange(std::string request_id, std::size_t queue_bytes_max, std::function<void()> wake);

    // The handler's side.
    bool respond(Response response) override;
    StreamWriter stream(Response head) override;
    bool pull(Response head, BodySource source) override;
    void dropped() override;
    std::string request_id() const override { return request_id_; }
    bool write(std::string bytes) override;
    void end() override;
    void abort() override;
    bool gone() const override;
    void allow_more();

    // The connection's side.
    /// Answers for a handler that can't or may not any more.
    bool refuse(Problem problem);
    enum class Kind : std::uint8_t { whole, streamed, pulled };
    struct Answer {
        Kind kind = Kind::whole;
        Response response;
        BodySource source;
    };
    bool answered() const;
    std::optional<Answer> take_answer();
    /// May the next piece of an upload be given? Asked once, the permission is used up.
    bool take_permission();

    struct Flow {
        std::string bytes;
        bool ended = false;  // after `bytes`
        bool cut = false;
    };
    Flow take_flow();
    /// Nothing written from now on will arrive.
    void set_gone();

private:
    bool answer(Answer answer);

    const std::string request_id_;
    const std::size_t queue_bytes_max_;
    const std::function<void()> wake_;
    mutable std::mutex mutex_;
    bool answered_ = false;
    std::optional<Answer> answer_;
    std::string queue_;
    bool ended_ = false;
    bool cut_ = false;
    bool gone_ = false;
    bool more_ = false;
};

}  // namespace pf::server::http
