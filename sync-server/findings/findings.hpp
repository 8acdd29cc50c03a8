#pragma once
// What headquarters must look at. Never silence: over-admissions, forks, gaps, quarantine, wrong
// clocks.
#include <optional>
#include <string>
#include <vector>

#include "common/base/ids.hpp"
#include "common/base/time.hpp"
#include "sync-server/store/transaction.hpp"

namespace pf::server::findings {

/// Append, never reuse.
enum class Kind : std::uint8_t {
    over_admission = 1,
    admitted_revoked = 2,
    fork = 3,
    quarantined = 4,
    clock_wrong = 5,
    forged = 6,  // a batch whose signature is not its device's
    foreign_topic = 7,
    revoked_device = 8,   // a revoked device spoke
    state_lost = 9,       // a device has more confirmed than we remember: a new generation began
    reported = 10,        // a Finding event of a device
    ticket_unknown = 11,  // admitted on a ticket, or for a product of it, that is not known here
    loss_claimed = 12,    // a device says again that we forgot something; not believed this time
};
inline constexpr Kind newest_kind = Kind::loss_claimed;  // moves with every one appended
std::string_view to_text(Kind kind) noexcept;

struct Finding {
    std::uint64_t id = 0;
    Kind kind = Kind::reported;
    WallTime at;
    std::optional<SiteId> site;
    std::optional<DeviceId> device;
    std::optional<TicketId> ticket;
    std::optional<Epoch> epoch;
    std::uint64_t seq = 0;
    std::string detail;
};

/// Raised once per (kind, device, epoch, seq, ticket): a batch delivered again raises nothing new.
void raise(Repositories& r, const Call& call, Finding finding);
std::vector<Finding> newest(Repositories& r, std::uint64_t before_id, std::size_t limit);

}  // namespace pf::server::findings
