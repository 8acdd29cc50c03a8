// What is judged while devices run. The server's side and the end are in checks_server.cpp and
// checks_end.cpp.
#include "tests/simulation/checks.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "sync-server/lists/lists.hpp"
#include "sync-server/orders/orders.hpp"

namespace pf::simulation {
namespace {

constexpr std::string_view i1 = "invariant 1: committed before opened";
constexpr std::string_view i2 = "invariant 2: nothing is given up";
constexpr std::string_view i4 = "invariant 4: a list is whole or not there";
constexpr std::string_view i5 = "invariant 5: the verdict depends on what the device can see";
constexpr std::string_view i8 = "invariant 8: a command expires";

[[noreturn]] void violated(std::string_view rule, const std::string& what,
                           std::vector<std::string> about) {
    throw Violation(std::string{rule}, what, std::move(about));
}

std::string name_of(const GrantId& id) {
    return fmt::format("{}/{}/{}", id.device.text(), to_hex(to_be8(id.epoch.value)).substr(0, 6),
                       id.seq);
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
    check_files(machine);
    read_new_events(machine);
    check_pulses(machine);
    check_lists(machine);
}

void Checks::called(Machine& machine) {
    read_new_events(machine);
    check_lists(machine);
}

/// Everything that was in the file between two calls is in it after a restart, byte for byte.
void Checks::check_files(Machine& machine) {
    const auto& journal = machine.device().journal();
    for (const auto& file : truth_[machine.name()].file) {
        const auto now = journal.after(file.epoch, 0, page_events, page_bytes);
        for (std::size_t i = 0; i < file.events.size(); ++i) {
            if (i < now.size() && now[i].seq == i + 1 && now[i].event == file.events[i]) continue;
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
            const auto event = pf::journal::decode(stored.event);
            if (event.has_value()) note_event(machine, state.epoch, *event);
        }
        if (file->heads.back() != state.end.head)
            violated(i2, fmt::format("{}'s chain does not lead to its head", machine.name()),
                     {machine.name()});
    }
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
    grant.blind = is_blind(truth, admitted, *e);
    truth.grants[{epoch, event.seq}] = grants_.size();
    grants_.push_back(std::move(grant));
}

void Checks::files_rolled_back(const Machine& machine, const DeviceTruth& to, bool cache_too) {
    DeviceTruth& truth = truth_[machine.name()];
    for (const auto& file : truth.file) earlier_files_.emplace_back(machine.name(), file);
    auto told = std::move(truth.told);
    truth = to;
    if (!cache_too) truth.told = std::move(told);
    truth.life = ++lives_;
    pulses_[machine.name()].clear();
    if (cache_too) cache_lost(machine);
    if (cache_too) truth.told = to.told;
}

void Checks::cache_lost(const Machine& machine) {
    truth_[machine.name()].told.clear();
    for (const auto scope : wire::list_scopes)
        lists_.erase({machine.name(), static_cast<int>(scope)});
    // Which commands were done is forgotten with it.
    for (CommandModel& command : town_.commands)
        if (command.device == machine.name()) command.pulses = 0;
}

// --- the arm -------------------------------------------------------------------------------------

void Checks::pulsed(Machine& machine) {
    if (machine.command()) return check_command_pulse(machine, *machine.command());
    const auto* open = std::get_if<firmware::lane::Open>(&machine.device().lane_state());
    const auto& journal = machine.device().journal();
    if (open == nullptr || !journal.admitted(open->grant_seq))
        violated(i1, fmt::format("{}'s arm opens and its file holds no admission", machine.name()),
                 {machine.name()});
    pulses_[machine.name()].insert(
        GrantId{machine.spec().id, journal.end().epoch, open->grant_seq});
}

void Checks::check_pulses(Machine& machine) {
    auto& pulses = pulses_[machine.name()];
    for (const GrantId& id : pulses) {
        if (truth_[machine.name()].grants.contains({id.epoch, id.seq})) continue;
        violated(i1,
                 fmt::format("the arm opened for {} and after the restart its admission is gone",
                             name_of(id)),
                 {machine.name()});
    }
    pulses.clear();
}

void Checks::check_command_pulse(Machine& machine, const wire::Command& command) {
    const std::string id = to_hex(command.id).substr(0, 6);
    if (scene_.wall() >= command.expires_at)
        violated(
            i8,
            fmt::format("{} opens on command {} at {}, which was good until {}", machine.name(), id,
                        to_rfc3339(scene_.wall()), to_rfc3339(command.expires_at)),
            {machine.name(), id});
    for (CommandModel& model : town_.commands) {
        if (model.id != command.id || ++model.pulses == 1) continue;
        violated(i8, fmt::format("{} opens twice on command {}", machine.name(), id),
                 {machine.name(), id});
    }
}

// --- what it was told ----------------------------------------------------------------------------

void Checks::handled(Machine& machine, const std::string& topic, const Bytes& payload,
                     firmware::cache::Cache::UsesPosition before) {
    if (!topic.ends_with("dn/uses")) return;
    const auto uses = wire::decode_uses(payload);
    if (uses.has_error()) return;
    const auto after = machine.device().cache().uses_position();
    const bool moved = after.generation != before.generation || after.position != before.position;
    if (!moved || after.position != uses->upto || after.generation != uses->generation) return;
    for (const auto& item : uses->items)
        truth_[machine.name()].told.insert_or_assign(item.grant, item);
}

void Checks::check_lists(Machine& machine) {
    const auto& cache = machine.device().cache();
    for (const auto scope : wire::list_scopes) {
        const wire::ListState state = cache.list(scope).state;
        wire::ListState& last = lists_[{machine.name(), static_cast<int>(scope)}];
        if (state == last) continue;
        last = state;
        if (state.version == 0) continue;
        const auto said = fmt::format(
            "{} holds version {} of its {} list in generation {}", machine.name(), state.version,
            scope == wire::ListScope::revoked ? "revoked" : "tickets", state.generation.value);
        scene_.say(machine.name(), said);
        const SiteId site = machine.spec().site;
        const auto had = roots_.find({state.generation, site, scope, state.version});
        if (had == roots_.end() || !had->second.contains(state.root))
            violated(i4, said + ", and the server never had that", {machine.name(), "server"});
        if (cache.digest(scope).root() != state.root)
            violated(i4, said + ", and its sums do not prove it", {machine.name()});
        if (const auto wrong = wrong_row(cache, scope, contents_[{site, scope, state.root}]))
            violated(i4, said + ", and " + *wrong, {machine.name()});
    }
}

std::optional<std::string> Checks::wrong_row(const firmware::cache::Cache& cache,
                                             wire::ListScope scope, const ListContent& content) {
    constexpr auto missing = "a row is missing";
    constexpr auto left_over = "a row that was taken away is still there";
    const auto revoked_as = [&](TicketId ticket, std::uint32_t below) {
        const auto held = cache.revoked(ticket);
        return held && held->below == below;
    };
    const auto carries = [&](const auto& row) {
        const auto& [kind, hash, ticket, generation] = row;
        return std::ranges::any_of(cache.carried(kind, hash), [&](const wire::Carried& carried) {
            return carried.claims.id == ticket && carried.claims.generation == generation;
        });
    };
    if (scope == wire::ListScope::revoked) {
        for (const auto& [ticket, below] : content.revoked)
            if (!revoked_as(ticket, below)) return missing;
        for (const auto& [ticket, below] : content.revoked_gone)
            if (revoked_as(ticket, below)) return left_over;
        return std::nullopt;
    }
    for (const auto& row : content.carried)
        if (!carries(row)) return missing;
    for (const auto& row : content.carried_gone)
        if (carries(row)) return left_over;
    return std::nullopt;
}

}  // namespace pf::simulation
