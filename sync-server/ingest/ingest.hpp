#pragma once
// Journals arrive here: signed batches, gaps, forks, generations, quarantine. Acknowledged after
// COMMIT.
#include <vector>

#include "common/wire/messages.hpp"
#include "sync-server/fleet/fleet.hpp"
#include "sync-server/store/transaction.hpp"

namespace pf::server::ingest {

/// Books a batch that `sender` delivered (it may be another device's, forwarded). Everything the
/// answer needs is in the effects: an Ack to the sender at the cursor then reached, Uses to the
/// other devices.
Effects on_batch(Repositories& r, const Call& call, const fleet::Keys& keys,
                 const fleet::Device& sender, const wire::Batch& batch);
/// Payloads that are not a batch, and batches nobody may book: kept with a reason, raised, never
/// blocking.
Effects on_malformed(Repositories& r, const Call& call, const fleet::Device& sender,
                     BytesView payload, std::string_view why);

/// The Ack that answers a birth. A device that was confirmed further than this database remembers
/// proves a loss: a new generation begins.
Effects on_birth(Repositories& r, const Call& call, const fleet::Device& device,
                 const wire::Birth& birth);

/// Where we stand with one epoch of a device.
std::optional<pf::journal::Cursor> cursor(Repositories& r, const DeviceId& device, Epoch epoch);

/// The epoch under which a fork's branch is kept: derived from the first divergent event, the same
/// for everyone who computes it.
Epoch branch_epoch(Epoch epoch, const Digest& head_of_first_divergent);

struct StoredEvent {
    DeviceId device;
    Epoch epoch;
    std::uint64_t seq;
    Bytes event;
    WallTime received_at;
    std::uint64_t position;  // order of arrival over all devices: the sync log
};
/// The sync log, oldest first, after a position.
std::vector<StoredEvent> log_after(Repositories& r, std::uint64_t position, std::size_t limit);

}  // namespace pf::server::ingest
