// One batch: whose it is, where it belongs, what of it is new, what to answer.
#include <fmt/format.h>

#include "sync-server/checkins/checkins.hpp"
#include "sync-server/findings/findings.hpp"
#include "sync-server/ingest/acknowledge.hpp"
#include "sync-server/ingest/histories.hpp"

namespace pf::server::ingest {
namespace {

using findings::Kind;
using pf::journal::Cursor;
using pf::journal::Event;
using wire::Batch;
using Verdict = wire::Ack::EventVerdict;

/// Whether one of the keys the device ever had signed the head this batch ends in.
bool signed_by_its_device(Repositories& r, const Batch& batch) {
    const Bytes message = pf::journal::head_to_sign(batch.device, wire::cursor_after(batch));
    for (const crypto::PublicKey& key : fleet::keys_of(r, batch.device))
        if (key.verify(message, batch.signature)) return true;
    return false;
}

void raise(Repositories& r, const Call& call, Kind kind, const fleet::Device& about, Epoch epoch,
           std::uint64_t seq, std::string detail) {
    findings::raise(r, call,
                    {.kind = kind,
                     .at = {},
                     .site = about.site,
                     .device = about.id,
                     .ticket = std::nullopt,
                     .epoch = epoch,
                     .seq = seq,
                     .detail = std::move(detail)});
}

/// A sound batch of a known device on its way into the books.
class Booking {
public:
    Booking(Repositories& r, const Call& call, const fleet::Device& author, const Batch& batch)
        : r_{r},
          call_{call},
          author_{author},
          batch_{batch},
          histories_{r, batch.device, batch.epoch, batch.first_seq,
                     batch.first_seq - 1 + batch.events.size()} {}

    /// Where this batch builds on what we have; false: nowhere.
    bool find_root() {
        const std::uint64_t before = batch_.first_seq - 1;
        at_ = {batch_.epoch, before, batch_.head_before};
        if (const auto found = histories_.with(before, batch_.head_before)) {
            history_ = *found;
            return true;
        }
        if (before != 0 || histories_.main_end().seq != 0 ||
            batch_.head_before != histories_.main_end().head)
            return false;
        history_ = histories_.begin();
        return true;
    }

    /// What of the batch is kept when this returns is acknowledged; stopped(): not all of it.
    wire::Ack book() {
        wire::Ack ack{.generation = {}, .upto = {}, .verdicts = {}};
        bool grew = false;
        for (const Bytes& bytes : batch_.events) {
            const Kept event{at_.seq + 1, pf::journal::next_head(at_.head, bytes), std::nullopt};
            const Kept* known = follow(event);
            if (stopped_) break;
            const bool gone = known != nullptr && stands_in(*known, bytes);
            const auto verdict =
                known != nullptr && !gone ? known->verdict : store(event, bytes, gone);
            grew = grew || known == nullptr;
            if (verdict) ack.verdicts.emplace_back(event.seq, *verdict);
            at_.seq = event.seq;
            at_.head = event.head;
        }
        if (grew) r_.ingest.put_chain(histories_.chain(history_));
        ack.upto = at_;  // under the epoch the device knows, also on a branch
        return ack;
    }

    /// Why the rest of the batch has no place; empty: all of it has.
    std::string_view stopped() const { return stopped_ ? *stopped_ : std::string_view{}; }

    Cursor main_end() const { return histories_.main_end(); }
    bool on_branch() const { return history_ != 0; }
    std::size_t stored() const { return stored_; }

private:
    /// Finds the event among what is stored and stays on the history that has it; nothing: it is
    /// new, at the end of the history we are on or in a hole of it, or it has no place (stopped_).
    const Kept* follow(const Kept& event) {
        const Kept* known = histories_.at(history_, event.seq);
        if (known == nullptr && !histories_.takes(history_, event.seq))
            stopped_ = "continues a history that is not here";
        if (known == nullptr || known->head == event.head) return known;
        if (const auto other = histories_.with(event.seq, event.head)) {
            history_ = *other;
            return histories_.at(history_, event.seq);
        }
        const auto branch = histories_.fork(history_, at_, event.head);
        if (!branch) {
            stopped_ = "a branch whose name another history has";
            return nullptr;
        }
        history_ = *branch;
        raise(r_, call_, Kind::fork, author_, histories_.chain(history_).end.epoch, event.seq,
              fmt::format("epoch {} has two histories from event {} on",
                          to_hex(to_be8(batch_.epoch.value)), event.seq));
        return nullptr;
    }

    /// Whether the log has a stand-in in this event's place: said by begins, never written.
    bool stands_in(const Kept& known, const Bytes& bytes) {
        if (known.verdict != Verdict::quarantined) return false;
        const Epoch name = histories_.epoch_of(history_, known.seq);
        const auto body = r_.ingest.body(author_.id, name, known.seq);
        return body && *body != bytes;
    }

    std::optional<Verdict> store(Kept event, const Bytes& bytes, bool instead) {
        event.verdict = judge(event.seq, bytes);
        ++stored_;
        const StoredEvent stored{.device = author_.id,
                                 .epoch = epoch(),
                                 .seq = event.seq,
                                 .event = bytes,
                                 .received_at = call_.now,
                                 .verdict = event.verdict};
        histories_.extend(history_, event);
        if (instead)
            r_.ingest.replace(stored);
        else
            r_.ingest.add(stored, event.head);
        return event.verdict;
    }

    std::optional<Verdict> judge(std::uint64_t seq, const Bytes& bytes) {
        const auto event = pf::journal::decode(bytes);
        if (event.has_error())
            return quarantined(seq, std::string{pf::journal::to_text(event.error())});
        // The place in the signed chain is what counts; an event that says another is not believed.
        if (event->seq != seq)
            return quarantined(seq, fmt::format("says it is event {}", event->seq));
        if (const auto* found = std::get_if<pf::journal::Finding>(&event->body))
            raise(r_, call_, Kind::reported, author_, epoch(), seq,
                  found->code + ": " + found->detail);
        if (const auto* applied = std::get_if<pf::journal::ListApplied>(&event->body))
            fleet::on_list_applied(r_, author_, epoch(), *applied);
        std::optional<Verdict> verdict;
        if (clock_wrong(*event)) verdict = Verdict::clock_wrong;
        const auto booked =
            checkins::book(r_, call_, author_, epoch(), *event, grant_epoch(*event));
        return booked ? booked : verdict;
    }

    std::optional<Verdict> quarantined(std::uint64_t seq, std::string why) {
        raise(r_, call_, Kind::quarantined, author_, epoch(), seq, std::move(why));
        return Verdict::quarantined;
    }

    bool clock_wrong(const Event& event) {
        const bool trusted = event.clock == pf::journal::ClockQuality::confirmed ||
                             event.clock == pf::journal::ClockQuality::unconfirmed;
        if (!trusted || event.wall <= call_.now + clock_ahead_max_ms) return false;
        // One finding a batch: a gate with a wrong clock writes nothing but such events.
        if (!clock_raised_)
            raise(r_, call_, Kind::clock_wrong, author_, epoch(), event.seq,
                  fmt::format("an event says {}, it arrived at {}", to_rfc3339(event.wall),
                              to_rfc3339(call_.now)));
        clock_raised_ = true;
        return true;
    }

    /// Outcomes on a branch may end grants from before the fork, booked under another name.
    std::optional<Epoch> grant_epoch(const Event& event) const {
        const auto* outcome = std::get_if<pf::journal::Outcome>(&event.body);
        if (outcome == nullptr) return std::nullopt;
        return histories_.epoch_of(history_, outcome->grant_seq);
    }

    Epoch epoch() const { return histories_.chain(history_).end.epoch; }

    Repositories& r_;
    const Call& call_;
    const fleet::Device& author_;
    const Batch& batch_;
    Histories histories_;
    std::size_t history_ = 0;
    Cursor at_;  // after the event looked at last
    bool clock_raised_ = false;
    std::optional<std::string_view> stopped_;
    std::size_t stored_ = 0;  // events that were not here before
};

/// Kept aside whole, because nothing in it may be booked. Not acknowledged: whoever sent it can't
/// speak for the device.
Effects refuse(Repositories& r, const Call& call, const fleet::Device& sender, const Batch& batch,
               Kind kind, std::string_view why) {
    const auto number = quarantine(r, call, sender.id.text(), wire::encode(batch), why);
    if (!number) {
        // One finding a sender and kind, or whoever filled the quarantine goes on with findings.
        raise(r, call, kind, sender, Epoch{}, 0,
              fmt::format("{}: not kept, the quarantine of this device is full", why));
        return {};
    }
    fleet::Device about = sender;
    about.id = batch.device;
    raise(r, call, kind, about, batch.epoch, batch.first_seq,
          fmt::format("{}, brought by {}, kept as {}", why, sender.id.text(), *number));
    return {};
}

}  // namespace

Booked book_batch(Repositories& r, const Call& call, const fleet::Device& sender,
                  const Batch& batch) {
    using fleet::DeviceState;
    const auto refused = [&](Kind kind, std::string_view why) {
        return Booked{refuse(r, call, sender, batch, kind, why), 0};
    };
    if (sender.state != DeviceState::active)
        return refused(Kind::revoked_device, "a revoked device sent events");
    const auto author = fleet::device(r, batch.device);
    if (!author || author->state == DeviceState::invited || author->site != sender.site)
        return refused(Kind::quarantined, "events of a device this site does not have");
    if (author->state == DeviceState::revoked)
        return refused(Kind::revoked_device, "events of a revoked device");
    if (!signed_by_its_device(r, batch)) return refused(Kind::forged, "not signed by its device");
    if (names_branch(r, batch.device, batch.epoch))
        return refused(Kind::fork, "names a branch as if it were an epoch");

    Booking booking{r, call, *author, batch};
    if (!booking.find_root()) {
        // Either something before it is still on its way, or it belongs to a history whose
        // beginning we do not have. Nothing is stored from behind a hole, or the ack would promise
        // what is missing; the device is told where we stand and sends from there.
        const Cursor end = booking.main_end();
        if (batch.first_seq <= end.seq + 1)
            refuse(r, call, sender, batch, Kind::fork, "continues a history that is not here");
        return {acknowledge(r, sender, {.generation = {}, .upto = end, .verdicts = {}}), 0};
    }
    const std::uint64_t position_before = checkins::position(r, author->site);
    Effects effects = acknowledge(r, sender, booking.book());
    if (!booking.stopped().empty())
        effects.add(refuse(r, call, sender, batch, Kind::fork, booking.stopped()));
    const bool own = author->id == sender.id;
    // A device whose birth was lost learns only here that its file is an old copy: the end of the
    // first history is against its own, so it begins an epoch instead of going on under a name that
    // two histories have.
    if (own && booking.on_branch())
        effects.add(
            acknowledge(r, sender, {.generation = {}, .upto = booking.main_end(), .verdicts = {}}));
    effects.add(checkins::spread(r, call, author->site, position_before,
                                 own ? std::optional{sender.id} : std::nullopt));
    return {std::move(effects), booking.stored()};
}

Effects on_batch(Repositories& r, const Call& call, const fleet::Keys&, const fleet::Device& sender,
                 const Batch& batch) {
    return book_batch(r, call, sender, batch).effects;
}

}  // namespace pf::server::ingest
