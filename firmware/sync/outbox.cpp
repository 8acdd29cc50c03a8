#include "firmware/sync/outbox.hpp"

#include <algorithm>

namespace pf::firmware::sync {

/// The next tick() sends on from what is confirmed.
void Outbox::start_again() {
    sent_seq_ = 0;
    in_flight_.clear();
    went_back_ = false;
}

void Outbox::on_link_up() {
    // What was in flight when the link broke may be lost: start again after the last confirmed
    // event.
    start_again();
    patience_.answered();
}

void Outbox::on_link_down() {
    in_flight_.clear();
    patience_.stop();
}

bool Outbox::resend_from(std::uint64_t seq) {
    const Epoch epoch = context_.journal.end().epoch;
    // What was pruned is confirmed and gone: "all" means all that is kept.
    for (const journal::EpochState& state : context_.journal.epochs())
        if (state.epoch == epoch) seq = std::max(seq, state.begin.seq);
    const auto head = context_.journal.head_at(epoch, seq);
    if (!head) return false;
    // What is to be sent again counts as unconfirmed until it is confirmed again. Never the other
    // way: beyond what the server confirmed, or in a generation in which it confirmed nothing, the
    // command would give up what it wants sent (invariant 2).
    if (seq < confirmed_seq(epoch))
        (void)context_.stored(context_.cache.set_confirmed(context_.cache.confirmed_generation(),
                                                           {epoch, seq, *head}));
    start_again();
    return true;
}

std::uint64_t Outbox::confirmed_seq(Epoch epoch) const {
    for (const pf::journal::Cursor& cursor : context_.cache.confirmed()) {
        if (cursor.epoch != epoch) continue;
        // A confirmation of another history (cache and journal were not restored together) counts
        // for nothing.
        if (context_.journal.head_at(epoch, cursor.seq) == cursor.head) return cursor.seq;
    }
    return 0;
}

std::optional<Outbox::Work> Outbox::next_work() const {
    for (const journal::EpochState& state : context_.journal.epochs()) {
        const std::uint64_t confirmed = confirmed_seq(state.epoch);
        if (confirmed < state.end.seq) return Work{state.epoch, state.end, confirmed, state.begin};
    }
    return std::nullopt;
}

std::uint64_t Outbox::unconfirmed() const {
    std::uint64_t count = 0;
    for (const journal::EpochState& state : context_.journal.epochs())
        count += state.end.seq - std::min(state.end.seq, confirmed_seq(state.epoch));
    return count;
}

void Outbox::tick(Reading now) {
    if (!context_.link_up) return;
    if (patience_.over(now.steady)) start_again();
    const auto work = next_work();
    if (!work) return;
    if (work->epoch != sending_) {
        sending_ = work->epoch;
        start_again();
    }
    sent_seq_ = std::max(sent_seq_, work->confirmed_seq);
    if (sent_seq_ < work->begin.seq) return send_begins(*work, now);
    while (in_flight_.size() < wire::batches_in_flight_max && sent_seq_ < work->end.seq) {
        if (!send_batch(*work)) break;
    }
    if (!patience_.waiting() && sent_seq_ > work->confirmed_seq) patience_.start(now.steady);
    if (!patience_.waiting() && sent_seq_ < work->end.seq)
        patience_.start(now.steady);  // the link is full
}

/// The server was restored further back than this file reaches. What lies between is gone on both
/// sides, and asking for it again brings nothing: the server is told where the file begins.
void Outbox::send_begins(const Work& work, Reading now) {
    if (patience_.waiting()) return;
    if (begin_told_ != work.begin) {
        begin_told_ = work.begin;
        context_.finding("server_forgot_more",
                         "the server asks for events after " + std::to_string(work.confirmed_seq) +
                             "; the oldest kept is " + std::to_string(work.begin.seq + 1),
                         now);
    }
    (void)context_.send(wire::Up::begins, wire::encode(wire::Begins{work.begin}));
    patience_.start(now.steady);
}

/// Does this file no longer reach back to there?
bool Outbox::is_gone(const pf::journal::Cursor& cursor) const {
    for (const journal::EpochState& state : context_.journal.epochs())
        if (state.epoch == cursor.epoch)
            return cursor.seq < state.begin.seq &&
                   !context_.journal.head_at(cursor.epoch, cursor.seq);
    return false;
}

bool Outbox::send_batch(const Work& work) {
    const auto head_before = context_.journal.head_at(work.epoch, sent_seq_);
    auto stored = context_.journal.after(work.epoch, sent_seq_, wire::batch_events_max,
                                         wire::batch_bytes_max);
    if (!head_before || stored.empty()) return false;

    wire::Batch batch{.device = context_.identity.device,
                      .epoch = work.epoch,
                      .first_seq = stored.front().seq,
                      .head_before = *head_before,
                      .events = {},
                      .signature = {}};
    for (journal::Stored& event : stored) batch.events.push_back(std::move(event.event));
    const pf::journal::Cursor cursor = wire::cursor_after(batch);
    batch.signature = context_.identity.key.sign(pf::journal::head_to_sign(batch.device, cursor));
    if (!context_.send(wire::Up::events, wire::encode(batch))) return false;
    sent_seq_ = cursor.seq;
    in_flight_.push_back(sent_seq_);
    return true;
}

void Outbox::on_ack(const wire::Ack& ack, Reading now) {
    if (ack.generation < context_.generation) return;  // of a life the server no longer leads
    if (ack.generation > context_.cache.confirmed_generation()) {
        // The server was restored: what it confirmed before, it may have forgotten. At the first
        // contact of all there is nothing to forget, and what is out stays out.
        const bool restored = context_.cache.confirmed_generation() != Generation{};
        if (!context_.stored(context_.cache.forget_confirmed(ack.generation))) return;
        if (restored) start_again();
    }
    const auto own_head = context_.journal.head_at(ack.upto.epoch, ack.upto.seq);
    const bool present = ack.upto.epoch == context_.journal.end().epoch;
    if (own_head != ack.upto.head) {
        if (is_gone(ack.upto)) return tick(now);
        // The server holds another history of this epoch than our file: the file is an old copy.
        if (present) diverged(now);
        return;
    }
    context_.host.verdicts(ack);
    const bool forward = ack.upto.seq > confirmed_seq(ack.upto.epoch);
    if (forward) {
        if (!context_.stored(context_.cache.set_confirmed(ack.generation, ack.upto))) return;
        patience_.answered();
        went_back_ = false;
        // One ack may answer for several batches: the answers to those before it were lost.
        while (ack.upto.epoch == sending_ && !in_flight_.empty() &&
               in_flight_.front() <= ack.upto.seq)
            in_flight_.pop_front();
    }
    // An ack that does not go forward while later batches are out says that something before them
    // is missing. Every batch behind the gap is answered so; going back for the first is enough.
    if (ack.upto.epoch == sending_ && !forward && ack.upto.seq < sent_seq_ && !went_back_) {
        start_again();
        went_back_ = true;
        patience_.start(now.steady);
    }
    tick(now);
}

void Outbox::diverged(Reading now) {
    // What the lost part of the file admitted only the server can tell: the log of uses is read
    // again from its beginning. Before the epoch, so that a power cut can't come between.
    if (!context_.stored(
            context_.cache.apply_uses({}, {context_.cache.uses_position().generation, 0})))
        return;
    if (!context_.stored(context_.journal.open_epoch(pf::journal::EpochOpened::Why::rolled_back,
                                                     context_.host.stamp(now), context_.entropy)))
        return;
    context_.finding("journal_rolled_back",
                     "the server knows more of this journal than its file does", now);
    start_again();
    tick(now);
}

}  // namespace pf::firmware::sync
