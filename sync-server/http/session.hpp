#pragma once
// One connection from accept to close: requests in, answers out, deadlines in between.
#include <array>
#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_set>

#include "sync-server/http/exchange.hpp"
#include "sync-server/http/request_reader.hpp"
#include "sync-server/http/server.hpp"
#include "sync-server/http/target.hpp"
#include "sync-server/http/transport.hpp"

namespace pf::server::http {

/// Lets other threads post to an io_context exactly as long as there is one.
class Gate {
public:
    template <class F>
    void post(asio::io_context& io, F work) {
        const std::lock_guard lock{mutex_};
        if (open_) asio::post(io, std::move(work));
    }
    void close() {
        const std::lock_guard lock{mutex_};
        open_ = false;
    }

private:
    std::mutex mutex_;
    bool open_ = true;
};

/// What all sessions of a server share; outlives them.
struct Core {
    Limits limits;
    Timeouts timeouts;
    std::function<void(const Access&)> on_access;
    std::function<void(std::string_view)> on_bug;
    std::string request_id_prefix;
    std::atomic<std::uint64_t> requests{0};
    std::shared_ptr<Gate> gate = std::make_shared<Gate>();  // all that an unused responder keeps

    std::mutex mutex;
    std::condition_variable none_left;
    std::size_t sessions = 0;
};

class Session;

/// A thread's share of the connections.
struct Worker {
    std::unordered_set<Session*> sessions = {};  // on its thread; goes after `io`, which owns them
    bool stopping = false;                       // on its thread
    asio::io_context io{1};
};

struct SessionSetup {
    std::shared_ptr<Core> core;
    Worker* worker = nullptr;
    std::unique_ptr<Transport> transport;
    std::shared_ptr<const Router> router;
    std::string listener;
};

class Session : public std::enable_shared_from_this<Session> {
public:
    explicit Session(SessionSetup setup);
    ~Session();
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    asio::awaitable<void> run();
    /// On its thread: ends it when the request in flight, if any, is answered.
    void stop_soon();

private:
    using ms = Timeouts::ms;
    enum class Got : std::uint8_t { step, peer_gone, too_slow };
    struct Fed {
        Got got;
        RequestReader::Step step;
    };
    static Fed fed(Got got, RequestReader::Step step) { return {got, step}; }
    enum class Body : std::uint8_t { complete, refused, lost };

    asio::awaitable<bool> open();
    asio::awaitable<bool> await_request();
    asio::awaitable<Fed> next_step();
    asio::awaitable<bool> serve_one();
    asio::awaitable<bool> route_request(Method method, Target target);
    asio::awaitable<bool> serve_routed(Request request, const Route& route);
    asio::awaitable<Body> take_whole(std::string& body, std::uint64_t max);
    asio::awaitable<Body> take_upload(Request request, const Route& route, std::uint64_t max);
    asio::awaitable<std::optional<BodyFault>> pour(BodySink& sink, std::uint64_t max);
    asio::awaitable<bool> permission();
    asio::awaitable<void> invite_body();

    asio::awaitable<void> await_answer();
    asio::awaitable<bool> send_answer(bool body_complete);
    asio::awaitable<bool> send_whole(const Response& response, bool keep);
    asio::awaitable<bool> send_pulled(const Response& head, const BodySource& source, bool keep);
    asio::awaitable<bool> send_streamed(const Response& head, bool keep);
    asio::awaitable<void> flow(bool chunked, bool event_stream);
    asio::awaitable<void> end_watch();
    static asio::awaitable<void> watch_peer(std::shared_ptr<Session> self);
    asio::awaitable<bool> send(const std::string& bytes);
    asio::awaitable<bool> refuse(Problem problem, std::string allow = std::string());
    asio::awaitable<bool> sleep(ms at_most);
    asio::awaitable<void> drain();
    asio::awaitable<void> close();

    void arm(ms after);
    void disarm();
    void watch(std::uint64_t number);
    void begin_request();
    void read_request_id();
    std::shared_ptr<Exchange> make_exchange();
    void report_access() const;
    void report_bug(std::string_view what) const;
    void guarded(const std::function<void()>& call);

    const std::shared_ptr<Core> core_;
    Worker& worker_;
    const std::unique_ptr<Transport> transport_;
    const std::shared_ptr<const Router> router_;
    const std::string listener_;
    std::string peer_address_;
    std::optional<std::string> client_certificate_pem_;
    RequestReader reader_;
    asio::steady_timer wake_;
    asio::steady_timer watchdog_;
    std::uint64_t armed_ = 0;  // number of the watch that stands; others have no say
    bool timed_out_ = false;
    bool stopping_ = false;
    bool idle_ = false;
    bool watching_ = false;
    bool head_request_ = false;
    bool body_read_ = false;  // to its end
    std::shared_ptr<Exchange> exchange_;
    Access access_;
    std::chrono::steady_clock::time_point began_{};
    std::array<char, 16 * 1024> room_{};
};

}  // namespace pf::server::http
