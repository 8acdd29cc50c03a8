#pragma once
// Events up: the journal is the outbox, the server's acknowledgement the only receipt (invariant
// 2). docs/protocol/sync-v1.md, section 8.
#include <deque>

#include "firmware/sync/context.hpp"

namespace pf::firmware::sync {

class Outbox {
public:
    explicit Outbox(Context& context) : context_{context} {}

    void on_link_up();
    void on_link_down();
    void on_ack(const wire::Ack& ack, Reading now);
    void tick(Reading now);
    std::optional<SteadyTime> wake_at() const { return patience_.until(); }
    std::uint64_t unconfirmed() const;
    /// A command asks for everything after `seq` of the present epoch once more. False: no such
    /// event.
    bool resend_from(std::uint64_t seq);

private:
    /// The oldest epoch with something unconfirmed, and up to where it is confirmed.
    struct Work {
        Epoch epoch;
        pf::journal::Cursor end;
        std::uint64_t confirmed_seq = 0;
        pf::journal::Cursor begin;  // where the file begins
    };
    std::optional<Work> next_work() const;
    std::uint64_t confirmed_seq(Epoch epoch) const;
    bool send_batch(const Work& work);
    void send_begins(const Work& work, Reading now);
    bool is_gone(const pf::journal::Cursor& cursor) const;
    void start_again();
    void diverged(Reading now);

    Context& context_;
    Epoch sending_;                                  // epoch the two numbers below are about
    std::uint64_t sent_seq_ = 0;                     // handed to the link up to here
    std::deque<std::uint64_t> in_flight_;            // last seq of each batch without an answer
    bool went_back_ = false;                         // for a gap, in this wait
    std::optional<pf::journal::Cursor> begin_told_;  // the finding about it is written
    Patience patience_{Engine::ack_wait_ms};
};

}  // namespace pf::firmware::sync
