// One line of the sync log: an event of a device's journal in words.
#include <variant>

#include "common/journal/event.hpp"
#include "sync-server/api/answer.hpp"

namespace pf::server::api {
namespace {

using namespace pf::journal;

Out body_of(const EpochOpened& body) {
    Out out{{"why", static_cast<int>(body.why)}};
    if (body.parent) {
        out["parent"] = to_hex(to_be8(body.parent->value));
        out["parent_seq"] = body.parent_seq;
    }
    return out;
}
Out body_of(const Booted& body) { return {{"firmware", body.firmware}}; }
Out body_of(const ClockChanged& body) {
    return {{"source", static_cast<int>(body.source)}, {"moved_ms", body.moved_ms}};
}
Out body_of(const Admitted& body) {
    return {{"ticket", to_text(body.ticket)}, {"generation", body.generation},
            {"site", body.site.value},        {"product", body.product.value},
            {"point", body.point.value},      {"day", to_text(body.day)},
            {"persons", body.persons},        {"person_type", ticket::to_text(body.person_type)},
            {"carrier", word(body.carrier)},  {"flags", body.flags}};
}
Out body_of(const Refused& body) {
    Out out{{"reason", admission::words(body.reason).key},
            {"carrier", word(body.carrier)},
            {"staff_asked", body.staff_asked}};
    if (body.ticket) out["ticket"] = to_text(*body.ticket);
    if (body.product) out["product"] = body.product->value;
    return out;
}
std::string_view word_of(Outcome::How how) {
    switch (how) {
        case Outcome::How::complete:
            return "complete";
        case Outcome::How::timeout:
            return "timeout";
        case Outcome::How::fault:
            return "fault";
        case Outcome::How::unknown:
            return "unknown";
        case Outcome::How::staff_undo:
            return "staff_undo";
        case Outcome::How::emergency:
            return "emergency";
    }
    return "unknown";
}
Out body_of(const Outcome& body) {
    return {{"grant_seq", body.grant_seq},
            {"passed", body.passed},
            {"returned", body.returned},
            {"how", word_of(body.how)}};
}
std::string_view word_of(LaneAlarm::What what) {
    switch (what) {
        case LaneAlarm::What::forced:
            return "forced";
        case LaneAlarm::What::tailgate:
            return "tailgate";
        case LaneAlarm::What::wrong_way:
            return "wrong_way";
        case LaneAlarm::What::jammed:
            return "jammed";
        case LaneAlarm::What::sensor_fault:
            return "sensor_fault";
        case LaneAlarm::What::cleared:
            return "cleared";
        case LaneAlarm::What::fire:
            return "fire";
        case LaneAlarm::What::fire_over:
            return "fire_over";
    }
    return "unknown";
}
Out body_of(const LaneAlarm& body) {
    Out out{{"what", word_of(body.what)}};
    if (body.grant_seq) out["grant_seq"] = *body.grant_seq;
    return out;
}
Out body_of(const ListApplied& body) {
    return {{"scope", body.scope},
            {"generation", body.generation.value},
            {"version", body.version},
            {"root", to_hex(body.root)}};
}
Out body_of(const CommandDone& body) {
    return {{"id", to_hex(body.id)}, {"kind", body.kind}, {"state", body.state}};
}
Out body_of(const Opened& body) {
    return {{"command", to_hex(body.command)}, {"persons", body.persons}};
}
Out body_of(const LetIn& body) {
    return {{"opened_seq", body.opened_seq},
            {"passed", body.passed},
            {"how", word_of(body.how)}};
}
Out body_of(const Finding& body) { return {{"code", body.code}, {"detail", body.detail}}; }

}  // namespace

Out to_json(const ingest::StoredEvent& stored) {
    Out out{{"position", stored.position},
            {"device", stored.device.text()},
            {"epoch", to_hex(to_be8(stored.epoch.value))},
            {"seq", stored.seq},
            {"received_at", to_rfc3339(stored.received_at)}};
    const auto event = decode(stored.event);
    if (!event) {
        // Newer firmware writes kinds this release does not know; they are kept and shown as they
        // are.
        out["kind"] = "unknown";
        out["bytes"] = to_hex(stored.event);
        return out;
    }
    out["kind"] = kind_text(event->body);
    out["at"] = to_rfc3339(event->wall);
    out["clock"] = word(event->clock);
    out["boot"] = to_hex(to_be8(event->boot.value));
    out["steady_ms"] = to_ms(event->steady);
    out["body"] = std::visit([](const auto& body) { return body_of(body); }, event->body);
    return out;
}

}  // namespace pf::server::api
