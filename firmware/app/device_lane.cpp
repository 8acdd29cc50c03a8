// The arm and what is written about it: every outcome once, in the epoch of its opening.
#include <fmt/format.h>

#include "firmware/app/device.hpp"

namespace pf::firmware::app {

using pf::journal::LaneAlarm;
using pf::journal::LetIn;
using pf::journal::Opened;
using pf::journal::Outcome;

void Device::on_barrier(ports::BarrierEvent event) {
    run_lane(event);
    engine_->tick(read_clocks());
}

void Device::run_lane(const lane::Event& event) {
    lane::Settings settings;
    if (standing_.configuration) {
        settings.pulse = Millis{standing_.configuration->lane.pulse_ms};
        settings.passage_wait = Millis{standing_.configuration->lane.passage_wait_ms};
    }
    settings.senses_passage = ports_.barrier != nullptr && ports_.barrier->senses_passage();
    const lane::Step next = lane::step(lane_, event, ports_.clock.steady(), settings);
    lane_ = next.state;
    for (const lane::Action& action : next.actions) perform(action);
}

void Device::perform(const lane::Action& action) {
    if (std::holds_alternative<lane::Pulse>(action)) {
        const Millis pulse{standing_.configuration ? standing_.configuration->lane.pulse_ms : 200};
        note(Notice::What::lane, "open");
        if (ports_.barrier) ports_.barrier->pulse(pulse);
    } else if (std::holds_alternative<lane::Lock>(action)) {
        note(Notice::What::lane, "lock");
        if (ports_.barrier) ports_.barrier->lock();
    } else {
        (void)record(std::get<lane::Record>(action).body);
    }
}

journal::Result<void> Device::write(const pf::journal::Body& body) {
    const Reading now{ports_.clock.wall(), ports_.clock.steady()};
    const auto written = journal_->transact(
        stamp(now), [&](const journal::View& view) -> std::optional<pf::journal::Body> {
            const auto* outcome = std::get_if<Outcome>(&body);
            if (outcome == nullptr || outcome->returned == 0) return body;
            // The ticket's other returns of the day decide whether this one happens by itself: a
            // limit that every lane counted alone would be two returns a lane.
            const auto grant = journal_->admitted(outcome->grant_seq);
            if (!grant) return body;
            const auto today =
                verify::automatic_returns_of(grant->ticket, grant->day, *cache_, view);
            return lane::limit_return(*outcome, today);
        });
    if (written.has_value()) return {};
    storage_answered(written.error());
    return written.error();
}

bool Device::record(const pf::journal::Body& body) { return record_in(opening_epoch_, body); }

/// `opened_in`: where the event lies that `body` may name by its number.
bool Device::record_in(Epoch opened_in, pf::journal::Body body) {
    const bool ends_opening =
        std::holds_alternative<Outcome>(body) || std::holds_alternative<LetIn>(body);
    if (opened_in != journal_->end().epoch) {
        // The server proved our file an old copy while somebody was walking through: the opening
        // stays in the epoch that ended, without outcome, and nothing returns by itself. In this
        // epoch its number is another event's.
        if (ends_opening) {
            note(Notice::What::lane, "a passage outlived its epoch; it stays without outcome");
            return true;
        }
        if (auto* alarm = std::get_if<LaneAlarm>(&body)) alarm->grant_seq.reset();
    }
    if (write(body).has_value()) return true;
    // An outcome lost would leave a grant open for ever; other events may go when the disk refuses.
    if (ends_opening && unwritten_.size() < unwritten_max)
        unwritten_.push_back({opened_in, std::move(body)});
    return false;
}

void Device::retry_records() {
    std::deque<Unwritten> waiting;
    waiting.swap(unwritten_);
    for (Unwritten& each : waiting) (void)record_in(each.opened_in, std::move(each.body));
}

/// People without a ticket: no use is counted, but who let how many in is on disk before the arm
/// opens, and their passage is theirs and not a forced one.
sync::CommandResult Device::open_for(const wire::Command& command) {
    if (write(Opened{.command = command.id, .persons = command.persons}).has_error())
        return {wire::CommandState::failed, "the journal could not be written"};
    opening_epoch_ = journal_->end().epoch;
    run_lane(lane::Commanded{journal_->end().seq, command.persons});
    return {wire::CommandState::done, "opened"};
}

}  // namespace pf::firmware::app
