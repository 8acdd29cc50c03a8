#pragma once
// Check-ins 检票 across devices: a use at one gate reaches the others; too many uses become a
// finding.
#include <optional>
#include <vector>

#include "common/journal/event.hpp"
#include "common/ticket/claims.hpp"
#include "common/wire/messages.hpp"
#include "sync-server/fleet/fleet.hpp"
#include "sync-server/store/transaction.hpp"

namespace pf::server::checkins {

/// What a ticket allows, so that check-ins can be counted against it. Call at issue, reissue and
/// import, inside the transaction that makes the ticket; the newest call replaces what was known.
/// Check-ins that arrived before are counted at once: too many become a finding.
void know_ticket(Repositories& r, const Call& call, const ticket::Claims& claims);
/// From call.now on nobody may be admitted with a generation below `below`. Call at reissue (the
/// new generation) and at revocation (the present generation + 1). Earlier calls stay in force.
void know_revoked(Repositories& r, const Call& call, TicketId ticket, std::uint32_t below);

/// Books what one event means for tickets (Admitted, Outcome; others nothing). `epoch` is the
/// derived epoch for a fork's branch. `grant_epoch`: under which name an Outcome's grant is kept
/// when that is not `epoch` (the grant came before the fork). Returns the verdict when it is not
/// plain. Each event once: the caller knows what it booked before.
std::optional<wire::Ack::EventVerdict> book(Repositories& r, const Call& call,
                                            const fleet::Device& device, Epoch epoch,
                                            const pf::journal::Event& event,
                                            std::optional<Epoch> grant_epoch = std::nullopt);

/// What a commit must tell the devices of the touched site: pushed Uses, each naming the position
/// before it. Call once at the end of a transaction that booked something. `deliverer`: the device
/// that brought its own journal; it is moved on, but not told what it said itself.
Effects spread(Repositories& r, const Call& call, SiteId site, std::uint64_t position_before,
               const std::optional<DeviceId>& deliverer = std::nullopt);

std::uint64_t position(Repositories& r, SiteId site);
/// Answers Want::uses: a page of the log, without uses whose last day is over.
Effects answer_uses(Repositories& r, const Call& call, const fleet::Device& device,
                    const wire::Want& want);

struct CheckIn {
    GrantId grant;
    SiteId site;
    TicketId ticket;
    ProductId product;
    Day day;
    std::uint16_t granted = 0;
    std::uint16_t passed = 0;
    std::uint16_t returned = 0;
    bool settled = false;      // an outcome arrived, or none is expected
    std::uint16_t unseen = 0;  // still counted, and the outcome knows nothing of them
    std::uint32_t flags = 0;
    WallTime at;
    WallTime received_at;
};
std::vector<CheckIn> of_ticket(Repositories& r, TicketId ticket);

}  // namespace pf::server::checkins
