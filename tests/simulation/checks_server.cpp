// What is judged at the server after every call that may have moved something there.
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
constexpr std::size_t findings_page = 32;

[[noreturn]] void violated(std::string_view rule, const std::string& what,
                           std::vector<std::string> about) {
    throw Violation(std::string{rule}, what, std::move(about));
}

std::string device_of(std::string_view topic) {
    const auto begin = topic.find("/d/") + 3;
    return std::string{topic.substr(begin, topic.find('/', begin) - begin)};
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
    if (const std::string to = device_of(message.topic); revoked_.contains(to))
        violated("a revoked device is refused",
                 fmt::format("{} is told something: {}", to, message.topic), {to, "server"});
    if (message.topic.ends_with("dn/news")) {
        const auto news = wire::decode_news(message.payload);
        if (news.has_value()) saw_generation(news->generation);
    }
    if (!message.topic.ends_with("dn/ack")) return;
    const auto ack = wire::decode_ack(message.payload);
    if (ack.has_error()) violated("the server speaks the protocol", "an ack is malformed", {});
    saw_generation(ack->generation);
    const std::string device = device_of(message.topic);
    auto& ever = ever_acknowledged_[{device, ack->upto.epoch}];
    ever = std::max(ever, ack->upto.seq);
    auto* file = file_of(device, ack->upto.epoch);
    const auto seq = static_cast<std::size_t>(ack->upto.seq);
    // About another life of the file, or about nothing.
    if (file == nullptr || seq == 0 || seq > file->heads.size()) return;
    if (file->heads[seq - 1] != ack->upto.head) return;
    if (file->era != era_) file->acknowledged = 0;
    file->era = era_;
    promised_.try_emplace({device, ack->upto.epoch}, file->acknowledged);
    file->acknowledged = std::max(file->acknowledged, seq);
}

void Checks::server_started(server::Repositories& r, bool restored) {
    if (restored) begin_era();
    // Also after a power cut: what was being done then happened or did not.
    recall(town_, r);
    revoked_.clear();
    for (const std::string& name : ever_revoked_) {
        const auto device = server::fleet::device(r, *DeviceId::parse(name));
        if (device && device->state == server::fleet::DeviceState::revoked) revoked_.insert(name);
    }
    generation_ = std::max(generation_, r.meta.generation());
    remember_lists(r);
    check_server(r);
}

bool Checks::wants_a_look(std::string_view topic) const {
    return new_generation_ || !promised_.empty() || topic.ends_with("up/events") ||
           topic.ends_with("up/begins") || topic.ends_with("up/birth");
}

void Checks::server_acted(server::Repositories& r) {
    remember_lists(r);
    look(r);
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
            const auto known = contents_.find({site, scope, state.root});
            if (known != contents_.end() && known->second.tickets == town_.tickets.size()) continue;
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
    out.tickets = town_.tickets.size();
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

/// What came since the last look, and only what it touched.
void Checks::look(server::Repositories& r) {
    read_log(r, false);
    read_findings(r);
    for (const auto& [name, from] : std::exchange(promised_, {}))
        if (const auto* file = file_of(name.first, name.second))
            check_promises(name.first, *file, from);
    for (const TicketId id : log_.take_touched()) {
        const TicketModel* const ticket = town_.find(id);
        if (ticket != nullptr) check_ticket(r, *ticket);
    }
    check_forks();
}

void Checks::read_log(server::Repositories& r, bool all_of_it) {
    for (;;) {
        const auto page = server::ingest::log_after(r, log_.position(), 1'000);
        if (page.empty()) return;
        for (const auto& event : page) {
            const std::string device{event.device.text()};
            if (!log_.take(event))
                violated(i3, fmt::format("event {} of {} is in the log twice", event.seq, device),
                         {device});
            if (!all_of_it && revoked_.contains(device))
                violated("a revoked device is refused",
                         fmt::format("event {} of {} is booked", event.seq, device), {device});
        }
    }
}

/// Nobody lies in this world, so nothing may look forged or unreadable.
void Checks::read_findings(server::Repositories& r) {
    using Kind = server::findings::Kind;
    std::uint64_t before = UINT64_MAX >> 1;
    std::uint64_t newest = findings_read_;
    for (;;) {
        const auto page = server::findings::newest(r, before, findings_page);
        for (const auto& finding : page) {
            if (finding.id <= findings_read_) break;
            newest = std::max(newest, finding.id);
            const std::string device = finding.device ? finding.device->text() : "server";
            const bool strange =
                finding.kind == Kind::forged || finding.kind == Kind::quarantined ||
                finding.kind == Kind::foreign_topic || finding.kind == Kind::revoked_device;
            // The outcome of a grant that both sides have lost.
            const bool of_a_hole = finding.kind == Kind::quarantined && log_.has_hole(device);
            if (strange && !of_a_hole && !ever_revoked_.contains(device))
                violated("honest devices are believed",
                         fmt::format("finding {}: {}", to_text(finding.kind), finding.detail),
                         {device});
            if (finding.kind == Kind::over_admission && finding.ticket)
                over_admissions_told_.insert(*finding.ticket);
            if (finding.kind == Kind::fork && finding.epoch)
                forks_told_.emplace(device, *finding.epoch);
        }
        if (page.size() < findings_page || page.back().id <= findings_read_) break;
        before = page.back().id;
    }
    findings_read_ = newest;
}

void Checks::check_promises(const std::string& device, const DeviceTruth::EpochFile& file,
                            std::size_t from) {
    if (file.era != era_) return;
    for (std::size_t i = std::max(from, file.pruned); i < file.acknowledged; ++i) {
        if (log_.has(device, i + 1, file.events[i])) continue;
        violated(i2,
                 fmt::format("the server acknowledged event {} of {} and does not have it", i + 1,
                             device),
                 {device, "server"});
    }
}

/// What is booked of one ticket is what the log says: each grant once, with its outcome.
void Checks::check_ticket(server::Repositories& r, const TicketModel& ticket) {
    const auto rows = server::checkins::of_ticket(r, ticket.claims.id);
    const auto& said = log_.of_ticket(ticket.claims.id);
    const auto wrong = [&](const GrantId& grant, std::string_view what) {
        violated(i3,
                 fmt::format("event {} of {} ({}) {}", grant.seq, grant.device.text(), ticket.label,
                             what),
                 {grant.device.text(), to_text(ticket.claims.id)});
    };
    std::set<GrantId> booked;
    for (const auto& row : rows) {
        if (!booked.insert(row.grant).second) wrong(row.grant, "is booked twice");
        const auto found = said.find(row.grant);
        if (found == said.end()) {
            wrong(row.grant, "is booked and not in the log");
            continue;
        }
        const ServerLog::Booked& log = found->second;
        if (row.granted != log.admitted.persons) wrong(row.grant, "is booked for other persons");
        if (log.unsure) continue;
        if (row.passed != log.passed || row.returned != log.returned || row.settled != log.settled)
            wrong(
                row.grant,
                fmt::format("is booked with {} passed and {} returned, and its outcome in the log "
                            "says {} and {}",
                            row.passed, row.returned, log.passed, log.returned));
    }
    for (const auto& [grant, log] : said)
        if (!booked.contains(grant)) wrong(grant, "is in the log and not booked");
    check_over_admission(ticket);
}

void Checks::check_over_admission(const TicketModel& ticket) {
    if (ticket.forgotten) return;
    std::map<std::tuple<SiteId, ProductId, Day>, std::uint32_t> counted;
    for (const auto& [grant, log] : log_.of_ticket(ticket.claims.id)) {
        const auto* e = ticket.at(log.admitted.site, log.admitted.product);
        if (e == nullptr || log.unsure) continue;
        const Day day = e->scope == ticket::Scope::day ? log.admitted.day : Day{};
        counted[{log.admitted.site, log.admitted.product, day}] += log.counted();
    }
    for (const auto& [key, persons] : counted) {
        const auto* e = ticket.at(std::get<0>(key), std::get<1>(key));
        if (persons <= std::uint32_t{ticket.claims.persons} * e->entries) continue;
        if (over_admissions_told_.contains(ticket.claims.id)) continue;
        violated(i5,
                 fmt::format("{} persons were admitted on {} and headquarters was not told",
                             persons, ticket.label),
                 {to_text(ticket.claims.id), "server"});
    }
}

/// Every second history was told.
void Checks::check_forks() {
    for (const auto& name : log_.branches()) {
        const auto& [device, epoch] = name;
        if (forks_told_.contains(name)) continue;
        violated(i3,
                 fmt::format("{} has a second history, {}, and nobody was told", device,
                             to_hex(to_be8(epoch.value)).substr(0, 6)),
                 {device, "server"});
    }
}

void Checks::check_server(server::Repositories& r) {
    log_ = {};
    promised_.clear();
    findings_read_ = 0;
    over_admissions_told_.clear();
    forks_told_.clear();
    read_log(r, true);
    read_findings(r);
    (void)log_.take_touched();
    for (const auto& [device, truth] : truth_)
        for (const auto& file : truth.file) check_promises(device, file, 0);
    for (const auto& [device, file] : earlier_files_) check_promises(device, file, 0);
    for (const TicketModel& ticket : town_.tickets) check_ticket(r, ticket);
    check_forks();
}

}  // namespace pf::simulation
