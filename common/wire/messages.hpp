#pragma once
// What device and server say to each other, as structs. CDDL: docs/protocol/sync-v1.md, sections 4
// and 5. Every payload is one deterministic CBOR map with integer keys; unknown keys are refused.
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/base/ids.hpp"
#include "common/base/result.hpp"
#include "common/base/time.hpp"
#include "common/cbor/cbor.hpp"
#include "common/journal/event.hpp"
#include "common/wire/limits.hpp"

namespace pf::wire {

using cbor::Fault;
template <class T>
using Decoded = Result<T, Fault>;

enum class DeviceKind : std::uint8_t { gate = 1, terminal = 2, handheld = 3 };
enum class ListScope : std::uint8_t { revoked = 1, tickets = 2 };  // in the order they are applied
inline constexpr ListScope list_scopes[] = {ListScope::revoked, ListScope::tickets};

/// Where a device's copy of a list stands. Version 0: it has none.
struct ListState {
    ListScope scope = ListScope::revoked;
    Generation generation;
    std::uint64_t version = 0;
    Digest root{};
    friend bool operator==(const ListState&, const ListState&) = default;
};

// --- up
// -----------------------------------------------------------------------------------------------

/// First message of every connection.
struct Birth {
    std::uint64_t connect_counter =
        0;  // rises with every connection of this device; older ones are ignored
    BootId boot;
    DeviceKind kind = DeviceKind::gate;
    std::string firmware;
    journal::Cursor journal;                   // end of the journal
    std::optional<journal::Cursor> confirmed;  // last acknowledged …
    Generation confirmed_generation;           // … within this generation; 0: never
    std::vector<ListState> lists;
    Generation uses_generation;
    std::uint64_t uses_position = 0;
    std::vector<std::pair<std::uint8_t, std::uint64_t>> documents;  // DocumentType, version held
    WallTime wall;
    journal::ClockQuality clock = journal::ClockQuality::unset;
    friend bool operator==(const Birth&, const Birth&) = default;
};

/// Published by the broker when the connection dies.
struct Will {
    std::uint64_t connect_counter = 0;
    friend bool operator==(const Will&, const Will&) = default;
};

/// A contiguous piece of one device's journal. May be carried by another device: `device` says
/// whose it is and the signature proves it.
struct Batch {
    DeviceId device;
    Epoch epoch;
    std::uint64_t first_seq = 1;
    Digest head_before{};         // chain head of first_seq - 1 (genesis for first_seq 1)
    std::vector<Bytes> events;    // encoded journal::Event, in order, 1 to batch_events_max
    crypto::Signature signature;  // over journal::head_to_sign(device, cursor after the last event)
    friend bool operator==(const Batch&, const Batch&) = default;
};
/// The cursor after the batch's last event, computed from its bytes.
journal::Cursor cursor_after(const Batch& batch);

/// A device asks for what it lacks; the server keeps no session. Pages are asked for one at a time.
struct Want {
    enum class What : std::uint8_t {
        difference = 1,  // rows changed in (from_version, to_version], by key after `after`
        snapshot = 2,    // rows alive at to_version, by key after `after`
        buckets = 3,     // the 256 bucket sums at to_version
        bucket =
            4,     // rows alive at to_version whose key begins with `bucket`, by key after `after`
        uses = 5,  // log of uses after `uses_after`
        document = 6,  // newest document of `document_type`
    };
    What what = What::difference;
    std::uint64_t request = 0;  // echoed in the answer; answers to other requests are dropped
    ListScope scope = ListScope::revoked;
    Generation generation;  // of the state the device has; 0: none
    std::uint64_t from_version = 0;
    std::uint64_t to_version = 0;  // 0: the newest; the answer names it and later pages repeat it
    std::uint8_t bucket = 0;
    Bytes after;  // empty: from the beginning
    std::uint64_t uses_after = 0;
    std::uint8_t document_type = 0;
    friend bool operator==(const Want&, const Want&) = default;
};

/// Asks for the time; the answer echoes the nonce, so a delayed answer can't pass for a new one.
struct Ping {
    std::uint64_t nonce = 0;
    friend bool operator==(const Ping&, const Ping&) = default;
};

enum class CommandKind : std::uint8_t {
    open = 1,
    test_scan = 2,
    renew_certificate = 3,
    resend = 4
};
enum class CommandState : std::uint8_t {
    received = 1,
    accepted = 2,
    refused = 3,
    done = 4,
    failed = 5
};

struct CommandReply {
    std::array<Byte, 16> id{};
    CommandState state = CommandState::received;
    std::string
        detail;  // for people, at most detail_bytes_max: "expired", the verdict of a test scan, …
    friend bool operator==(const CommandReply&, const CommandReply&) = default;
};

/// Where the device's file begins: the event after `begin` is the oldest it keeps of that epoch.
/// Said when the server asks for an earlier one, which is gone for good (sync-v1.md 8.15).
struct Begins {
    journal::Cursor begin;
    friend bool operator==(const Begins&, const Begins&) = default;
};

// --- down
// ---------------------------------------------------------------------------------------------

/// The server has everything of `epoch` up to `seq` for good, within `generation`. Sent after its
/// COMMIT, in answer to a birth, and whenever a batch did not follow on (then the device sends on
/// from here).
struct Ack {
    enum class EventVerdict : std::uint8_t {
        over_admission = 1,    // more persons than the ticket allows, seen from all devices
        admitted_revoked = 2,  // the ticket was refunded or replaced before this admission
        quarantined = 3,       // kept, not booked: people look at it
        clock_wrong = 4,       // the wall time of the event can't be true
    };
    Generation generation;
    journal::Cursor upto;  // seq 0 with the genesis head: nothing yet
    std::vector<std::pair<std::uint64_t, EventVerdict>> verdicts;  // only what is not plain
    friend bool operator==(const Ack&, const Ack&) = default;
};

/// What the server has for this device; a device that has less asks with Want.
struct News {
    Generation generation;
    std::vector<ListState> lists;
    std::uint64_t uses_position = 0;
    std::vector<std::pair<std::uint8_t, std::uint64_t>> documents;
    friend bool operator==(const News&, const News&) = default;
};

/// One row of a list. `revoked`: key = ticket id (8 bytes), body = encode_revoked(). `tickets`: key
/// = carrier kind (1) + carrier hash (16) + ticket id (8), body = encode_carried(). Without body:
/// deleted.
struct ListRow {
    Bytes key;
    std::optional<Bytes> body;
    friend bool operator==(const ListRow&, const ListRow&) = default;
};

/// A page of a list, answering a Want. Equal bodies are sent once a page.
struct Chunk {
    std::uint64_t request = 0;
    Want::What what = Want::What::difference;
    ListScope scope = ListScope::revoked;
    Generation generation;
    std::uint64_t from_version = 0;
    std::uint64_t to_version = 0;
    std::uint8_t bucket = 0;
    bool last = false;          // no page follows
    std::vector<ListRow> rows;  // ascending by key
    Bytes manifest;  // on the last page: signed Document of type list_manifest for to_version
    /// The server can't give a difference from there (another generation, or forgotten): take a
    /// snapshot.
    bool snapshot_needed = false;
    friend bool operator==(const Chunk&, const Chunk&) = default;
};

/// Counts what a page has taken, so whoever fills one knows when it is full. take() books the row
/// and says true, or says false and books nothing: that row begins the next page.
class ChunkRoom {
public:
    bool take(const ListRow& row);

private:
    std::size_t rows_ = 0;
    std::size_t used_ = chunk_head_bytes_max;
    std::set<Bytes> bodies_;
};

struct Buckets {
    std::uint64_t request = 0;
    ListScope scope = ListScope::revoked;
    Generation generation;
    std::uint64_t version = 0;
    std::vector<Digest> sums;  // bucket_count
    Bytes manifest;            // for that version
    friend bool operator==(const Buckets&, const Buckets&) = default;
};

/// The state of one grant as the server knows it; a later one with the same grant replaces it.
struct UseItem {
    GrantId grant;
    TicketId ticket;
    ProductId product;
    Day day;
    Day last_day;               // forget after this day
    std::uint16_t persons = 0;  // granted less returned
    bool return_pending = false;
    WallTime at;
    std::uint16_t unseen = 0;       // of persons: the outcome is there and knows nothing of them
    bool automatic_return = false;  // the lane gave persons back by itself
    friend bool operator==(const UseItem&, const UseItem&) = default;
};

/// Pushed at once after a commit, or a page answering Want::uses (then `request` is set). Applies
/// only to a device that stands at or past `after`; it then stands at `upto`.
struct Uses {
    std::uint64_t request = 0;  // 0: pushed
    Generation generation;
    std::uint64_t after = 0;
    std::uint64_t upto = 0;
    bool more = false;
    std::vector<UseItem> items;
    friend bool operator==(const Uses&, const Uses&) = default;
};

struct Time {
    std::uint64_t nonce = 0;
    WallTime wall;
    friend bool operator==(const Time&, const Time&) = default;
};

// --- codecs: encode() gives the payload; decode_x() refuses anything but exactly that
// ------------------
Bytes encode(const Birth&);
Bytes encode(const Will&);
Bytes encode(const Batch&);
Bytes encode(const Want&);
Bytes encode(const Ping&);
Bytes encode(const CommandReply&);
Bytes encode(const Begins&);
Bytes encode(const Ack&);
Bytes encode(const News&);
Bytes encode(const Chunk&);
Bytes encode(const Buckets&);
Bytes encode(const Uses&);
Bytes encode(const Time&);
Decoded<Birth> decode_birth(BytesView);
Decoded<Will> decode_will(BytesView);
Decoded<Batch> decode_batch(BytesView);
Decoded<Want> decode_want(BytesView);
Decoded<Ping> decode_ping(BytesView);
Decoded<CommandReply> decode_command_reply(BytesView);
Decoded<Begins> decode_begins(BytesView);
Decoded<Ack> decode_ack(BytesView);
Decoded<News> decode_news(BytesView);
Decoded<Chunk> decode_chunk(BytesView);
Decoded<Buckets> decode_buckets(BytesView);
Decoded<Uses> decode_uses(BytesView);
Decoded<Time> decode_time(BytesView);

}  // namespace pf::wire
