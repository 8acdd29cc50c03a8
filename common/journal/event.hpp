#pragma once
// What a device remembers, and how it is chained. Shape: docs/protocol/sync-v1.md, section 3.
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/admission/decide.hpp"
#include "common/base/ids.hpp"
#include "common/base/result.hpp"
#include "common/base/time.hpp"
#include "common/cbor/cbor.hpp"
#include "common/crypto/crypto.hpp"

namespace pf::journal {

/// How far the device trusted its wall clock when it wrote. On the wire: append, never reuse.
enum class ClockQuality : std::uint8_t {
    unset = 1,        // below the clock floor: the battery is dead
    unsure = 2,       // stepped since the last confirmation
    unconfirmed = 3,  // plausible, but nobody confirmed it since boot
    confirmed = 4,    // the server or NTP agreed since boot
};

/// First event of an epoch. The parent is the epoch this journal continues, if any.
struct EpochOpened {
    enum class Why : std::uint8_t { first = 1, rolled_back = 2, damaged = 3 };
    Why why = Why::first;
    std::optional<Epoch> parent;
    std::uint64_t parent_seq = 0;
    Digest parent_head{};
    friend bool operator==(const EpochOpened&, const EpochOpened&) = default;
};

inline constexpr std::size_t firmware_chars_max = 32;

struct Booted {
    std::string firmware;  // version text, at most firmware_chars_max of printable ASCII
    friend bool operator==(const Booted&, const Booted&) = default;
};

/// The wall clock moved against the steady one, or someone confirmed it.
struct ClockChanged {
    enum class Source : std::uint8_t { stepped = 1, server = 2, ntp = 3, staff = 4 };
    Source source = Source::stepped;
    std::int64_t moved_ms = 0;  // new wall minus expected wall
    friend bool operator==(const ClockChanged&, const ClockChanged&) = default;
};

/// What the device knew when it decided: list versions and position in the log of uses.
struct Seen {
    Generation generation;
    std::uint64_t revoked_version = 0;
    std::uint64_t tickets_version = 0;
    std::uint64_t uses_position = 0;
    friend bool operator==(const Seen&, const Seen&) = default;
};

/// Invariant 1: durable before the arm opens. Its seq is the grant's (GrantId).
struct Admitted {
    TicketId ticket;
    std::uint32_t generation = 1;  // of the ticket
    SiteId site;
    ProductId product;
    PointId point;
    Day day;  // operating day it counts on
    std::uint16_t persons = 0;
    ticket::PersonType person_type = ticket::PersonType::adult;
    admission::CarrierKind carrier = admission::CarrierKind::signed_qr;
    std::uint32_t flags = 0;     // admission::Flag
    bool awaits_passage = true;  // a lane will write an Outcome; a handheld will not
    Day last_day;                // end of the entitlement: how long others must remember the use
    Seen seen;
    friend bool operator==(const Admitted&, const Admitted&) = default;
};

/// Failed attempts are kept too. No code in clear: 8 bytes of its HMAC under the site key.
struct Refused {
    admission::Reason reason = admission::Reason::unknown_code;
    admission::CarrierKind carrier = admission::CarrierKind::signed_qr;
    std::optional<TicketId> ticket;
    std::optional<std::array<Byte, 8>> code_hash;
    std::optional<ProductId> product;
    bool staff_asked = false;  // the verdict was `ask` and nobody said yes
    friend bool operator==(const Refused&, const Refused&) = default;
};

/// How a grant ended; at most one per grant, written by the granting device. returned = what goes
/// back to the ticket. passed + returned <= granted.
struct Outcome {
    enum class How : std::uint8_t {
        complete = 1,    // everyone passed
        timeout = 2,     // the wait ended before all passed
        fault = 3,       // sensor or barrier fault: nothing returns by itself
        unknown = 4,     // restart in between (admission::Reason::outcome_unknown)
        staff_undo = 5,  // handheld: admitted by mistake
        emergency = 6,
    };
    std::uint64_t grant_seq = 0;  // in this epoch
    std::uint16_t passed = 0;
    std::uint16_t returned = 0;
    How how = How::complete;
    friend bool operator==(const Outcome&, const Outcome&) = default;
};

/// A lane that could not watch says nothing of those it did not see pass: they count as used, and
/// staff decide about them (admission::Reason::outcome_unknown).
constexpr bool passage_unknown(Outcome::How how) noexcept {
    switch (how) {
        case Outcome::How::fault:
        case Outcome::How::unknown:
        case Outcome::How::emergency:
            return true;
        case Outcome::How::complete:
        case Outcome::How::timeout:
        case Outcome::How::staff_undo:
            return false;
    }
    std::abort();  // a value outside the enum means memory is corrupt
}
/// The lane gave somebody back to the ticket without anybody's word: at most twice a ticket and
/// day.
constexpr bool returned_by_itself(const Outcome& outcome) noexcept {
    return outcome.how == Outcome::How::timeout && outcome.returned > 0;
}

struct LaneAlarm {
    enum class What : std::uint8_t {
        forced = 1,
        tailgate = 2,
        wrong_way = 3,
        jammed = 4,
        sensor_fault = 5,
        cleared = 6,
        fire = 7,
        fire_over = 8
    };
    What what = What::forced;
    std::optional<std::uint64_t> grant_seq;
    friend bool operator==(const LaneAlarm&, const LaneAlarm&) = default;
};

struct ListApplied {
    std::uint8_t scope = 0;  // wire::ListScope
    Generation generation;
    std::uint64_t version = 0;
    Digest root{};
    friend bool operator==(const ListApplied&, const ListApplied&) = default;
};

struct CommandDone {
    std::array<Byte, 16> id{};
    std::uint8_t kind = 0;   // wire::CommandKind
    std::uint8_t state = 0;  // wire::CommandState
    friend bool operator==(const CommandDone&, const CommandDone&) = default;
};

/// A barrier opened by a command, for people without a ticket: durable before the pulse, as an
/// admission is. What came of it is a LetIn that names this event.
struct Opened {
    std::array<Byte, 16> command{};
    std::uint16_t persons = 1;
    friend bool operator==(const Opened&, const Opened&) = default;
};

/// How many people a command let in; at most one per Opened, none when the device restarted in
/// between.
struct LetIn {
    std::uint64_t opened_seq = 0;  // in this epoch
    std::uint16_t passed = 0;
    Outcome::How how = Outcome::How::complete;  // never staff_undo
    friend bool operator==(const LetIn&, const LetIn&) = default;
};

inline constexpr std::size_t finding_code_chars_max = 32;
inline constexpr std::size_t detail_bytes_max = 200;

/// Something headquarters should look at. `code` is a stable word, `detail` for people, without
/// codes in clear.
struct Finding {
    std::string code;    // 1 to finding_code_chars_max characters of [a-z_]
    std::string detail;  // UTF-8, at most detail_bytes_max bytes
    friend bool operator==(const Finding&, const Finding&) = default;
};
/// A finding whose detail is cut to its limit between two characters: details come from error texts
/// of any length.
Finding finding(std::string_view code, std::string_view detail);

using Body = std::variant<EpochOpened, Booted, ClockChanged, Admitted, Refused, Outcome, LaneAlarm,
                          ListApplied, CommandDone, Finding, Opened, LetIn>;
/// Wire number of a body: 1 for EpochOpened and so on in the order of Body. Frozen.
std::uint8_t kind_of(const Body& body) noexcept;
std::string_view kind_text(const Body& body) noexcept;

struct Event {
    std::uint64_t seq = 0;  // from 1, without gaps, within an epoch
    WallTime wall;
    SteadyTime steady;
    BootId boot;
    ClockQuality clock = ClockQuality::unset;
    Body body;
    friend bool operator==(const Event&, const Event&) = default;
};

inline constexpr std::size_t event_bytes_max = 1024;

/// An event of a kind this build does not know decodes to nothing but is still chained and kept.
enum class Fault : std::uint8_t {
    malformed = 1,     // not the CBOR of an event
    kind_unknown = 2,  // written by newer firmware
    chain_broken = 3,  // the previous head does not match
    gap = 4,           // seq skips
    bad_signature = 5,
};
std::string_view to_text(Fault fault) noexcept;

Bytes encode(const Event& event);
Result<Event, Fault> decode(BytesView bytes);
/// The seq of an encoded event of any kind, also unknown ones.
Result<std::uint64_t, Fault> seq_of(BytesView bytes);

/// Head of an epoch before its first event.
Digest genesis(const DeviceId& device, Epoch epoch);
/// SHA-256(previous head || event bytes).
Digest next_head(const Digest& head, BytesView event);

/// Where a journal stands: everything up to and including `seq`, whose chain head is `head`.
struct Cursor {
    Epoch epoch;
    std::uint64_t seq = 0;
    Digest head{};
    friend bool operator==(const Cursor&, const Cursor&) = default;
};

/// What the device signs so that nobody else can book events in its name: (device, epoch, seq,
/// head).
Bytes head_to_sign(const DeviceId& device, const Cursor& cursor);

}  // namespace pf::journal
