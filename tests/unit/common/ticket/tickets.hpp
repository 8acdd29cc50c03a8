#pragma once
// Tickets and keys for the tests of this folder.
#include "common/ticket/token.hpp"

namespace pf::tests {

/// The example key of docs/protocol/ticket-v1.md, section 8 (RFC 6979 A.2.5).
inline crypto::PrivateKey example_key() {
    return *crypto::PrivateKey::from_pem(
        "-----BEGIN EC PRIVATE KEY-----\n"
        "MHcCAQEEIMmvqdhFunUWa1whV2ex1pNOUMPbNuibEnuKYisSD2choAoGCCqGSM49\n"
        "AwEHoUQDQgAEYP7UuiVanTHJYet0xjVtaMBJuJI7Yfps5mliLmDyn7Z5A/4QCLi8\n"
        "maQa6elWKLxk8vGyDC1+n1F3o8KU1EYimQ==\n"
        "-----END EC PRIVATE KEY-----\n");
}

inline ticket::Entitlement typical_entitlement() {
    return {.site = {341},
            .product = {12007},
            .first_day = {20574},
            .last_day = {20574},
            .window = {0},
            .entries = 1,
            .scope = ticket::Scope::validity};
}

inline ticket::Claims typical_claims() {
    return {.id = {0x7c1f9d20a45be863},
            .generation = 1,
            .person_type = ticket::PersonType::adult,
            .persons = 1,
            .holder = std::nullopt,
            .entitlements = {typical_entitlement()}};
}

inline ticket::Claims joint_of_three() {
    auto claims = typical_claims();
    claims.entitlements[0].last_day = {20576};
    for (const std::uint32_t site : {342U, 350U}) {
        claims.entitlements.push_back(claims.entitlements[0]);
        claims.entitlements.back().site = {site};
    }
    return claims;
}

/// Every number as long as it can be.
inline ticket::Claims worst_claims() {
    ticket::Claims claims{.id = {UINT64_MAX},
                          .generation = UINT32_MAX,
                          .person_type = ticket::PersonType::free,
                          .persons = ticket::persons_max,
                          .holder = ticket::Holder{.key = UINT16_MAX, .hash = {}},
                          .entitlements = {}};
    for (std::uint32_t i = 0; i < ticket::entitlements_max; ++i) {
        const Day first{ticket::first_day_max};
        claims.entitlements.push_back({.site = {UINT32_MAX - i},
                                       .product = {UINT32_MAX},
                                       .first_day = first,
                                       .last_day = first + (ticket::validity_days_max - 1),
                                       .window = {UINT32_MAX},
                                       .entries = ticket::entries_max,
                                       .scope = ticket::Scope::day});
    }
    return claims;
}

}  // namespace pf::tests
