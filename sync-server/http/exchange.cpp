#include "sync-server/http/exchange.hpp"

#include <utility>

namespace pf::server::http {

Exchange::Exchange(std::string request_id, std::size_t queue_bytes_max, std::function<void()> wake)
    : request_id_(std::move(request_id)),
      queue_bytes_max_(queue_bytes_max),
      wake_(std::move(wake)) {}

bool Exchange::answer(Answer answer) {
    {
        const std::lock_guard lock{mutex_};
        if (answered_) return false;
        answered_ = true;
        answer_ = std::move(answer);
    }
    wake_();
    return true;
}

bool Exchange::respond(Response response) { return answer({Kind::whole, std::move(response), {}}); }

StreamWriter Exchange::stream(Response head) {
    if (!answer({Kind::streamed, std::move(head), {}})) return {};
    return StreamWriter{shared_from_this()};
}

bool Exchange::pull(Response head, BodySource source) {
    return answer({Kind::pulled, std::move(head), std::move(source)});
}

void Exchange::dropped() { refuse({.status = 500, .code = "no_answer"}); }

bool Exchange::refuse(Problem problem) {
    problem.instance = "urn:paifang:request:" + request_id_;
    return respond(to_response(problem));
}

bool Exchange::write(std::string bytes) {
    bool fits = true;
    {
        const std::lock_guard lock{mutex_};
        if (gone_ || cut_ || ended_) return false;
        fits = bytes.size() <= queue_bytes_max_ - queue_.size();
        if (fits)
            queue_ += bytes;
        else
            cut_ = true;  // a peer this slow comes again and resumes; it must not hold our memory
    }
    wake_();
    return fits;
}

void Exchange::end() {
    {
        const std::lock_guard lock{mutex_};
        ended_ = true;
    }
    wake_();
}

void Exchange::abort() {
    {
        const std::lock_guard lock{mutex_};
        if (ended_) return;
        cut_ = true;
    }
    wake_();
}

bool Exchange::gone() const {
    const std::lock_guard lock{mutex_};
    return gone_ || cut_ || ended_;
}

void Exchange::allow_more() {
    {
        const std::lock_guard lock{mutex_};
        more_ = true;
    }
    wake_();
}

bool Exchange::answered() const {
    const std::lock_guard lock{mutex_};
    return answered_;
}

std::optional<Exchange::Answer> Exchange::take_answer() {
    const std::lock_guard lock{mutex_};
    return std::exchange(answer_, std::nullopt);
}

bool Exchange::take_permission() {
    const std::lock_guard lock{mutex_};
    return std::exchange(more_, false);
}

Exchange::Flow Exchange::take_flow() {
    const std::lock_guard lock{mutex_};
    return {std::exchange(queue_, {}), ended_, cut_};
}

void Exchange::set_gone() {
    std::optional<Answer> unused;  // its source may own responders: destroyed outside the lock
    const std::lock_guard lock{mutex_};
    answered_ = true;
    gone_ = true;
    unused.swap(answer_);
    queue_.clear();
}

}  // namespace pf::server::http
