#include "firmware/ctl/event_words.hpp"

#include <variant>

#include "common/admission/reason.hpp"

namespace pf::firmware::ctl {
namespace {

using namespace pf::journal;

std::string_view word_of(ClockQuality clock) {
    switch (clock) {
        case ClockQuality::unset:
            return "unset";
        case ClockQuality::unsure:
            return "unsure";
        case ClockQuality::unconfirmed:
            return "unconfirmed";
        case ClockQuality::confirmed:
            return "confirmed";
    }
    std::abort();
}
std::string_view word_of(admission::CarrierKind kind) {
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
    std::abort();
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
    std::abort();
}

Json body_of(const EpochOpened& body) {
    Json out{{"why", static_cast<int>(body.why)}};
    if (body.parent) {
        out["parent"] = to_hex(to_be8(body.parent->value));
        out["parent_seq"] = body.parent_seq;
    }
    return out;
}
Json body_of(const Booted& body) { return {{"firmware", body.firmware}}; }
Json body_of(const ClockChanged& body) {
    return {{"source", static_cast<int>(body.source)}, {"moved_ms", body.moved_ms}};
}
Json body_of(const Admitted& body) {
    return {{"ticket", to_text(body.ticket)},   {"generation", body.generation},
            {"site", body.site.value},          {"product", body.product.value},
            {"point", body.point.value},        {"day", to_text(body.day)},
            {"persons", body.persons},          {"person_type", ticket::to_text(body.person_type)},
            {"carrier", word_of(body.carrier)}, {"flags", body.flags}};
}
Json body_of(const Refused& body) {
    Json out{{"reason", admission::words(body.reason).key},
             {"carrier", word_of(body.carrier)},
             {"staff_asked", body.staff_asked}};
    if (body.ticket) out["ticket"] = to_text(*body.ticket);
    if (body.product) out["product"] = body.product->value;
    return out;
}
Json body_of(const Outcome& body) {
    return {{"grant_seq", body.grant_seq},
            {"passed", body.passed},
            {"returned", body.returned},
            {"how", word_of(body.how)}};
}
Json body_of(const LaneAlarm& body) {
    Json out{{"what", word_of(body.what)}};
    if (body.grant_seq) out["grant_seq"] = *body.grant_seq;
    return out;
}
Json body_of(const ListApplied& body) {
    return {{"scope", body.scope},
            {"generation", body.generation.value},
            {"version", body.version},
            {"root", to_hex(body.root)}};
}
Json body_of(const CommandDone& body) {
    return {{"id", to_hex(body.id)}, {"kind", body.kind}, {"state", body.state}};
}
Json body_of(const Opened& body) {
    return {{"command", to_hex(body.command)}, {"persons", body.persons}};
}
Json body_of(const LetIn& body) {
    return {{"opened_seq", body.opened_seq}, {"passed", body.passed}, {"how", word_of(body.how)}};
}
Json body_of(const Finding& body) { return {{"code", body.code}, {"detail", body.detail}}; }

}  // namespace

Json event_json(BytesView bytes) {
    const auto event = decode(bytes);
    if (!event) {
        const bool newer = event.error() == Fault::kind_unknown;
        return {{"kind", newer ? "unknown" : "malformed"}, {"bytes", to_hex(bytes)}};
    }
    return {{"kind", kind_text(event->body)},
            {"at", to_rfc3339(event->wall)},
            {"clock", word_of(event->clock)},
            {"boot", to_hex(to_be8(event->boot.value))},
            {"steady_ms", to_ms(event->steady)},
            {"body", std::visit([](const auto& body) { return body_of(body); }, event->body)}};
}

}  // namespace pf::firmware::ctl
