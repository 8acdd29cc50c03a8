// The arm: what it opens for is in the file, once a person, and a command once and in time.
#include <fmt/format.h>

#include "tests/simulation/checks.hpp"

namespace pf::simulation {
namespace {

constexpr std::string_view i1 = "invariant 1: committed before opened";
constexpr std::string_view i8 = "invariant 8: a command expires";

using firmware::lane::Open;
using firmware::ports::BarrierEvent;

/// What the file holds under that number now; nothing: no such event.
std::optional<pf::journal::Body> event_at(Machine& machine, Epoch epoch, std::uint64_t seq) {
    const auto stored = machine.device().journal().after(epoch, seq - 1, 1, 1);
    if (stored.empty() || stored.front().seq != seq) return std::nullopt;
    const auto event = pf::journal::decode(stored.front().event);
    if (event.has_error()) return std::nullopt;
    return event->body;
}

/// For how many people the file lets the arm open; 0: it says nothing of that.
std::uint32_t persons_of(const std::optional<pf::journal::Body>& body) {
    if (!body) return 0;
    if (const auto* admitted = std::get_if<pf::journal::Admitted>(&*body)) return admitted->persons;
    if (const auto* opened = std::get_if<pf::journal::Opened>(&*body)) return opened->persons;
    return 0;
}

std::string name_of(const GrantId& id) {
    return fmt::format("{}/{}/{}", id.device.text(), to_hex(to_be8(id.epoch.value)).substr(0, 6),
                       id.seq);
}

}  // namespace

void Checks::pulsed(Machine& machine) {
    const auto* open = std::get_if<Open>(&machine.device().lane_state());
    if (open == nullptr)
        throw Violation(
            std::string{i1},
            fmt::format("{}'s arm opens and its lane is open for nobody", machine.name()),
            {machine.name()});
    auto& id = standing_in_[machine.name()];
    // A grant may outlive its epoch; its first pulse does not.
    if (!id || open->passed == 0 || id->seq != open->grant_seq)
        id = GrantId{machine.spec().id, machine.device().journal().end().epoch, open->grant_seq};
    const std::uint32_t persons = persons_of(event_at(machine, id->epoch, id->seq));
    if (persons == 0)
        throw Violation(std::string{i1},
                        fmt::format("{}'s arm opens and its file holds no admission and no command",
                                    machine.name()),
                        {machine.name()});
    Opening& opening = openings_[*id];
    ++opening.pulses;
    if (opening.pulses > std::min(persons, 1 + opening.passages))
        throw Violation(
            std::string{i1},
            fmt::format("{}'s arm opens {} times for {}: {} persons, of whom {} went through",
                        machine.name(), opening.pulses, name_of(*id), persons, opening.passages),
            {machine.name()});
    pulses_[machine.name()].insert(*id);
    if (machine.command() && opening.pulses == 1) check_command_pulse(machine, *machine.command());
}

void Checks::at_barrier(Machine& machine, BarrierEvent event) {
    const auto* open = std::get_if<Open>(&machine.device().lane_state());
    if (event != BarrierEvent::passed || open == nullptr) return;
    if (const auto& id = standing_in_[machine.name()]; id && id->seq == open->grant_seq)
        ++openings_[*id].passages;
}

/// What it opened for before the restart is in the file after it.
void Checks::check_pulses(Machine& machine) {
    standing_in_[machine.name()].reset();
    auto& pulses = pulses_[machine.name()];
    for (const GrantId& id : pulses) {
        if (persons_of(event_at(machine, id.epoch, id.seq)) > 0) continue;
        throw Violation(
            std::string{i1},
            fmt::format("the arm opened for {} and after the restart that is not in the file",
                        name_of(id)),
            {machine.name()});
    }
    pulses.clear();
}

/// Whether the device could not know better: the server's own clock moved since the command was
/// written, or since the device last heard the time.
bool Checks::clock_excuses(const Machine& machine, const CommandModel& command) const {
    const auto moved = hub_->clock_moved_at();
    return moved && (*moved >= command.issued_at || *moved >= machine.time_heard_at());
}

void Checks::check_command_pulse(Machine& machine, const wire::Command& command) {
    const std::string id = to_hex(command.id).substr(0, 6);
    DeviceTruth& truth = truth_[machine.name()];
    scene_.coverage.count("command", "opened");
    for (CommandModel& model : town_.commands) {
        if (model.id != command.id) continue;
        const SteadyTime end = model.issued_at + model.span;
        if (scene_.agenda.now() >= end && !clock_excuses(machine, model))
            throw Violation(std::string{i8},
                            fmt::format("{} opens on command {} {} ms after its end",
                                        machine.name(), id, (scene_.agenda.now() - end).count()),
                            {machine.name(), id});
    }
    // Both files may have gone back behind it: then nothing here could remember.
    bool known = !truth.commands.insert(command.id).second;
    for (const auto& file : truth.file) {
        for (const Bytes& bytes : file.events) {
            const auto event = pf::journal::decode(bytes);
            const auto* opened =
                event.has_value() ? std::get_if<pf::journal::Opened>(&event->body) : nullptr;
            known = known || (opened != nullptr && opened->command == command.id);
        }
    }
    if (known)
        throw Violation(std::string{i8},
                        fmt::format("{} opens twice on command {}", machine.name(), id),
                        {machine.name(), id});
}

void Checks::commanded(Machine& machine, const wire::Command& command) {
    for (CommandModel& model : town_.commands) {
        if (model.id != command.id) continue;
        const bool late = scene_.agenda.now() >= model.issued_at + model.span;
        scene_.coverage.count("command", late ? "arrived late" : "arrived in time");
        if (++model.arrivals > 1) scene_.coverage.count("command", "arrived again");
        if (late)
            scene_.say(machine.name(),
                       fmt::format("command {} arrives late", to_hex(model.id).substr(0, 6)));
    }
}

}  // namespace pf::simulation
