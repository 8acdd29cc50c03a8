#include "common/mqtt/paho_worker.hpp"

#include <cassert>
#include <chrono>
#include <cstdlib>
#include <utility>

#include "common/mqtt/memory_file.hpp"

namespace pf::mqtt {

namespace {

/// A connection that lived this long was a good one: the next failure starts with a short wait.
constexpr std::chrono::seconds held_s_min{5};

}  // namespace

struct Worker::Files {
    explicit Files(const Tls& tls)
        : authority{tls.authority_pem}, certificate{tls.certificate_pem}, key{tls.key_pem} {}
    MemoryFile authority, certificate, key;
};

Worker::Worker(Options options, Deliver deliver, std::shared_ptr<Entropy> entropy)
    : options_{std::move(options)}, deliver_{std::move(deliver)}, entropy_{std::move(entropy)} {
    if (options_.tls) {
        files_ = std::make_unique<Files>(*options_.tls);
        tls_ = TlsPaths{.authority = files_->authority.path(),
                        .certificate = files_->certificate.path(),
                        .key = files_->key.path()};
    }
    thread_ = std::thread{[this] { run(); }};
}

Worker::~Worker() {
    {
        const std::scoped_lock lock{mutex_};
        quit_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

void Worker::open(std::uint64_t session) {
    assert(session != 0);
    {
        const std::scoped_lock lock{mutex_};
        session_ = session;
    }
    changed_.notify_all();
}

void Worker::close() {
    {
        const std::scoped_lock lock{mutex_};
        session_ = 0;
    }
    changed_.notify_all();
}

void Worker::answer_will(std::uint64_t session, std::optional<Will> will) {
    {
        const std::scoped_lock lock{mutex_};
        if (closed(session)) return;
        will_answered_ = true;
        will_ = std::move(will);
    }
    changed_.notify_all();
}

void Worker::inbound_taken() {
    const std::scoped_lock lock{mutex_};
    assert(inbound_waiting_ > 0);
    --inbound_waiting_;
}

std::uint64_t Worker::take_dropped() {
    const std::scoped_lock lock{mutex_};
    return std::exchange(dropped_, 0);
}

void Worker::run() {
    std::unique_lock lock{mutex_};
    while (!quit_) {
        changed_.wait(lock, [this] { return quit_ || session_ != 0; });
        if (quit_) return;
        const std::uint64_t session = session_;
        lock.unlock();
        serve(session);
        lock.lock();
    }
}

void Worker::serve(std::uint64_t session) {
    const Protocol preferred =
        options_.version == Version::only_3_1_1 ? Protocol::v3_1_1 : Protocol::v5;
    Protocol protocol = preferred;
    Backoff backoff{options_.reconnect_ms_min, options_.reconnect_ms_max};
    for (;;) {
        const Attempt result = attempt(session, protocol);
        std::unique_lock lock{mutex_};
        if (closed(session)) return;
        if (result.held) backoff.reset();
        const bool fall_back = result.version_refused && protocol == Protocol::v5 &&
                               options_.version == Version::prefer_5;
        // Falling back holds for one attempt: a broker that was replaced is asked for 5 again.
        protocol = fall_back ? Protocol::v3_1_1 : preferred;
        if (fall_back) continue;
        const auto wait = std::chrono::milliseconds{backoff.next_ms(*entropy_)};
        changed_.wait_for(lock, wait, [&] { return closed(session); });
        if (closed(session)) return;
    }
}

Worker::Attempt Worker::attempt(std::uint64_t session, Protocol protocol) {
    Attempt result;
    const auto client = PahoClient::create(options_, protocol, *this);
    {
        std::unique_lock lock{mutex_};
        attempt_session_ = session;
        connected_ = subscribed_ = Answer::none;
        connect_fault_.reset();
        version_refused_ = lost_ = will_answered_ = told_up_ = false;
        if (client == nullptr) {
            result.fault = Fault::unreachable;
        } else {
            result.fault = connect(*client, session, lock);
        }
        if (closed(session)) result.fault.reset();
        result.version_refused = version_refused_;
        const bool will_fall_back =
            version_refused_ && protocol == Protocol::v5 && options_.version == Version::prefer_5;
        if (!closed(session) && !result.fault) {
            tell_up(session, client);
            const auto held = [&] { return closed(session) || lost_; };
            result.held = !changed_.wait_for(lock, held_s_min, held);
            changed_.wait(lock, held);
            if (lost_ && !closed(session)) deliver_(session, Down{Fault::lost});
        } else if (result.fault && !will_fall_back) {
            deliver_(session, Down{*result.fault});
        }
        inbound_waiting_ -= early_.size();
        early_.clear();
        attempt_session_ = 0;  // what destroy() still reports about publishes is known already
    }
    if (client != nullptr) client->destroy();
    return result;
}

void Worker::tell_up(std::uint64_t session, std::shared_ptr<PahoClient> client) {
    deliver_(session, Up{std::move(client)});
    told_up_ = true;
    for (Message& message : early_) deliver_(session, Arrived{std::move(message)});
    early_.clear();
}

/// Nothing when the connection stands and every subscription is granted, or the owner closed.
std::optional<Fault> Worker::connect(PahoClient& client, std::uint64_t session,
                                     std::unique_lock<std::mutex>& lock) {
    deliver_(session, Asked{});
    changed_.wait(lock, [&] { return closed(session) || will_answered_; });
    if (closed(session)) return std::nullopt;
    const std::optional<Will> will = will_;

    lock.unlock();
    const bool begun = client.connect(tls_, will);
    lock.lock();
    if (!begun) return Fault::unreachable;
    const std::chrono::seconds answer_max{options_.answer_s_max};
    changed_.wait_for(lock, answer_max,
                      [&] { return closed(session) || connected_ != Answer::none; });
    if (closed(session)) return std::nullopt;
    if (connected_ == Answer::no) return connect_fault_;
    if (connected_ == Answer::none) return Fault::unreachable;
    if (options_.subscriptions.empty()) return std::nullopt;

    lock.unlock();
    const bool asked = client.subscribe(options_.subscriptions);
    lock.lock();
    if (!asked) return Fault::lost;
    changed_.wait_for(lock, answer_max,
                      [&] { return closed(session) || lost_ || subscribed_ != Answer::none; });
    if (closed(session)) return std::nullopt;
    if (lost_) return Fault::lost;
    switch (subscribed_) {
        case Answer::none:
            return Fault::unreachable;
        case Answer::yes:
            return std::nullopt;
        case Answer::no:
            return Fault::subscription_refused;
    }
    std::abort();
}

void Worker::connect_done(std::optional<Fault> fault, bool version_refused) {
    {
        const std::scoped_lock lock{mutex_};
        connected_ = fault ? Answer::no : Answer::yes;
        connect_fault_ = fault;
        version_refused_ = version_refused;
    }
    changed_.notify_all();
}

void Worker::subscribe_done(bool granted) {
    {
        const std::scoped_lock lock{mutex_};
        subscribed_ = granted ? Answer::yes : Answer::no;
    }
    changed_.notify_all();
}

void Worker::connection_lost() {
    {
        const std::scoped_lock lock{mutex_};
        lost_ = true;
    }
    changed_.notify_all();
}

void Worker::message_arrived(std::string_view topic, BytesView payload) {
    const std::scoped_lock lock{mutex_};
    if (attempt_session_ == 0) return;
    if (inbound_waiting_ >= options_.limits.inbound_max ||
        payload.size() > options_.limits.payload_bytes_max) {
        // One report stands for all that are dropped until it is read, so reports stay few too.
        if (++dropped_ == 1) deliver_(attempt_session_, Dropped{});
        return;
    }
    ++inbound_waiting_;
    Message message{std::string{topic}, Bytes{payload.begin(), payload.end()}};
    // A message may overtake our own knowledge of being up; the owner hears on_up first.
    if (!told_up_) {
        early_.push_back(std::move(message));
        return;
    }
    deliver_(attempt_session_, Arrived{std::move(message)});
}

void Worker::publish_done(PublishId id, std::optional<Fault> fault) {
    const std::scoped_lock lock{mutex_};
    if (attempt_session_ == 0) return;
    deliver_(attempt_session_, Sent{id, fault});
}

}  // namespace pf::mqtt
