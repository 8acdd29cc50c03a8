#pragma once
// How handlers answer: the domain's structs as JSON, the domain's refusals as problems. Inside the
// room.
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "sync-server/api/route.hpp"
#include "sync-server/catalog/catalog.hpp"
#include "sync-server/checkins/checkins.hpp"
#include "sync-server/findings/findings.hpp"
#include "sync-server/fleet/fleet.hpp"
#include "sync-server/ingest/ingest.hpp"
#include "sync-server/orders/orders.hpp"

namespace pf::server::api {

/// Keeps the order fields are written in.
using Out = nlohmann::ordered_json;

http::Response answer(const Out& json, int status = 200);
http::Response created(const Out& json, std::string location);
/// A page of a list; an empty cursor is written as null.
http::Response page(Out items, const std::string& next_cursor);

// --- refusals: the code of the problem is the domain's word
// ----------------------------------------------
int status_of(fleet::Refusal refusal) noexcept;
int status_of(catalog::Refusal refusal) noexcept;
int status_of(orders::Refusal refusal) noexcept;
int status_of(access::Refusal refusal) noexcept;
int status_of(store::Fault fault) noexcept;
/// "database_busy": the code of a problem.
std::string_view code_of(store::Fault fault) noexcept;

http::Problem problem_of(int status, std::string_view code, std::string detail = {});
template <class Refusal>
http::Problem problem_of(Refusal refusal, std::string detail = {}) {
    return problem_of(status_of(refusal), to_text(refusal), std::move(detail));
}
http::Problem not_found(std::string_view code);

Reply refuse(http::Problem problem);
template <class Refusal>
Reply refuse(Refusal refusal) {
    return refuse(problem_of(refusal));
}

// --- structs
// -------------------------------------------------------------------------------------------
Out to_json(const fleet::Site& site);
Out to_json(const catalog::Point& point);
Out to_json(const admission::Window& window);
Out to_json(const admission::Product& product);
Out to_json(const wire::Configuration& configuration);
Out to_json(const fleet::Device& device, WallTime now);
Out to_json(const fleet::Identity& identity, const Places& places);
Out to_json(const fleet::CommandRecord& record);
Out to_json(const ticket::Entitlement& entitlement);
Out to_json(const orders::Ticket& ticket);
Out to_json(const checkins::CheckIn& check_in);
Out to_json(const findings::Finding& finding);
Out to_json(const ingest::StoredEvent& stored);
Out to_json(const access::Key& key);
Out to_json(const access::Audit& audit);
Out to_json(const admission::Words& words);

Out time_or_null(const std::optional<WallTime>& at);

// --- words of the closed sets
// --------------------------------------------------------------------------
std::string_view word(wire::DeviceKind kind) noexcept;
std::string_view word(fleet::DeviceState state) noexcept;
std::string_view word(wire::CommandKind kind) noexcept;
std::string_view word(wire::CommandState state) noexcept;
std::string_view word(pf::journal::ClockQuality clock) noexcept;
std::string_view word(admission::StaleRule rule) noexcept;
std::string_view word(admission::CarrierKind kind) noexcept;
std::string_view word(admission::Verdict::Kind kind) noexcept;
std::string_view word(ticket::Scope scope) noexcept;
std::string_view word(orders::TicketState state) noexcept;
std::string_view word(wire::ListScope scope) noexcept;
std::optional<wire::DeviceKind> device_kind_from(std::string_view text) noexcept;
std::optional<wire::CommandKind> command_kind_from(std::string_view text) noexcept;
std::optional<admission::StaleRule> stale_rule_from(std::string_view text) noexcept;
std::optional<admission::CarrierKind> carrier_kind_from(std::string_view text) noexcept;
std::optional<ticket::Scope> scope_from(std::string_view text) noexcept;

// --- entity tags
// ------------------------------------------------------------------------------------
/// A strong tag over what the representation says.
std::string tag_of(const Out& json);
/// Nothing: If-Match names this tag (or is "*"); else 412, and 428 when it is missing.
std::optional<http::Problem> unmet(const http::Headers& headers, std::string_view tag);

}  // namespace pf::server::api
