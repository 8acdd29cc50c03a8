#include <array>
#include <cstdlib>

#include "sync-server/api/answer.hpp"

namespace pf::server::api {
namespace {

template <class Enum, std::size_t N>
std::optional<Enum> from(const std::array<Enum, N>& values, std::string_view text) noexcept {
    for (const Enum value : values)
        if (word(value) == text) return value;
    return std::nullopt;
}

}  // namespace

std::string_view word(wire::DeviceKind kind) noexcept {
    switch (kind) {
        case wire::DeviceKind::gate:
            return "gate";
        case wire::DeviceKind::terminal:
            return "terminal";
        case wire::DeviceKind::handheld:
            return "handheld";
    }
    std::abort();
}

std::string_view word(fleet::DeviceState state) noexcept {
    switch (state) {
        case fleet::DeviceState::invited:
            return "invited";
        case fleet::DeviceState::active:
            return "active";
        case fleet::DeviceState::revoked:
            return "revoked";
    }
    std::abort();
}

std::string_view word(wire::CommandKind kind) noexcept {
    switch (kind) {
        case wire::CommandKind::open:
            return "open";
        case wire::CommandKind::test_scan:
            return "test_scan";
        case wire::CommandKind::renew_certificate:
            return "renew_certificate";
        case wire::CommandKind::resend:
            return "resend";
    }
    std::abort();
}

std::string_view word(wire::CommandState state) noexcept {
    switch (state) {
        case wire::CommandState::received:
            return "received";
        case wire::CommandState::accepted:
            return "accepted";
        case wire::CommandState::refused:
            return "refused";
        case wire::CommandState::done:
            return "done";
        case wire::CommandState::failed:
            return "failed";
    }
    std::abort();
}

std::string_view word(pf::journal::ClockQuality clock) noexcept {
    switch (clock) {
        case pf::journal::ClockQuality::unset:
            return "unset";
        case pf::journal::ClockQuality::unsure:
            return "unsure";
        case pf::journal::ClockQuality::unconfirmed:
            return "unconfirmed";
        case pf::journal::ClockQuality::confirmed:
            return "confirmed";
    }
    std::abort();
}

std::string_view word(admission::StaleRule rule) noexcept {
    switch (rule) {
        case admission::StaleRule::admit:
            return "admit";
        case admission::StaleRule::ask:
            return "ask";
        case admission::StaleRule::refuse:
            return "refuse";
    }
    std::abort();
}

std::string_view word(admission::CarrierKind kind) noexcept {
    switch (kind) {
        case admission::CarrierKind::signed_qr:
            return "signed_qr";
        case admission::CarrierKind::code:
            return "code";
        case admission::CarrierKind::document:
            return "document";
        case admission::CarrierKind::card:
            return "card";
    }
    std::abort();
}

std::string_view word(admission::Verdict::Kind kind) noexcept {
    switch (kind) {
        case admission::Verdict::Kind::admit:
            return "admit";
        case admission::Verdict::Kind::ask:
            return "ask";
        case admission::Verdict::Kind::refuse:
            return "refuse";
    }
    std::abort();
}

std::string_view word(ticket::Scope scope) noexcept {
    switch (scope) {
        case ticket::Scope::validity:
            return "validity";
        case ticket::Scope::day:
            return "day";
    }
    std::abort();
}

std::string_view word(orders::TicketState state) noexcept {
    switch (state) {
        case orders::TicketState::issued:
            return "issued";
        case orders::TicketState::revoked:
            return "revoked";
    }
    std::abort();
}

std::string_view word(wire::ListScope scope) noexcept {
    switch (scope) {
        case wire::ListScope::revoked:
            return "revoked";
        case wire::ListScope::tickets:
            return "tickets";
    }
    std::abort();
}

std::optional<wire::DeviceKind> device_kind_from(std::string_view text) noexcept {
    using enum wire::DeviceKind;
    return from(std::array{gate, terminal, handheld}, text);
}

std::optional<wire::CommandKind> command_kind_from(std::string_view text) noexcept {
    using enum wire::CommandKind;
    return from(std::array{open, test_scan, renew_certificate, resend}, text);
}

std::optional<admission::StaleRule> stale_rule_from(std::string_view text) noexcept {
    using enum admission::StaleRule;
    return from(std::array{admit, ask, refuse}, text);
}

/// What a carrier besides the signed code may be.
std::optional<admission::CarrierKind> carrier_kind_from(std::string_view text) noexcept {
    using enum admission::CarrierKind;
    return from(std::array{code, document, card}, text);
}

std::optional<ticket::Scope> scope_from(std::string_view text) noexcept {
    using enum ticket::Scope;
    return from(std::array{validity, day}, text);
}

}  // namespace pf::server::api
