#include "firmware/sync/facts_puller.hpp"

namespace pf::firmware::sync {

void UsesPuller::on_link_up() {
    asked_ = 0;
    patience_.answered();
}

void UsesPuller::on_link_down() {
    asked_ = 0;
    patience_.stop();
}

/// Positions of another generation mean nothing in this one: then the log is read from its
/// beginning.
std::uint64_t UsesPuller::ours() const {
    const auto held = context_.cache.uses_position();
    return held.generation == context_.generation ? held.position : 0;
}

void UsesPuller::on_news(std::uint64_t position, Generation generation, Reading now) {
    if (generation < context_.generation) return;
    theirs_ = position;
    tick(now);
}

void UsesPuller::tick(Reading now) {
    if (!context_.link_up) return;
    if (patience_.over(now.steady)) asked_ = 0;
    if (asked_ != 0 || patience_.waiting() || theirs_ <= ours()) return;
    wire::Want want{.what = wire::Want::What::uses, .generation = context_.generation, .after = {}};
    want.request = context_.next_request();
    want.uses_after = ours();
    patience_.start(now.steady);
    if (context_.send(wire::Up::want, wire::encode(want))) asked_ = want.request;
}

void UsesPuller::on_uses(const wire::Uses& uses, Reading now) {
    if (uses.generation < context_.generation) return;
    const bool answer = uses.request != 0;
    if (answer && uses.request != asked_) return;
    if (answer) {
        asked_ = 0;
        patience_.answered();
    }
    theirs_ = std::max(theirs_, uses.upto);
    // A page or push that begins after where we stand would leave a hole; the hole is asked for
    // instead.
    if (uses.after <= ours() && uses.upto > ours()) {
        if (!context_.stored(
                context_.cache.apply_uses(uses.items, {context_.generation, uses.upto})))
            patience_.start(now.steady);
    } else if (answer && !uses.more) {
        theirs_ = ours();  // the log ends where we are
    }
    tick(now);
}

}  // namespace pf::firmware::sync
