// What is judged at the server, and what it is held to after everything was healed.
#include <fmt/format.h>

#include <algorithm>

#include "sync-server/checkins/checkins.hpp"
#include "sync-server/findings/findings.hpp"
#include "sync-server/fleet/fleet.hpp"
#include "sync-server/ingest/ingest.hpp"
#include "sync-server/lists/lists.hpp"
#include "sync-server/orders/orders.hpp"
#include "tests/simulation/checks.hpp"

namespace pf::simulation {
namespace {

constexpr std::string_view i2 = "invariant 2: nothing is given up";
constexpr std::string_view i3 = "invariant 3: once is once";
constexpr std::string_view i5 = "invariant 5: over-admission is bounded and never silent";
constexpr std::size_t all = 1'000'000;

[[noreturn]] void violated(std::string_view rule, const std::string& what,
                           std::vector<std::string> about) {
    throw Violation(std::string{rule}, what, std::move(about));
}

std::string device_of(std::string_view topic) {
    const auto begin = topic.find("/d/") + 3;
    return std::string{topic.substr(begin, topic.find('/', begin) - begin)};
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

// --- what the server says ------------------------------------------------------------------------

void Checks::saw_generation(Generation generation) {
    if (generation <= generation_) return;
    generation_ = generation;
    new_generation_ = true;
    begin_era();
}

void Checks::published(const server::Outgoing& message) {
    if (message.topic.ends_with("dn/news")) {
        const auto news = wire::decode_news(message.payload);
        if (news.has_value()) saw_generation(news->generation);
    }
    if (!message.topic.ends_with("dn/ack")) return;
    const auto ack = wire::decode_ack(message.payload);
    if (ack.has_error()) violated("the server speaks the protocol", "an ack is malformed", {});
    saw_generation(ack->generation);
    auto* file = file_of(device_of(message.topic), ack->upto.epoch);
    const auto seq = static_cast<std::size_t>(ack->upto.seq);
    // About another life of the file, or about nothing.
    if (file == nullptr || seq == 0 || seq > file->heads.size()) return;
    if (file->heads[seq - 1] != ack->upto.head) return;
    if (file->era != era_) file->acknowledged = 0;
    file->era = era_;
    file->acknowledged = std::max(file->acknowledged, seq);
}

void Checks::server_started(server::Repositories& r, bool restored) {
    if (restored) {
        begin_era();
        recall(town_, r);
    }
    generation_ = std::max(generation_, r.meta.generation());
    remember_lists(r);
    check_server(r);
}

/// Called whenever lists may have moved: the versions the server really had.
void Checks::remember_lists(server::Repositories& r) {
    new_generation_ = false;
    const Generation generation = r.meta.generation();
    if (generation > generation_) {
        generation_ = generation;
        begin_era();
    }
    for (const SiteId site : town_.sites()) {
        std::optional<ListContent> content;
        for (const auto scope : wire::list_scopes) {
            const wire::ListState state = server::lists::state(r, site, scope);
            roots_[{generation, site, scope, state.version}].insert(state.root);
            if (contents_.contains({site, scope, state.root})) continue;
            if (!content) content = content_of(r, site);
            ListContent& last = listed_last_[{site, scope}];
            content->revoked_gone = std::move(last.revoked_gone);
            content->revoked_gone.insert(last.revoked.begin(), last.revoked.end());
            for (const auto& row : content->revoked) content->revoked_gone.erase(row);
            content->carried_gone = std::move(last.carried_gone);
            content->carried_gone.insert(last.carried.begin(), last.carried.end());
            // A row under a retired site key may stay: no device can look it up any more.
            std::erase_if(content->carried_gone, [&](const auto& gone) {
                return std::ranges::any_of(content->carried, [&](const auto& row) {
                    return std::get<admission::CarrierKind>(row) ==
                               std::get<admission::CarrierKind>(gone) &&
                           std::get<TicketId>(row) == std::get<TicketId>(gone) &&
                           std::get<std::uint32_t>(row) == std::get<std::uint32_t>(gone);
                });
            });
            last = *content;
            contents_[{site, scope, state.root}] = *content;
        }
    }
}

Checks::ListContent Checks::content_of(server::Repositories& r, SiteId site) {
    ListContent out;
    const auto secrets = server::fleet::site_secrets(r, hub_->keys(), site);
    for (const TicketModel& one : town_.tickets) {
        const bool here = std::ranges::any_of(
            one.claims.entitlements, [&](const ticket::Entitlement& e) { return e.site == site; });
        const auto known = server::orders::show(r, one.claims.id);
        if (!here || !known) continue;
        const std::uint32_t generation = known->claims.generation;
        if (known->state == server::orders::TicketState::revoked)
            out.revoked.emplace_back(one.claims.id, admission::generation_all);
        else if (generation > 1)
            out.revoked.emplace_back(one.claims.id, generation);
        const auto carry = [&](admission::CarrierKind kind, const std::string& text) {
            for (const auto& key : secrets.carrier_keys)
                out.carried.emplace_back(
                    kind, wire::carrier_hash(key.key, kind, wire::normalise(kind, text)),
                    one.claims.id, generation);
        };
        if (one.code) carry(admission::CarrierKind::code, *one.code);
        if (one.document) carry(admission::CarrierKind::document, *one.document);
    }
    return out;
}

// --- what the server has -------------------------------------------------------------------------

Checks::Log Checks::log_of(server::Repositories& r) {
    Log log;
    std::set<std::tuple<std::string, Epoch, std::uint64_t>> names;
    std::uint64_t position = 0;
    for (;;) {
        const auto page = server::ingest::log_after(r, position, 1'000);
        if (page.empty()) return log;
        for (const auto& event : page) {
            position = event.position;
            if (!names.emplace(event.device.text(), event.epoch, event.seq).second)
                violated(i3,
                         fmt::format("event {} of {} is in the log twice", event.seq,
                                     event.device.text()),
                         {event.device.text()});
            log[{event.device.text(), event.seq}].emplace_back(event.epoch, event.event);
        }
    }
}

void Checks::check_promises(const std::string& device, const DeviceTruth::EpochFile& file,
                            const Log& log) {
    if (file.era != era_) return;
    for (std::size_t i = 0; i < file.acknowledged; ++i) {
        const auto found = log.find({device, i + 1});
        const bool kept =
            found != log.end() && std::ranges::any_of(found->second, [&](const auto& stored) {
                return stored.second == file.events[i];
            });
        if (!kept)
            violated(i2,
                     fmt::format("the server acknowledged event {} of {} and does not have it",
                                 i + 1, device),
                     {device, "server"});
    }
}

/// What is booked of one ticket is what the log says, each grant once.
void Checks::check_checkins(server::Repositories& r, const TicketModel& ticket, const Log& log) {
    const auto rows = server::checkins::of_ticket(r, ticket.claims.id);
    std::map<GrantId, std::uint16_t> booked;
    for (const auto& row : rows) {
        if (booked.emplace(row.grant, row.granted).second) continue;
        violated(i3, fmt::format("a grant of {} is booked twice", ticket.label),
                 {row.grant.device.text(), to_text(ticket.claims.id)});
    }
    std::size_t events = 0;
    for (const auto& [name, stored] : log) {
        for (const auto& [epoch, bytes] : stored) {
            const auto event = pf::journal::decode(bytes);
            if (event.has_error()) continue;
            const auto* admitted = std::get_if<pf::journal::Admitted>(&event->body);
            if (admitted == nullptr || admitted->ticket != ticket.claims.id) continue;
            ++events;
            const auto found =
                booked.find(GrantId{*DeviceId::parse(name.first), epoch, name.second});
            if (found == booked.end() || found->second != admitted->persons)
                violated(i3,
                         fmt::format("event {} of {} is in the log and not booked as it says",
                                     name.second, name.first),
                         {name.first, to_text(ticket.claims.id)});
        }
    }
    if (events != rows.size())
        violated(i3,
                 fmt::format("{} has {} grants booked and {} in the log", ticket.label, rows.size(),
                             events),
                 {to_text(ticket.claims.id)});
}

void Checks::check_server(server::Repositories& r) {
    const Log log = log_of(r);
    for (const auto& [device, truth] : truth_)
        for (const auto& file : truth.file) check_promises(device, file, log);
    for (const auto& [device, file] : earlier_files_) check_promises(device, file, log);
    // Decoding the whole log for every ticket is the price of not trusting any index of the server;
    // a log by ticket keeps it payable.
    std::map<TicketId, Log> by_ticket;
    for (const auto& [name, stored] : log) {
        for (const auto& [epoch, bytes] : stored) {
            const auto event = pf::journal::decode(bytes);
            if (event.has_error()) continue;
            if (const auto* admitted = std::get_if<pf::journal::Admitted>(&event->body))
                by_ticket[admitted->ticket][name].emplace_back(epoch, bytes);
        }
    }
    for (const TicketModel& ticket : town_.tickets)
        check_checkins(r, ticket, by_ticket[ticket.claims.id]);
}

// --- the end -------------------------------------------------------------------------------------

void Checks::check_everything_arrived(Machine& machine, const Log& log) {
    for (const auto& file : truth_[machine.name()].file) {
        for (std::size_t i = 0; i < file.events.size(); ++i) {
            const auto found = log.find({machine.name(), i + 1});
            bool there = false;
            bool elsewhere = false;
            if (found != log.end()) {
                for (const auto& [epoch, bytes] : found->second) {
                    if (bytes != file.events[i]) continue;
                    there = there || epoch == file.epoch;
                    elsewhere = true;
                }
            }
            if (there) continue;
            if (!elsewhere)
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

std::optional<Unsettled> Checks::unsettled(std::vector<std::unique_ptr<Machine>>& machines) {
    if (!hub_->running()) return Unsettled{"the server does not run", {"server"}};
    std::optional<Unsettled> why;
    for (auto& machine : machines) {
        if (!machine->running())
            return Unsettled{machine->name() + " does not run", {machine->name()}};
        if (const auto left = machine->device().sync_status().unconfirmed; left > 0)
            return Unsettled{fmt::format("{} has {} unconfirmed events", machine->name(), left),
                             {machine->name(), "server"}};
        hub_->read([&](server::Repositories& r, const server::Call&) {
            why = unsettled_lists(r, *machine);
            if (!why) why = unsettled_uses(r, *machine);
        });
        if (why) return why;
    }
    return std::nullopt;
}

void Checks::check_bounds() {
    struct Sum {
        std::uint32_t persons = 0;
        std::uint32_t unknown = 0;
        bool by_staff = false;
        std::set<std::pair<std::string, std::uint64_t>> blind;
    };
    std::map<std::tuple<TicketId, SiteId, ProductId, Day>, Sum> sums;
    for (const Grant& grant : grants_) {
        const auto& a = grant.admitted;
        const TicketModel* const model = town_.find(a.ticket);
        const auto* e = model->at(a.site, a.product);
        const Day day = e->scope == ticket::Scope::day ? a.day : Day{};
        Sum& sum = sums[{a.ticket, a.site, a.product, day}];
        sum.persons += grant.counted();
        if (grant.outcome_unknown) sum.unknown += grant.counted();
        sum.by_staff = sum.by_staff || (a.flags & admission::flag_staff) != 0;
        if (grant.blind) sum.blind.emplace(grant.id.device.text(), grant.life);
    }
    for (const auto& [key, sum] : sums) {
        const auto& [ticket, site, product, day] = key;
        const TicketModel* const model = town_.find(ticket);
        const auto* e = model->at(site, product);
        const std::uint32_t quota = std::uint32_t{model->claims.persons} * e->entries;
        const std::uint32_t persons = sum.persons - (sum.by_staff ? sum.unknown : 0);
        if (persons > quota) ++over_admissions_;
        if (persons <= quota * (1 + sum.blind.size())) continue;
        violated(i5,
                 fmt::format("{} persons on {} ({} allowed) although only {} devices granted "
                             "without having seen the others",
                             persons, model->label, quota, sum.blind.size() + 1),
                 {to_text(ticket)});
    }
}

void Checks::check_findings(server::Repositories& r) {
    const auto findings = server::findings::newest(r, UINT64_MAX >> 1, all);
    using Kind = server::findings::Kind;
    const auto has = [&](Kind kind, std::optional<TicketId> ticket) {
        return std::ranges::any_of(findings, [&](const server::findings::Finding& finding) {
            return finding.kind == kind && (!ticket || finding.ticket == ticket);
        });
    };
    for (const auto& finding : findings) {
        // Nobody lies in this world, so nothing may look forged or unreadable.
        const bool strange = finding.kind == Kind::forged || finding.kind == Kind::quarantined ||
                             finding.kind == Kind::foreign_topic ||
                             finding.kind == Kind::revoked_device;
        if (strange)
            violated("honest devices are believed",
                     fmt::format("finding {}: {}", to_text(finding.kind), finding.detail),
                     {finding.device ? finding.device->text() : "server"});
    }
    if (forks_ > 0 && !has(Kind::fork, std::nullopt))
        violated(i3, "two histories of one epoch are kept and nobody was told", {"server"});
    for (const TicketModel& ticket : town_.tickets) {
        if (ticket.forgotten) continue;
        std::map<std::tuple<SiteId, ProductId, Day>, std::uint32_t> counted;
        for (const auto& row : server::checkins::of_ticket(r, ticket.claims.id)) {
            const auto* e = ticket.at(row.site, row.product);
            const Day day = e->scope == ticket::Scope::day ? row.day : Day{};
            counted[{row.site, row.product, day}] +=
                static_cast<std::uint32_t>(row.granted - row.returned);
        }
        for (const auto& [key, persons] : counted) {
            const auto* e = ticket.at(std::get<0>(key), std::get<1>(key));
            if (persons <= std::uint32_t{ticket.claims.persons} * e->entries) continue;
            if (!has(Kind::over_admission, ticket.claims.id))
                violated(i5,
                         fmt::format("{} persons were admitted on {} and headquarters was not told",
                                     persons, ticket.label),
                         {to_text(ticket.claims.id), "server"});
        }
    }
}

void Checks::check_end(std::vector<std::unique_ptr<Machine>>& machines) {
    check_bounds();
    hub_->read([&](server::Repositories& r, const server::Call&) {
        const Log log = log_of(r);
        for (auto& machine : machines) check_everything_arrived(*machine, log);
        check_server(r);
        check_findings(r);
    });
}

}  // namespace pf::simulation
