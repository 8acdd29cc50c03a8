// What is judged while devices run: their files and what they admit. The arm is in checks_arm.cpp,
// lists and receipts in checks_told.cpp, the server in checks_server.cpp, the end in
// checks_end.cpp.
#include "tests/simulation/checks.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "sync-server/lists/lists.hpp"
#include "sync-server/orders/orders.hpp"

namespace pf::simulation {
namespace {

constexpr std::string_view i2 = "invariant 2: nothing is given up";
constexpr std::string_view i5 = "invariant 5: the verdict depends on what the device can see";

[[noreturn]] void violated(std::string_view rule, const std::string& what,
                           std::vector<std::string> about) {
    throw Violation(std::string{rule}, what, std::move(about));
}

template <class A>
bool same_quota(const A& a, const pf::journal::Admitted& admitted, const ticket::Entitlement& e) {
    return a.ticket == admitted.ticket && a.product == admitted.product &&
           (e.scope == ticket::Scope::validity || a.day == admitted.day);
}

constexpr std::size_t page_events = 4'000;
constexpr std::size_t page_bytes = 8UL * 1024 * 1024;

}  // namespace

DeviceTruth::EpochFile* Checks::file_of(const std::string& device, Epoch epoch) {
    for (auto& file : truth_[device].file)
        if (file.epoch == epoch) return &file;
    return nullptr;
}

// --- a device's files ----------------------------------------------------------------------------

void Checks::started(Machine& machine) {
    check_pulses(machine);
    check_files(machine);
    catching_up_ = true;
    called(machine);
    catching_up_ = false;
}

void Checks::called(Machine& machine) {
    read_new_events(machine);
    check_lists(machine);
    check_confirmed(machine);
}

/// Everything that was in the file between two calls is in it after a restart, byte for byte.
void Checks::check_files(Machine& machine) {
    const auto& journal = machine.device().journal();
    for (const auto& state : journal.epochs())
        if (auto* file = file_of(machine.name(), state.epoch))
            check_pruned(machine, *file, state.begin.seq);
    for (const auto& file : truth_[machine.name()].file) {
        const auto now = journal.after(file.epoch, file.pruned, page_events, page_bytes);
        for (std::size_t i = file.pruned; i < file.events.size(); ++i) {
            const std::size_t at = i - file.pruned;
            if (at < now.size() && now[at].seq == i + 1 && now[at].event == file.events[i])
                continue;
            violated(
                i2,
                fmt::format("event {} of epoch {} was in {}'s file before the restart and is "
                            "not, or another, after it",
                            i + 1, to_hex(to_be8(file.epoch.value)).substr(0, 6), machine.name()),
                {machine.name()});
        }
    }
}

void Checks::read_new_events(Machine& machine) {
    const auto& journal = machine.device().journal();
    for (const auto& state : journal.epochs()) {
        auto* file = file_of(machine.name(), state.epoch);
        if (file == nullptr) {
            truth_[machine.name()].file.push_back(
                {.epoch = state.epoch, .events = {}, .heads = {}});
            file = &truth_[machine.name()].file.back();
        }
        check_pruned(machine, *file, state.begin.seq);
        if (state.end.seq < file->events.size())
            violated(i2, fmt::format("{}'s journal became shorter", machine.name()),
                     {machine.name()});
        if (state.end.seq == file->events.size()) continue;
        for (auto& stored :
             journal.after(state.epoch, file->events.size(), page_events, page_bytes)) {
            const Digest before = file->heads.empty()
                                      ? pf::journal::genesis(machine.spec().id, state.epoch)
                                      : file->heads.back();
            file->heads.push_back(pf::journal::next_head(before, stored.event));
            file->events.push_back(stored.event);
            file->written_at.push_back(scene_.wall());
            const auto event = pf::journal::decode(stored.event);
            if (event.has_value()) note_event(machine, state.epoch, *event);
        }
        if (file->heads.back() != state.end.head)
            violated(i2, fmt::format("{}'s chain does not lead to its head", machine.name()),
                     {machine.name()});
    }
}

/// What the device let go of is old, and the server had it (invariant 2).
void Checks::check_pruned(Machine& machine, DeviceTruth::EpochFile& file, std::uint64_t upto) {
    if (upto <= file.pruned) return;
    scene_.coverage.count("device", "dropped old events", upto - file.pruned);
    // An hour for clocks that were ahead when it decided.
    const auto old =
        scene_.wall() - std::chrono::days{firmware::journal::keep_days_min} + std::chrono::hours{1};
    for (std::size_t i = file.pruned; i < upto && i < file.events.size(); ++i) {
        if (file.written_at[i] < old && i < ever_acknowledged(machine.name(), file.epoch)) continue;
        violated(i2,
                 fmt::format("{} drops event {}, which is not {}", machine.name(), i + 1,
                             file.written_at[i] < old ? "acknowledged" : "old"),
                 {machine.name()});
    }
    file.pruned = static_cast<std::size_t>(upto);
}

void Checks::note_event(Machine& machine, Epoch epoch, const pf::journal::Event& event) {
    scene_.coverage.count("event", pf::journal::kind_text(event.body));
    if (const auto* admitted = std::get_if<pf::journal::Admitted>(&event.body))
        return note_admitted(machine, epoch, event, *admitted);
    if (const auto* finding = std::get_if<pf::journal::Finding>(&event.body))
        scene_.say(machine.name(), fmt::format("finding {}: {}", finding->code, finding->detail));
    if (const auto* opened = std::get_if<pf::journal::EpochOpened>(&event.body))
        scene_.say(machine.name(),
                   fmt::format("opens epoch {}, why {}", to_hex(to_be8(epoch.value)).substr(0, 6),
                               static_cast<int>(opened->why)));
    if (const auto* outcome = std::get_if<pf::journal::Outcome>(&event.body)) {
        const auto& grants = truth_[machine.name()].grants;
        const auto found = grants.find({epoch, outcome->grant_seq});
        if (found == grants.end()) return;
        grants_[found->second].returned = outcome->returned;
        using How = pf::journal::Outcome::How;
        grants_[found->second].outcome_unknown = outcome->how == How::unknown ||
                                                 outcome->how == How::fault ||
                                                 outcome->how == How::emergency;
        scene_.say(machine.name(),
                   fmt::format("event {}: grant {} ends, {} passed, {} returned", event.seq,
                               outcome->grant_seq, outcome->passed, outcome->returned));
    }
}

/// Persons of the quota this device must know of: its own grants, and what it was told and kept.
std::uint32_t Checks::seen_persons(const DeviceTruth& truth, const pf::journal::Admitted& admitted,
                                   const ticket::Entitlement& e) const {
    const bool by_staff = (admitted.flags & admission::flag_staff) != 0;
    std::uint32_t sum = 0;
    for (const auto& [name, index] : truth.grants) {
        const Grant& own = grants_[index];
        if (!same_quota(own.admitted, admitted, e)) continue;
        // Staff looked into what nobody knew.
        if (!(by_staff && own.outcome_unknown)) sum += own.counted();
    }
    for (const auto& [id, item] : truth.told) {
        const bool own = truth.grants.contains({id.epoch, id.seq}) &&
                         grants_[truth.grants.at({id.epoch, id.seq})].id == id;
        if (own || !same_quota(item, admitted, e)) continue;
        sum += item.persons - (by_staff ? item.unseen : 0U);
    }
    return sum;
}

bool Checks::is_blind(const DeviceTruth& truth, const pf::journal::Admitted& admitted,
                      const ticket::Entitlement& e) const {
    return std::ranges::any_of(grants_, [&](const Grant& other) {
        if (other.admitted.site != admitted.site || other.counted() == 0) return false;
        if (!same_quota(other.admitted, admitted, e)) return false;
        const auto own = truth.grants.find({other.id.epoch, other.id.seq});
        if (own != truth.grants.end() && &grants_[own->second] == &other) return false;
        return !truth.told.contains(other.id);
    });
}

void Checks::note_admitted(Machine& machine, Epoch epoch, const pf::journal::Event& event,
                           const pf::journal::Admitted& admitted) {
    DeviceTruth& truth = truth_[machine.name()];
    const std::string ticket = to_text(admitted.ticket);
    Grant grant{.id = {machine.spec().id, epoch, event.seq},
                .life = truth.life,
                .at = scene_.agenda.now(),
                .admitted = admitted};
    scene_.say(machine.name(), fmt::format("event {}: admits {} of ticket {}, flags {:x}",
                                           event.seq, admitted.persons, ticket, admitted.flags));
    const TicketModel* const model = town_.find(admitted.ticket);
    const auto* e = model == nullptr ? nullptr : model->at(admitted.site, admitted.product);
    if (e == nullptr)
        violated(i5, fmt::format("{} admits to what no ticket allows", machine.name()),
                 {machine.name(), ticket});
    const std::uint32_t quota = std::uint32_t{model->claims.persons} * e->entries;
    const std::uint32_t seen = seen_persons(truth, admitted, *e);
    if (seen + admitted.persons > quota)
        violated(i5,
                 fmt::format("{} admits {} although it has seen {} of {}", machine.name(),
                             admitted.persons, seen, quota),
                 {machine.name(), ticket});
    const auto& list = lists_[{machine.name(), static_cast<int>(wire::ListScope::revoked)}];
    if (const auto known =
            contents_.find({machine.spec().site, wire::ListScope::revoked, list.root});
        known != contents_.end()) {
        for (const auto& [id, below] : known->second.revoked)
            if (id == admitted.ticket && admitted.generation < below)
                violated(
                    i5, fmt::format("{} admits a ticket that its own list refuses", machine.name()),
                    {machine.name(), ticket});
    }
    // What was decided before a power cut was decided at another time than now.
    if (!catching_up_) {
        check_place_and_time(machine, admitted, *e);
        check_flags(machine, admitted);
    }
    grant.blind = is_blind(truth, admitted, *e);
    grant.event = pf::journal::encode(event);
    truth.grants[{epoch, event.seq}] = grants_.size();
    grants_.push_back(std::move(grant));
    granted_.insert(admitted.ticket);
    check_bound(admitted, *e);
}

void Checks::files_rolled_back(const Machine& machine, const DeviceTruth& to, bool cache_too) {
    DeviceTruth& truth = truth_[machine.name()];
    for (const auto& file : truth.file) earlier_files_.emplace_back(machine.name(), file);
    auto told = std::move(truth.told);
    auto commands = std::move(truth.commands);
    truth = to;
    if (!cache_too) {
        truth.told = std::move(told);
        truth.commands = std::move(commands);
    }
    truth.life = ++lives_;
    pulses_[machine.name()].clear();
    // The numbers of what was lost are given anew.
    standing_in_[machine.name()].reset();
    std::erase_if(openings_, [&](const auto& of) { return of.first.device == machine.spec().id; });
    if (!cache_too) return;
    cache_lost(machine);
    truth.told = to.told;
    truth.commands = to.commands;
}

void Checks::cache_lost(const Machine& machine) {
    truth_[machine.name()].told.clear();
    for (const auto scope : wire::list_scopes)
        lists_.erase({machine.name(), static_cast<int>(scope)});
    truth_[machine.name()].commands.clear();
}

}  // namespace pf::simulation
