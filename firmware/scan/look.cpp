#include "firmware/scan/look.hpp"

#include <algorithm>
#include <cassert>
#include <iterator>
#include <utility>

namespace pf::firmware::scan {

LookQueue::LookQueue(std::function<void()> wake, std::size_t looks_max)
    : wake_(std::move(wake)), looks_max_(looks_max) {
    assert(looks_max >= 1);
}

void LookQueue::push(Look look) {
    bool first = false;
    {
        const std::scoped_lock lock{mutex_};
        first = looks_.empty();
        if (looks_.size() >= looks_max_) {
            const auto frame = std::ranges::find_if(looks_, &Look::will_repeat);
            if (frame != looks_.end()) {
                ++dropped_.frames;
                looks_.erase(frame);
            } else if (look.will_repeat) {
                ++dropped_.frames;
                return;
            } else {
                dropped_.codes += looks_.front().codes.size();
                looks_.pop_front();
            }
        }
        looks_.push_back(std::move(look));
    }
    if (first) wake_();
}

std::vector<Look> LookQueue::take() {
    const std::scoped_lock lock{mutex_};
    std::vector<Look> taken{std::make_move_iterator(looks_.begin()),
                            std::make_move_iterator(looks_.end())};
    looks_.clear();
    return taken;
}

LookQueue::Dropped LookQueue::dropped() const {
    const std::scoped_lock lock{mutex_};
    return dropped_;
}

void LaneScanner::see(Look look) {
    std::vector<BytesView> seen;
    seen.reserve(look.codes.size());
    for (const ports::ScannedCode& code : look.codes) seen.emplace_back(code.bytes);
    bool answered = false;
    for (const std::size_t index : sightings_.fresh(look.at, seen)) {
        // Asked at once the others would find the lane busy and take the "welcome" off the screen.
        if (answered)
            sightings_.put_off(look.at, look.codes[index].bytes);
        else if (handler_)
            answered = handler_(std::move(look.codes[index]));
    }
}

}  // namespace pf::firmware::scan
