#pragma once
// Virtual time: what is due when. Equal times keep the order they were asked for.
#include <cstdint>
#include <functional>
#include <map>
#include <utility>

#include "common/base/time.hpp"

namespace pf::simulation {

class Agenda {
public:
    SteadyTime now() const noexcept { return now_; }
    void at(SteadyTime when, std::function<void()> what) {
        due_.emplace(std::pair{std::max(when, now_), ++orders_}, std::move(what));
    }
    void in(Millis wait, std::function<void()> what) { at(now_ + wait, std::move(what)); }
    /// Runs what is due next, unless that is after `until`: then the time is `until` and nothing
    /// ran.
    bool run_next(SteadyTime until) {
        if (due_.empty() || due_.begin()->first.first > until) {
            now_ = std::max(now_, until);
            return false;
        }
        auto node = due_.extract(due_.begin());
        now_ = node.key().first;
        node.mapped()();
        return true;
    }

private:
    SteadyTime now_{};
    std::uint64_t orders_ = 0;
    std::map<std::pair<SteadyTime, std::uint64_t>, std::function<void()>> due_;
};

}  // namespace pf::simulation
