#pragma once
// Inside the room: what every part of the engine shares.
#include <algorithm>
#include <cstdint>

#include "firmware/sync/engine.hpp"

namespace pf::firmware::sync {

/// Waiting that doubles from `first` to Engine::retry_wait_max_ms while answers stay away.
class Patience {
public:
    explicit Patience(Millis first) : first_{first}, wait_{first} {}
    void start(SteadyTime now) { until_ = now + wait_; }
    void stop() { until_.reset(); }
    void answered() {
        wait_ = first_;
        until_.reset();
    }
    /// True once when the wait is over; the next one is longer.
    bool over(SteadyTime now) {
        if (!until_ || now < *until_) return false;
        wait_ = std::min(wait_ * 2, Engine::retry_wait_max_ms);
        until_.reset();
        return true;
    }
    bool waiting() const { return until_.has_value(); }
    std::optional<SteadyTime> until() const { return until_; }

private:
    Millis first_;
    Millis wait_;
    std::optional<SteadyTime> until_;
};

struct Context {
    Identity identity;
    journal::Journal& journal;
    cache::Cache& cache;
    Entropy& entropy;
    Host& host;
    bool link_up = false;
    Generation generation{};  // the newest the server ever showed us
    std::uint64_t last_request = 0;
    std::uint64_t storage_faults = 0;
    Failing failing{};

    bool send(wire::Up kind, Bytes payload) {
        return link_up && host.publish(wire::topic(identity.topic_root, kind), std::move(payload));
    }
    /// Numbers a request so that late answers to earlier ones can be told apart, also after a
    /// restart.
    std::uint64_t next_request() {
        last_request = entropy.next_u64() >> 1;  // 63 bits: zero is reserved for pushed messages
        if (last_request == 0) last_request = 1;
        return last_request;
    }
    /// Something headquarters should see. A full disk must not make it worse, so a failure only
    /// counts.
    void finding(std::string code, std::string detail, Reading now) {
        (void)stored(journal.append(host.stamp(now),
                                    pf::journal::Finding{std::move(code), std::move(detail)}));
    }
    template <class Result>
    bool stored(const Result& result) {
        if (result.has_value()) return true;
        ++storage_faults;
        failed(result.error());
        return false;
    }
    void failed(journal::Fault fault) {
        if (fault != journal::Fault::disk_full) failing.journal = fault;
    }
    void failed(cache::Fault fault) {
        switch (fault) {
            case cache::Fault::io_error:
            case cache::Fault::damaged:
            case cache::Fault::locked:
                failing.cache = fault;
                return;
            case cache::Fault::disk_full:  // passes by itself
            case cache::Fault::digest_mismatch:
            case cache::Fault::wrong_base:  // the server's update, not the file
                return;
        }
    }
};

inline std::optional<SteadyTime> earlier(std::optional<SteadyTime> a, std::optional<SteadyTime> b) {
    if (!a) return b;
    if (!b) return a;
    return std::min(*a, *b);
}

}  // namespace pf::firmware::sync
