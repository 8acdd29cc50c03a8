#include "firmware/ctl/event_words.hpp"

#include <fmt/format.h>

#include <variant>

#include "common/admission/reason.hpp"
#include "firmware/ctl/ticket_words.hpp"
#include "firmware/ctl/words.hpp"

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

Words same(std::string text) { return {text, text}; }

Words reason_words(std::string_view key) {
    for (const auto& words : admission::all_words())
        if (words.key == key) return {std::string{words.en}, std::string{words.zh}};
    return same(std::string{key});
}

/// Every flag that is set.
Words flag_words(const Json& value) {
    const auto flags = value.is_number_unsigned() ? value.get<std::uint64_t>() : 0;
    Words out;
    for (std::uint64_t bit = 1; bit != 0 && bit <= flags; bit <<= 1U) {
        if ((flags & bit) == 0) continue;
        const auto one = words_of(Set::flag, std::to_string(bit));
        out.en += (out.en.empty() ? "" : " + ") + one.en;
        out.zh += (out.zh.empty() ? "" : "、") + one.zh;
    }
    return out;
}

/// What a field's value says; a field's name alone does not tell, its event does.
Words value_words(std::string_view kind, std::string_view name, const Json& value) {
    const std::string text = harmless(plain(value));
    if (value.is_boolean()) return value.get<bool>() ? Words{"yes", "是"} : Words{"no", "否"};
    if (name == "reason") return reason_words(text);
    if (name == "person_type") return person_type_words(text);
    if (name == "carrier") return words_of(Set::carrier, text);
    if (name == "flags") return flag_words(value);
    if (name == "how") return words_of(Set::passage, text);
    if (name == "what") return words_of(Set::alarm, text);
    if (name == "scope") return words_of(Set::list, text);
    if (kind == "epoch_opened" && name == "why") return words_of(Set::epoch_begins, text);
    if (kind == "clock_changed" && name == "source") return words_of(Set::clock_source, text);
    if (kind == "command_done" && name == "kind") return words_of(Set::command, text);
    if (kind == "command_done" && name == "state") return words_of(Set::command_state, text);
    if (kind == "finding" && name == "code") return words_of(Set::report, text);
    return same(text);
}

/// Fields no person reads: in JSON they are.
bool for_machines(std::string_view name, const Json& value) {
    return name == "root" || (name == "flags" && value == 0);
}

}  // namespace

Words words_of_event(const Json& event) {
    const std::string kind = field(event, "kind");
    Words out = words_of(Set::event, kind);
    const Json body = event.value("body", Json::object());
    bool first = true;
    for (const auto& [name, value] : body.items()) {
        if (for_machines(name, value)) continue;
        const auto what = words_of(Set::event_field, name);
        const auto said = value_words(kind, name, value);
        out.en += fmt::format("{}{} {}", first ? ": " : ", ", what.en, said.en);
        out.zh += fmt::format("{}{} {}", first ? "：" : "，", what.zh, said.zh);
        first = false;
    }
    if (event.contains("bytes")) {
        out.en += ": " + field(event, "bytes");
        out.zh += "：" + field(event, "bytes");
    }
    return {harmless(out.en), harmless(out.zh)};
}

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
