// The arm and what is written about it: every outcome once, in the epoch of its grant.
#include <fmt/format.h>

#include <algorithm>

#include "firmware/app/device.hpp"

namespace pf::firmware::app {

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
            // The ticket's other returns of the day decide whether this one happens by itself.
            const auto grant = journal_->admitted(outcome->grant_seq);
            if (!grant) return body;
            const auto uses = view.uses_of(grant->ticket);
            const auto today = std::ranges::count_if(uses, [&](const journal::OwnUse& use) {
                return use.automatic_return && use.day == grant->day;
            });
            return lane::limit_return(*outcome, static_cast<int>(today));
        });
    if (written.has_value()) return {};
    storage_answered(written.error());
    return written.error();
}

bool Device::record(const pf::journal::Body& body) {
    if (of_an_ended_epoch(body)) {
        // The server proved our file an old copy while somebody was walking through: the grant
        // stays in the epoch that ended, without outcome, and nothing returns by itself.
        note(Notice::What::lane, "a passage outlived its epoch; its grant stays without outcome");
        return true;
    }
    if (write(body).has_value()) return true;
    // An outcome lost would leave a grant open for ever; other events may go when the disk refuses.
    if (std::holds_alternative<Outcome>(body) && unwritten_.size() < unwritten_max)
        unwritten_.push_back(body);
    return false;
}

bool Device::of_an_ended_epoch(const pf::journal::Body& body) const {
    const auto* outcome = std::get_if<Outcome>(&body);
    return outcome != nullptr && granting_epoch_ != journal_->end().epoch;
}

void Device::retry_records() {
    std::deque<pf::journal::Body> waiting;
    waiting.swap(unwritten_);
    for (const pf::journal::Body& body : waiting) (void)record(body);
}

/// People without a ticket: no use is counted, but who let how many in is on disk before the arm
/// opens, and their passage is theirs and not a forced one.
sync::CommandResult Device::open_for(const wire::Command& command) {
    if (write(Opened{.command = command.id, .persons = command.persons}).has_error())
        return {wire::CommandState::failed, "the journal could not be written"};
    run_lane(lane::Commanded{journal_->end().seq, command.persons});
    return {wire::CommandState::done,
            fmt::format("opened for {}: {}", command.issuer, command.text)};
}

}  // namespace pf::firmware::app
