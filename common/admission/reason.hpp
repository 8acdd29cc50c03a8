#pragma once
// Why a gate answered as it did, and what everyone is told about it.
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "common/ticket/claims.hpp"
#include "common/ticket/token.hpp"

namespace pf::admission {

/// Numbers are on the wire and in every ledger: append, never reuse. docs/protocol/ticket-v1.md
/// section 7.
enum class Reason : std::uint8_t {
    ok = 1,
    ok_group_part = 2,  // admitted, persons left on the ticket
    // The code itself (10 to 29).
    unknown_code = 10,  // not our ticket, and no list entry: maybe sold a minute ago
    code_oversize = 11,
    code_not_base45 = 12,
    code_truncated = 13,
    code_trailing_bytes = 14,
    code_duplicate_key = 15,
    code_not_canonical = 16,
    code_unknown_header = 17,
    code_bad_claims = 18,
    key_unknown = 19,
    bad_signature = 20,
    holder_mismatch = 21,  // the document shown is not the one the ticket names
    // What became of the ticket (30 to 49).
    revoked = 30,     // refunded, cancelled
    superseded = 31,  // reissued or rescheduled: there is a newer code
    wrong_site = 32,
    wrong_point = 33,  // this product is not for this point
    expired = 34,
    not_yet_valid = 35,
    outside_window = 36,  // right day, wrong hour
    already_used = 37,
    return_pending = 38,    // another gate counted it; who passed there has not travelled yet
    outcome_unknown = 39,   // a gate opened, and nobody knows whether someone passed: a restart, a
                            // faulty sensor
    too_many_persons = 40,  // asked for more than are left
    // What this device can't know (50 to 69).
    product_not_here_yet = 50,
    list_stale = 51,
    clock_unsure = 52,
    device_not_ready = 53,  // not paired, no configuration
    ambiguous = 54,         // several tickets answer equally well: staff choose
    // What staff must look at (70 to 79).
    show_certificate = 70,  // concession: proof needed
    // The device (90 to 99).
    storage_failed = 90,  // not written, so not opened
    lane_busy = 91,
    lane_fault = 92,
    emergency = 93,  // the lane is free, nothing is counted
};

enum class Light : std::uint8_t { green = 1, yellow = 2, red = 3, blue = 4 };
enum class Sound : std::uint8_t { chime = 1, attention = 2, buzz = 3 };

/// What a tourist and the staff beside the gate are told. Never empty.
struct Words {
    Reason reason;
    std::string_view key;  // "already_used": API, logs, files
    std::string_view zh;   // spoken and shown
    std::string_view en;
    std::string_view do_zh;  // what to do next
    std::string_view do_en;
    Light light;
    Sound sound;
};
const Words& words(Reason reason) noexcept;
std::span<const Words> all_words() noexcept;
std::optional<Reason> reason_from(std::uint64_t number) noexcept;
Reason reason_of(ticket::Fault fault) noexcept;
/// Is what was shown no ticket at all, as far as can be told (10 to 20)?
constexpr bool is_about_the_code(Reason reason) noexcept {
    return reason >= Reason::unknown_code && reason <= Reason::bad_signature;
}

/// A person type as shown at the gate, with its own light, so staff can check concessions.
struct PersonWords {
    ticket::PersonType type;
    std::string_view zh;
    std::string_view en;
    Light light;
};
const PersonWords& words(ticket::PersonType type) noexcept;

}  // namespace pf::admission
