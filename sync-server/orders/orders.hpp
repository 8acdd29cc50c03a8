#pragma once
// A first selling side: issue, reissue, revoke, show tickets; import other sellers' codes.
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/admission/decide.hpp"
#include "common/base/result.hpp"
#include "common/ticket/claims.hpp"
#include "sync-server/fleet/fleet.hpp"
#include "sync-server/store/transaction.hpp"

namespace pf::server::orders {

/// A way to present a ticket besides its signed QR code.
struct CarrierDraft {
    admission::CarrierKind kind = admission::CarrierKind::code;
    std::string text;  // in clear only here; at rest it is sealed
};
struct TicketDraft {
    ticket::PersonType person_type = ticket::PersonType::adult;
    std::uint16_t persons = 1;
    std::vector<ticket::Entitlement> entitlements;
    std::optional<std::string> holder_document;  // becomes a keyed hash in the claims
    std::vector<CarrierDraft> carriers;
    std::string reference;  // the seller's own order number
    bool signed_qr = true;  // false: only the carriers (an OTA's own code)
};

enum class TicketState : std::uint8_t { issued = 1, revoked = 2 };
struct Ticket {
    ticket::Claims claims;  // of the present generation
    TicketState state = TicketState::issued;
    std::string reference;
    std::string revoked_why;
    WallTime issued_at;
    std::vector<std::string> carriers_masked;  // "code ****1234"
    std::optional<std::string> text;           // PF1:… of the present generation
};

enum class Refusal : std::uint8_t {
    ticket_unknown = 1,
    ticket_revoked,
    claims_bad,
    site_unknown,
    product_unknown,
    carrier_bad,
    carrier_taken,       // a code belongs to one ticket; documents and cards may carry many
    rotation_under_way,  // the rows of the key before are not all there yet
};
std::string_view to_text(Refusal refusal) noexcept;

struct Issued {
    Ticket ticket;
    Effects effects;  // news to the sites whose lists moved
};
/// `label` tells several tickets of one call apart. On a refusal the transaction must be undone.
Result<Issued, Refusal> issue(Repositories& r, const Call& call, const fleet::Keys& keys,
                              const TicketDraft& draft, std::string_view label = "one");
/// A ticket is on a site's list of tickets from so many days before its first day there until its
/// last is over: a stolen gate knows no season, and a list does not only grow.
inline constexpr int horizon_days_default = 14;
inline constexpr int horizon_days_max = 400;
/// Kept with the state, so that every transaction goes by the same.
void set_horizon(Repositories& r, int days);
/// A day longer, for gates whose clock or calendar is not quite ours.
inline constexpr int ended_grace_days = 1;

/// One slice of what time does to lists: tickets whose day comes near are put on them, ended ones
/// taken off both, rows rebuilt after a carrier key was rotated. More: call again, in a transaction
/// of its own.
struct Tick {
    bool more = false;
    Effects effects;  // news, when a piece of work is done
};
Tick tick(Repositories& r, const Call& call, const fleet::Keys& keys);
inline constexpr std::size_t tick_tickets_max = 200;

/// A new carrier key for a site. Tickets stay found: their rows under it follow slice by slice in
/// tick(), devices look under both keys, and the rows of the key before the last are taken off.
Result<Effects, Refusal> rotate_carrier_key(Repositories& r, const Call& call,
                                            const fleet::Keys& keys, SiteId site);
/// Whether rows of the newest carrier key are still to be made.
bool rebuilding(Repositories& r, SiteId site);

/// After a carrier key was rotated: the ticket's rows under the new key.
void rebuild_carriers(Repositories& r, const Call& call, const fleet::Keys& keys, TicketId id);
/// Lost phone: same ticket id, next generation, the old code refused everywhere.
Result<Issued, Refusal> reissue(Repositories& r, const Call& call, const fleet::Keys& keys,
                                TicketId id);
Result<Issued, Refusal> revoke(Repositories& r, const Call& call, const fleet::Keys& keys,
                               TicketId id, std::string_view why);
std::optional<Ticket> show(Repositories& r, TicketId id);
/// Where a list of tickets, newest first, goes on: after this one.
struct Shown {
    WallTime issued_at;
    TicketId ticket;
};
std::vector<Ticket> newest(Repositories& r, const std::optional<Shown>& after, std::size_t limit);
/// The signed text of a ticket's present generation, made anew under the newest key. Nothing for a
/// ticket that was issued without one or is revoked.
std::optional<std::string> text_of(Repositories& r, const Call& call, const fleet::Keys& keys,
                                   TicketId id);
/// Tickets of one carrier, by its clear text.
std::vector<TicketId> on_carrier(Repositories& r, const fleet::Keys& keys,
                                 admission::CarrierKind kind, std::string_view text);
inline constexpr std::size_t carrier_chars_max = 512;
inline constexpr std::size_t carriers_max = 8;

}  // namespace pf::server::orders
