#include <fmt/format.h>

#include <map>

#include "common/journal/event.hpp"
#include "sync-server/api/answer.hpp"

namespace pf::server::api {

Out time_or_null(const std::optional<WallTime>& at) { return at ? Out(to_rfc3339(*at)) : Out{}; }

namespace {

template <class T>
Out number_or_null(const std::optional<T>& id) {
    return id ? Out(id->value) : Out{};
}

template <class Ids>
Out numbers(const Ids& ids) {
    Out out = Out::array();
    for (const auto id : ids) out.push_back(id.value);
    return out;
}

std::string hex_of(Epoch epoch) { return to_hex(to_be8(epoch.value)); }

}  // namespace

Out to_json(const fleet::Site& site) {
    return {{"id", site.id.value},
            {"name_zh", site.details.name_zh},
            {"name_en", site.details.name_en},
            {"utc_offset_min", site.details.calendar.utc_offset_min},
            {"day_begins_min", site.details.calendar.day_begins_min}};
}

Out to_json(const catalog::Point& point) {
    return {{"id", point.id.value},
            {"site", point.site.value},
            {"name_zh", point.name_zh},
            {"name_en", point.name_en}};
}

Out to_json(const admission::Window& window) {
    return {
        {"id", window.id.value}, {"from_min", window.from_min}, {"until_min", window.until_min}};
}

Out to_json(const admission::Product& product) {
    Out certificate = Out::array();
    for (const auto type : product.certificate) certificate.push_back(ticket::to_text(type));
    return {{"id", product.id.value},       {"name_zh", product.name_zh},
            {"name_en", product.name_en},   {"points", numbers(product.points)},
            {"stale", word(product.stale)}, {"certificate", std::move(certificate)}};
}

Out to_json(const wire::Configuration& c) {
    return {{"number", c.number},
            {"name_zh", c.name_zh},
            {"name_en", c.name_en},
            {"kind", word(c.kind)},
            {"spot", c.spot.value},
            {"point", c.point.value},
            {"products", numbers(c.products)},
            {"lane", {{"pulse_ms", c.lane.pulse_ms}, {"passage_wait_ms", c.lane.passage_wait_ms}}},
            {"online_within_ms", c.online_within_ms}};
}

Out to_json(const fleet::Device& device, WallTime now) {
    // The will alone proves nothing; silence does.
    const bool online = device.connected && device.last_heard &&
                        now - *device.last_heard <= Millis{device.configuration.online_within_ms};
    return {{"id", device.id.text()},
            {"site", device.site.value},
            {"state", word(device.state)},
            {"online", online},
            {"connected", device.connected},
            {"last_heard", time_or_null(device.last_heard)},
            {"clock", word(device.clock)},
            {"firmware", device.firmware},
            {"certificate_until", time_or_null(device.certificate_until)},
            {"topic_root", fleet::topic_root(device)},
            {"configuration", to_json(device.configuration)}};
}

Out to_json(const fleet::Identity& identity, const Places& places) {
    return {{"device", identity.device.text()},
            {"site", identity.site.value},
            {"certificate_pem", identity.certificate_pem},
            {"authority_pem", identity.authority_pem},
            {"site_authority", to_hex(identity.site_authority)},
            {"topic_root", identity.topic_root},
            {"broker", {{"host", places.broker_host}, {"port", places.broker_port}}},
            {"renewal_url", places.renewal_url}};
}

Out to_json(const fleet::CommandRecord& record) {
    const wire::Command& command = record.command;
    // The text of a test scan is a code somebody may hold: it is not repeated.
    return {{"id", to_hex(command.id)},
            {"device", record.device.text()},
            {"kind", word(command.kind)},
            {"issuer", command.issuer},
            {"issued_at", to_rfc3339(record.issued_at)},
            {"expires_at", to_rfc3339(command.expires_at)},
            {"state", record.state ? Out(word(*record.state)) : Out{}},
            {"detail", record.detail}};
}

Out to_json(const ticket::Entitlement& entitlement) {
    return {{"site", entitlement.site.value},
            {"product", entitlement.product.value},
            {"first_day", to_text(entitlement.first_day)},
            {"last_day", to_text(entitlement.last_day)},
            {"window", entitlement.window.value},
            {"entries", entitlement.entries},
            {"scope", word(entitlement.scope)}};
}

Out to_json(const orders::Ticket& ticket) {
    Out entitlements = Out::array();
    for (const auto& entitlement : ticket.claims.entitlements)
        entitlements.push_back(to_json(entitlement));
    Out out{{"id", to_text(ticket.claims.id)},
            {"generation", ticket.claims.generation},
            {"state", word(ticket.state)},
            {"person_type", ticket::to_text(ticket.claims.person_type)},
            {"persons", ticket.claims.persons},
            {"named", ticket.claims.holder.has_value()},
            {"entitlements", std::move(entitlements)},
            {"carriers", ticket.carriers_masked},
            {"reference", ticket.reference},
            {"issued_at", to_rfc3339(ticket.issued_at)}};
    if (ticket.state == orders::TicketState::revoked) out["revoked_why"] = ticket.revoked_why;
    if (ticket.text) out["text"] = *ticket.text;
    return out;
}

Out to_json(const checkins::CheckIn& c) {
    return {{"device", c.grant.device.text()},
            {"epoch", hex_of(c.grant.epoch)},
            {"seq", c.grant.seq},
            {"site", c.site.value},
            {"product", c.product.value},
            {"day", to_text(c.day)},
            {"granted", c.granted},
            {"passed", c.passed},
            {"returned", c.returned},
            {"settled", c.settled},
            {"flags", c.flags},
            {"at", to_rfc3339(c.at)},
            {"received_at", to_rfc3339(c.received_at)}};
}

Out to_json(const findings::Finding& finding) {
    return {{"id", finding.id},
            {"kind", findings::to_text(finding.kind)},
            {"at", to_rfc3339(finding.at)},
            {"site", number_or_null(finding.site)},
            {"device", finding.device ? Out(finding.device->text()) : Out{}},
            {"ticket", finding.ticket ? Out(to_text(*finding.ticket)) : Out{}},
            {"epoch", finding.epoch ? Out(hex_of(*finding.epoch)) : Out{}},
            {"seq", finding.seq},
            {"detail", finding.detail}};
}

Out to_json(const access::Key& key) {
    Out permissions = Out::array();
    for (const auto permission : access::all_permissions())
        if (key.permissions.names(permission)) permissions.push_back(access::to_text(permission));
    return {{"id", key.id},
            {"name", key.name},
            {"permissions", std::move(permissions)},
            {"created_by", key.created_by},
            {"created_at", to_rfc3339(key.created_at)},
            {"revoked_at", time_or_null(key.revoked_at)}};
}

Out to_json(const access::Audit& audit) {
    return {{"number", audit.number},        {"at", to_rfc3339(audit.at)},
            {"actor", audit.actor},          {"action", audit.action},
            {"target", audit.target},        {"outcome", audit.outcome},
            {"request_id", audit.request_id}};
}

Out to_json(const admission::Words& words) {
    return {{"reason", words.key},
            {"zh", words.zh},
            {"en", words.en},
            {"do_zh", words.do_zh},
            {"do_en", words.do_en}};
}

}  // namespace pf::server::api
