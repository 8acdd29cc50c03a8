// Booking what devices did, and saying when it was too much.
#include <fmt/format.h>

#include <algorithm>

#include "sync-server/checkins/repository.hpp"
#include "sync-server/findings/findings.hpp"

namespace pf::server::checkins {
namespace {

using findings::Kind;
using pf::journal::Admitted;
using pf::journal::Outcome;
using Verdict = wire::Ack::EventVerdict;

std::string name_of(const GrantId& grant) {
    return fmt::format("{}/{}/{}", grant.device.text(), to_hex(to_be8(grant.epoch.value)),
                       grant.seq);
}

void raise(Repositories& r, const Call& call, Kind kind, const GrantId& grant, SiteId site,
           std::optional<TicketId> ticket, std::string detail) {
    findings::raise(r, call,
                    {.kind = kind,
                     .at = {},
                     .site = site,
                     .device = grant.device,
                     .ticket = ticket,
                     .epoch = grant.epoch,
                     .seq = grant.seq,
                     .detail = std::move(detail)});
}

Verdict quarantined(Repositories& r, const Call& call, const GrantId& event, SiteId site,
                    std::string_view why) {
    raise(r, call, Kind::quarantined, event, site, std::nullopt, std::string{why});
    return Verdict::quarantined;
}

std::uint64_t next_position(Repositories& r, SiteId site) {
    const std::uint64_t next = r.checkins.position(site) + 1;
    r.checkins.put_position(site, next);
    return next;
}

std::uint32_t counted(const Row& row) { return row.admitted.persons - row.returned; }

/// Whether two grants draw from one quota.
bool same_quota(const Admitted& a, const Admitted& b, ticket::Scope scope) {
    return a.site == b.site && a.product == b.product &&
           (scope == ticket::Scope::validity || a.day == b.day);
}

/// The grants that counted before `row` in its quota; nothing when it is within it.
std::optional<std::string> beyond_quota(Repositories& r, const std::vector<Row>& rows,
                                        const Row& row) {
    const auto quota =
        r.checkins.quota(row.admitted.ticket, row.admitted.site, row.admitted.product);
    if (!quota || counted(row) == 0) return std::nullopt;
    constexpr std::size_t names_max = 5;  // a detail is for people; the ticket shows the rest
    std::uint32_t sum = counted(row);
    std::uint32_t unseen = 0;
    std::string others;
    std::size_t names = 0;
    for (const Row& other : rows) {
        if (other.booked >= row.booked || counted(other) == 0) continue;
        if (!same_quota(other.admitted, row.admitted, quota->scope)) continue;
        sum += counted(other);
        unseen += other.unseen();
        if (names++ < names_max) others += ", " + name_of(other.grant);
    }
    const std::uint32_t allowed = quota->persons * quota->entries;
    if (sum <= allowed) return std::nullopt;
    // Staff who let in again whom nobody saw pass did right; that it may have been twice stays
    // said.
    const bool staff = (row.admitted.flags & admission::flag_staff) != 0 && unseen > 0;
    return fmt::format(
        "{} persons counted, {} allowed: {} after{}{}", sum, allowed, name_of(row.grant),
        others.empty() ? " none" : others.substr(1),
        staff ? fmt::format("; nobody saw {} of them pass, and staff confirmed", unseen)
              : std::string{});
}

/// Judged in the order of booking: whoever was booked when the quota was spent is the one too many.
bool judge_quota(Repositories& r, const Call& call, const std::vector<Row>& rows, const Row& row) {
    auto detail = beyond_quota(r, rows, row);
    if (!detail) return false;
    raise(r, call, Kind::over_admission, row.grant, row.admitted.site, row.admitted.ticket,
          std::move(*detail));
    return true;
}

/// A ticket nobody here knows can't be counted, so that must be said at once: after a restore that
/// lost tickets, or when a signing key was stolen.
void judge_known(Repositories& r, const Call& call, const Row& row) {
    const Admitted& admitted = row.admitted;
    if (r.checkins.quota(admitted.ticket, admitted.site, admitted.product)) return;
    raise(r, call, Kind::ticket_unknown, row.grant, admitted.site, admitted.ticket,
          fmt::format("{} persons for product {}: no such ticket is known here", admitted.persons,
                      admitted.product.value));
}

bool judge_revoked(Repositories& r, const Call& call, const Row& row) {
    const Admitted& admitted = row.admitted;
    const auto since = r.checkins.refused_since(admitted.ticket, admitted.generation);
    if (!since || row.at < *since) return false;
    raise(r, call, Kind::admitted_revoked, row.grant, admitted.site, admitted.ticket,
          fmt::format("generation {} was refused since {}, admitted at {}", admitted.generation,
                      to_rfc3339(*since), to_rfc3339(row.at)));
    return true;
}

std::optional<Verdict> book_admitted(Repositories& r, const Call& call, const fleet::Device& device,
                                     const GrantId& grant, const Admitted& admitted, WallTime at) {
    // A device checks only entitlements of its own site; a grant elsewhere would spend a ticket
    // where nobody stood.
    if (admitted.site != device.site)
        return quarantined(r, call, grant, device.site, "admitted at another site");
    Row row{.grant = grant,
            .admitted = admitted,
            .position = next_position(r, admitted.site),
            .booked = 0,
            // Without a sensor nobody will say more: who was admitted has passed.
            .passed = admitted.awaits_passage ? std::uint16_t{0} : admitted.persons,
            .returned = 0,
            .how = std::nullopt,
            .at = at,
            .received_at = call.now};
    row.booked = row.position;
    r.checkins.add(row);
    judge_known(r, call, row);
    const bool revoked = judge_revoked(r, call, row);
    const bool over = judge_quota(r, call, r.checkins.of_ticket(admitted.ticket), row);
    if (revoked) return Verdict::admitted_revoked;
    if (over) return Verdict::over_admission;
    return std::nullopt;
}

std::optional<Verdict> book_outcome(Repositories& r, const Call& call, const fleet::Device& device,
                                    const GrantId& event, const GrantId& grant,
                                    const Outcome& outcome) {
    auto row = r.checkins.find(grant);
    if (!row)
        return quarantined(r, call, event, device.site, "an outcome of a grant that is not booked");
    if (row->how) {
        // Two copies of one journal each ended the grant they shared: the first word stands. The
        // fork itself is a finding already, and neither copy lied.
        if (event.epoch != grant.epoch) return std::nullopt;
        return quarantined(r, call, event, device.site, "a second outcome of one grant");
    }
    if (outcome.passed + outcome.returned > row->admitted.persons)
        return quarantined(r, call, event, device.site, "more came out of a grant than it had");
    row->passed = outcome.passed;
    row->returned = outcome.returned;
    row->how = outcome.how;
    row->position = next_position(r, row->admitted.site);
    r.checkins.update(*row);
    return std::nullopt;
}

}  // namespace

std::optional<Verdict> book(Repositories& r, const Call& call, const fleet::Device& device,
                            Epoch epoch, const pf::journal::Event& event,
                            std::optional<Epoch> grant_epoch) {
    const GrantId name{device.id, epoch, event.seq};
    if (const auto* admitted = std::get_if<Admitted>(&event.body))
        return book_admitted(r, call, device, name, *admitted, event.wall);
    if (const auto* outcome = std::get_if<Outcome>(&event.body)) {
        const GrantId grant{device.id, grant_epoch.value_or(epoch), outcome->grant_seq};
        return book_outcome(r, call, device, name, grant, *outcome);
    }
    return std::nullopt;
}

void know_ticket(Repositories& r, const Call& call, const ticket::Claims& claims) {
    r.checkins.put_quotas(claims);
    const auto rows = r.checkins.of_ticket(claims.id);
    for (const Row& row : rows) judge_quota(r, call, rows, row);
}

void know_revoked(Repositories& r, const Call& call, TicketId ticket, std::uint32_t below) {
    r.checkins.add_refused(ticket, below, call.now);
}

std::vector<CheckIn> of_ticket(Repositories& r, TicketId ticket) {
    std::vector<CheckIn> out;
    for (const Row& row : r.checkins.of_ticket(ticket)) {
        out.push_back({.grant = row.grant,
                       .site = row.admitted.site,
                       .ticket = row.admitted.ticket,
                       .product = row.admitted.product,
                       .day = row.admitted.day,
                       .granted = row.admitted.persons,
                       .passed = row.passed,
                       .returned = row.returned,
                       .settled = row.how.has_value() || !row.admitted.awaits_passage,
                       .unseen = row.unseen(),
                       .flags = row.admitted.flags,
                       .at = row.at,
                       .received_at = row.received_at});
    }
    return out;
}

}  // namespace pf::server::checkins
