#pragma once
// The server's half of docs/protocol/sync-v1.md in one place: which room answers which message, and
// what devices are told when something moved. Pure; the app feeds it and publishes what comes out.
#include <functional>
#include <string_view>

#include "sync-server/fleet/fleet.hpp"
#include "sync-server/store/transaction.hpp"

namespace pf::server::exchange {

/// One message of one device. Unknown topics, unknown or revoked devices and malformed payloads
/// become findings and quarantine, never an exception. The sender is known by its topic: the broker
/// lets a device write only to its own branch.
Effects on_message(Repositories& r, const Call& call, const fleet::Keys& keys,
                   std::string_view topic, BytesView payload);

/// News for every active device of a site: document versions, list states, position in the log of
/// uses.
std::vector<Outgoing> news(Repositories& r, SiteId site);

/// The same for every device of every site that was heard in the last `presence_ms`: a push may be
/// lost, and a device that misses one has no other way to learn it before its next birth.
/// Only to devices of partitions that are `ours`: other servers remind theirs.
std::vector<Outgoing> reminders(Repositories& r, WallTime now,
                                const std::function<bool(std::uint32_t partition)>& ours);
/// Three pings of a device (docs/protocol/sync-v1.md, 9.14).
inline constexpr Millis presence_ms{60'000};

}  // namespace pf::server::exchange
