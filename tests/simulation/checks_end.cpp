// What everybody is held to after everything was healed.
#include <fmt/format.h>

#include <algorithm>

#include "sync-server/checkins/checkins.hpp"
#include "sync-server/fleet/fleet.hpp"
#include "sync-server/ingest/ingest.hpp"
#include "sync-server/lists/lists.hpp"
#include "tests/simulation/checks.hpp"

namespace pf::simulation {
namespace {

constexpr std::string_view i2 = "invariant 2: nothing is given up";
constexpr std::string_view i5 = "invariant 5: over-admission is bounded and never silent";

[[noreturn]] void violated(std::string_view rule, const std::string& what,
                           std::vector<std::string> about) {
    throw Violation(std::string{rule}, what, std::move(about));
}

/// Whether the server has this grant under the name of a branch, and the device in its own file: it
/// went on after a restore, before it heard that its file was an old copy.
bool is_on_own_branch(const DeviceTruth& truth, const GrantId& grant) {
    return std::ranges::any_of(truth.file, [&](const DeviceTruth::EpochFile& file) {
        return std::ranges::any_of(file.heads, [&](const Digest& head) {
            return server::ingest::branch_epoch(file.epoch, head) == grant.epoch;
        });
    });
}

}  // namespace

std::optional<Unsettled> Checks::unsettled_lists(server::Repositories& r, Machine& machine) {
    for (const auto scope : wire::list_scopes) {
        const auto theirs = server::lists::state(r, machine.spec().site, scope);
        const auto ours = machine.device().cache().list(scope).state;
        if (ours.generation == r.meta.generation() && ours.version == theirs.version &&
            ours.root == theirs.root)
            continue;
        return Unsettled{
            fmt::format("{} holds version {} of generation {} of list {}, the server {} of {}",
                        machine.name(), ours.version, ours.generation.value,
                        static_cast<int>(scope), theirs.version, r.meta.generation().value),
            {machine.name(), "server"}};
    }
    return std::nullopt;
}

/// Every grant the server counts is known to the device, as its own or as told.
std::optional<Unsettled> Checks::unsettled_uses(server::Repositories& r, Machine& machine) {
    const auto& truth = truth_[machine.name()];
    const Day today = Calendar{}.day_of(scene_.wall());
    for (const TicketModel& ticket : town_.tickets) {
        const auto told = machine.device().cache().uses_of(ticket.claims.id);
        for (const auto& row : server::checkins::of_ticket(r, ticket.claims.id)) {
            const auto counted = static_cast<std::uint16_t>(row.granted - row.returned);
            const auto* e = ticket.at(row.site, row.product);
            if (row.site != machine.spec().site || e == nullptr || e->last_day < today) continue;
            const auto own = truth.grants.find({row.grant.epoch, row.grant.seq});
            if (row.grant.device == machine.spec().id && own != truth.grants.end()) continue;
            const auto item = std::ranges::find(told, row.grant, &wire::UseItem::grant);
            const std::uint16_t known = item == told.end() ? 0 : item->persons;
            if (known == counted) continue;
            if (row.grant.device == machine.spec().id && is_on_own_branch(truth, row.grant))
                continue;
            return Unsettled{
                fmt::format("{} knows of {} persons of {} ({}) granted by {} in event {}, the "
                            "server of {}",
                            machine.name(), known, ticket.label, to_text(ticket.claims.id),
                            row.grant.device.text(), row.grant.seq, counted),
                {machine.name(), to_text(ticket.claims.id)}};
        }
    }
    return std::nullopt;
}

/// Keys, products, configuration and secrets are the newest.
std::optional<Unsettled> Checks::unsettled_documents(server::Repositories& r, Machine& machine) {
    const auto device = server::fleet::device(r, machine.spec().id);
    for (const auto& [number, version] : server::fleet::document_versions(r, *device)) {
        const auto bytes =
            machine.device().cache().document(static_cast<wire::DocumentType>(number));
        if (bytes) {
            const auto held = wire::open_document(*bytes, machine.spec().site_authority);
            if (held.has_value() && held->version == version &&
                held->generation == r.meta.generation())
                continue;
        }
        return Unsettled{fmt::format("{} does not hold version {} of document {}", machine.name(),
                                     version, number),
                         {machine.name(), "server"}};
    }
    return std::nullopt;
}

std::optional<Unsettled> Checks::unsettled(std::vector<std::unique_ptr<Machine>>& machines) {
    if (!hub_->running()) return Unsettled{"the server does not run", {"server"}};
    std::optional<Unsettled> why;
    for (auto& machine : machines) {
        if (is_revoked(machine->name())) continue;
        if (!machine->running())
            return Unsettled{machine->name() + " does not run", {machine->name()}};
        if (const auto left = machine->device().sync_status().unconfirmed; left > 0)
            return Unsettled{fmt::format("{} has {} unconfirmed events", machine->name(), left),
                             {machine->name(), "server"}};
        hub_->demand_read([&](server::Repositories& r, const server::Call&) {
            why = unsettled_lists(r, *machine);
            if (!why) why = unsettled_uses(r, *machine);
            if (!why) why = unsettled_documents(r, *machine);
        });
        if (why) return why;
    }
    return std::nullopt;
}

void Checks::check_everything_arrived(Machine& machine) {
    for (const auto& file : truth_[machine.name()].file) {
        for (std::size_t i = file.pruned; i < file.events.size(); ++i) {
            if (log_.has_under(machine.name(), file.epoch, i + 1, file.events[i])) continue;
            if (!log_.has(machine.name(), i + 1, file.events[i]))
                violated(i2,
                         fmt::format("event {} of epoch {} is in {}'s file and never reached the "
                                     "server",
                                     i + 1, to_hex(to_be8(file.epoch.value)).substr(0, 6),
                                     machine.name()),
                         {machine.name(), "server"});
            ++forks_;
        }
    }
}

/// Over (d - 1) times the quota nobody comes, d the devices that granted without having seen the
/// others.
void Checks::check_bound(const pf::journal::Admitted& admitted, const ticket::Entitlement& e) {
    std::uint32_t persons = 0;
    std::uint32_t unknown = 0;
    bool by_staff = false;
    std::set<std::pair<std::string, std::uint64_t>> blind;
    for (const Grant& grant : grants_) {
        const auto& a = grant.admitted;
        const bool same = a.ticket == admitted.ticket && a.site == admitted.site &&
                          a.product == admitted.product &&
                          (e.scope == ticket::Scope::validity || a.day == admitted.day);
        if (!same) continue;
        persons += grant.counted();
        if (grant.outcome_unknown) unknown += grant.counted();
        by_staff = by_staff || (a.flags & admission::flag_staff) != 0;
        if (grant.blind) blind.emplace(grant.id.device.text(), grant.life);
    }
    if (by_staff) persons -= unknown;
    const TicketModel* const model = town_.find(admitted.ticket);
    const std::uint32_t quota = std::uint32_t{model->claims.persons} * e.entries;
    if (persons <= quota * (1 + blind.size())) return;
    violated(i5,
             fmt::format("{} persons on {} ({} allowed) although only {} devices granted without "
                         "having seen the others",
                         persons, model->label, quota, blind.size() + 1),
             {to_text(admitted.ticket)});
}

/// What really was too much, of the grants that reached the server, headquarters knows.
void Checks::demand_known_over_admissions() {
    std::map<std::tuple<TicketId, SiteId, ProductId, Day>, std::uint32_t> sums;
    for (const Grant& grant : grants_) {
        const auto& a = grant.admitted;
        if (!log_.has(grant.id.device.text(), grant.id.seq, grant.event)) continue;
        const auto* e = town_.find(a.ticket)->at(a.site, a.product);
        const Day day = e->scope == ticket::Scope::day ? a.day : Day{};
        sums[{a.ticket, a.site, a.product, day}] += grant.counted();
    }
    for (const auto& [key, persons] : sums) {
        const TicketModel* const model = town_.find(std::get<TicketId>(key));
        const auto* e = model->at(std::get<SiteId>(key), std::get<ProductId>(key));
        if (persons <= std::uint32_t{model->claims.persons} * e->entries) continue;
        ++over_admissions_;
        if (model->forgotten || over_admissions_told_.contains(model->claims.id)) continue;
        violated(i5,
                 fmt::format("{} persons went in on {} and headquarters was not told", persons,
                             model->label),
                 {to_text(model->claims.id), "server"});
    }
}

void Checks::check_end(std::vector<std::unique_ptr<Machine>>& machines) {
    hub_->demand_read([&](server::Repositories& r, const server::Call&) { check_server(r); });
    for (auto& machine : machines)
        if (!is_revoked(machine->name())) check_everything_arrived(*machine);
    demand_known_over_admissions();
}

}  // namespace pf::simulation
