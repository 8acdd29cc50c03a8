#pragma once
// Journals arrive here: signed batches, gaps, forks, generations, quarantine. Acknowledged after
// COMMIT.
#include <vector>

#include "common/wire/messages.hpp"
#include "sync-server/fleet/fleet.hpp"
#include "sync-server/store/transaction.hpp"

namespace pf::server::ingest {

/// Books a batch that `sender` delivered (it may be another device's of the same site, forwarded).
/// Everything the answer needs is in the effects: an Ack to the sender at the cursor then reached,
/// Uses to the devices of the site. No Ack when the batch is nobody's: forged, of an unknown or
/// revoked device.
/// - What follows on what is stored is stored; what is stored already is skipped. Ack: the batch's
///   last event, also on a fork's branch, always under the epoch the device knows. On a branch of
///   the sender's own a second Ack, at the end of the first history, tells it that its file is an
///   old copy.
/// - A batch beyond a gap, or one whose head_before is in no history we have, is not booked. Ack:
///   our cursor, so that the device sends what is missing first.
Effects on_batch(Repositories& r, const Call& call, const fleet::Keys& keys,
                 const fleet::Device& sender, const wire::Batch& batch);
/// The same, and how many events were stored that were not here before: at the end, on a branch, or
/// into a hole.
struct Booked {
    Effects effects;
    std::size_t stored = 0;
};
Booked book_batch(Repositories& r, const Call& call, const fleet::Device& sender,
                  const wire::Batch& batch);
/// A clock that says so and is later than our own by more than this is wrong.
inline constexpr Millis clock_ahead_max_ms{10LL * 60 * 1000};

/// Payloads that are not what their topic says: kept with a reason, raised, never blocking.
Effects on_malformed(Repositories& r, const Call& call, const fleet::Device& sender,
                     BytesView payload, std::string_view why);

/// Keeps a payload aside for people; its number. The same payload of the same sender is kept once.
/// Nothing when the sender filled its share (quarantine_payloads_max).
std::optional<std::uint64_t> quarantine(Repositories& r, const Call& call, std::string_view sender,
                                        BytesView payload, std::string_view why);
inline constexpr std::size_t quarantine_payloads_max = 1'000;  // of one sender

/// A device knows more than this database does: a new generation begins, all sites move. Nothing a
/// device says here is signed by us (sync-v1.md has no field for a manifest), so it is believed
/// once in loss_claim_every_ms; beyond that it is a finding, and somebody decides (POST
/// /v1/generation).
void on_loss(Repositories& r, const Call& call, const fleet::Device& device, std::string_view why,
             Effects& effects);
/// A new generation makes every device of every site take snapshots: one gate must not bring that
/// about at will. An honest one has no second reason unless the database was restored in between.
inline constexpr Millis loss_claim_every_ms{24LL * 60 * 60 * 1000};

/// The Ack that answers a birth. A device that was confirmed further than this database remembers,
/// or holds a later list or use than there is, proves a loss: a new generation begins.
Effects on_birth(Repositories& r, const Call& call, const fleet::Device& device,
                 const wire::Birth& birth);

/// A device says where its file begins: events we ask for are gone on both sides. A finding, a
/// stand-in for the last of them in the log, and an Ack there, so that the rest can follow. What is
/// in such a hole may still come (an old export): it is booked, and the cursor stays.
Effects on_begins(Repositories& r, const Call& call, const fleet::Device& device,
                  const wire::Begins& said);

/// Where we stand with one epoch of a device (or with a branch, by its branch_epoch()).
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
    std::uint64_t position =
        0;  // order of arrival over all devices: the sync log; given by the store
    std::optional<wire::Ack::EventVerdict> verdict;  // nothing: plain
};
/// The sync log, oldest first, after a position.
std::vector<StoredEvent> log_after(Repositories& r, std::uint64_t position, std::size_t limit);

}  // namespace pf::server::ingest
