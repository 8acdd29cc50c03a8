// Any text a tourist holds, explained: what it says, whether it is ours, what the server knows of
// it, and what a gate would answer now. Nothing is counted.
#include <fmt/format.h>

#include <algorithm>

#include "common/ticket/token.hpp"
#include "sync-server/api/answer.hpp"
#include "sync-server/api/decode.hpp"
#include "sync-server/api/handlers.hpp"

namespace pf::server::api {
namespace {

/// A sentence in both languages.
struct Said {
    std::string en;
    std::string zh;
};

Out claim(std::string_view name, Out value, Said words) {
    return {{"claim", name},
            {"value", std::move(value)},
            {"words", std::move(words.en)},
            {"words_zh", std::move(words.zh)}};
}

Said words_of(Repositories& r, const ticket::Entitlement& e) {
    const auto site = fleet::site(r, e.site);
    const auto table = catalog::table(r, e.site);
    const admission::Product* product = table.find(e.product);
    const admission::Window* window = table.find(e.window);
    const bool each_day = e.scope == ticket::Scope::day;
    std::string en = fmt::format(
        "{} at {}, from {} to {}, {} {} {}",
        product ? product->name_en : fmt::format("product {} (unknown here)", e.product.value),
        site ? site->details.name_en : fmt::format("site {} (unknown here)", e.site.value),
        to_text(e.first_day), to_text(e.last_day), e.entries, e.entries == 1 ? "entry" : "entries",
        each_day ? "each day" : "in all");
    std::string zh = fmt::format(
        "{}的{}，{} 至 {}，{}可入 {} 次",
        site ? site->details.name_zh : fmt::format("景区 {}（这里没有）", e.site.value),
        product ? product->name_zh : fmt::format("产品 {}（这里没有）", e.product.value),
        to_text(e.first_day), to_text(e.last_day), each_day ? "每天" : "共", e.entries);
    if (window) {
        const auto clock = [](int minute) {
            return fmt::format("{:02}:{:02}", minute / 60, minute % 60);
        };
        en += fmt::format(", only {} to {}", clock(window->from_min), clock(window->until_min));
        zh += fmt::format("，仅限 {} 至 {}", clock(window->from_min), clock(window->until_min));
    }
    return {std::move(en), std::move(zh)};
}

Out claims_in_words(Repositories& r, const ticket::Claims& claims) {
    Out out = Out::array();
    out.push_back(claim("ticket", to_text(claims.id), {"the ticket's number", "票号"}));
    const auto reissued = claims.generation - 1;
    out.push_back(claim("generation", claims.generation,
                        reissued == 0 ? Said{"as first issued", "首次出票"}
                                      : Said{fmt::format("reissued {} times", reissued),
                                             fmt::format("补发过 {} 次", reissued)}));
    const auto& person = admission::words(claims.person_type);
    out.push_back(claim("person_type", ticket::to_text(claims.person_type),
                        {fmt::format("{} {}", person.zh, person.en), std::string{person.zh}}));
    out.push_back(claim("persons", claims.persons,
                        claims.persons == 1 ? Said{"one person", "一人"}
                                            : Said{fmt::format("a group of {}", claims.persons),
                                                   fmt::format("团队 {} 人", claims.persons)}));
    if (claims.holder)
        out.push_back(
            claim("holder", to_hex(claims.holder->hash),
                  {"bound to a document, which is shown at the gate", "绑定证件，检票时出示"}));
    for (const ticket::Entitlement& e : claims.entitlements)
        out.push_back(claim("entitlement", to_json(e), words_of(r, e)));
    return out;
}

/// What the server knows beyond the claims, in the form the rule takes.
admission::Known known_of(Repositories& r, const ticket::Claims& claims, SiteId site,
                          const std::optional<orders::Ticket>& sold) {
    admission::Known known;
    if (sold && sold->state == orders::TicketState::revoked)
        known.refused_below = admission::generation_all;
    else if (sold && sold->claims.generation > claims.generation)
        known.refused_below = sold->claims.generation;
    for (const checkins::CheckIn& c : checkins::of_ticket(r, claims.id)) {
        if (c.site != site) continue;
        const auto tell = [&](int persons, bool unknown) {
            if (persons == 0) return;
            known.uses.push_back({.product = c.product,
                                  .day = c.day,
                                  .persons = static_cast<std::uint16_t>(persons),
                                  .return_pending = !c.settled,
                                  .outcome_unknown = unknown,
                                  .at = c.at,
                                  .where = c.grant.device.text()});
        };
        tell(c.granted - c.returned - c.unseen, false);
        tell(c.unseen, true);
    }
    std::ranges::sort(known.uses, {}, &admission::Use::at);
    return known;
}

/// Where and when a ticket was used, as people at the site say it.
Out use_of(Repositories& r, const admission::Use& use, const Calendar& calendar) {
    Out out{{"device", use.where}, {"at", to_rfc3339(use.at)}};
    const auto id = DeviceId::parse(use.where);
    if (const auto device = id ? fleet::device(r, *id) : std::nullopt) {
        out["device_zh"] = device->configuration.name_zh;
        out["device_en"] = device->configuration.name_en;
    }
    // As a watch there shows it, whatever hour the site's day begins at.
    const Calendar watch{.utc_offset_min = calendar.utc_offset_min, .day_begins_min = 0};
    const int minute = watch.minute_of(use.at);
    out["local_time"] =
        fmt::format("{} {:02}:{:02}", to_text(watch.day_of(use.at)), minute / 60, minute % 60);
    return out;
}

Out verdict_at(const Context& c, const ticket::Claims& claims, const admission::Known& known,
               const admission::ProductTable& table, const catalog::Point& point,
               admission::CarrierKind carrier) {
    const admission::Here here{.site = table.site,
                               .point = point.id,
                               .now = {c.call.now, c.call.now},
                               .carrier = carrier,
                               .persons_asked = std::nullopt,
                               .online = true};
    const admission::Verdict verdict = admission::decide(claims, known, &table, here);
    Out out{{"site", table.site.value},
            {"point", point.id.value},
            {"verdict", word(verdict.kind)},
            {"persons", verdict.persons},
            {"persons_left", verdict.persons_left},
            {"words", to_json(admission::words(verdict.reason))}};
    if (const auto site = fleet::site(c.r, table.site)) {
        out["site_zh"] = site->details.name_zh;
        out["site_en"] = site->details.name_en;
    }
    if (point.id.value != 0) {
        out["point_zh"] = point.name_zh;
        out["point_en"] = point.name_en;
    }
    if (verdict.used) out["used"] = use_of(c.r, *verdict.used, table.calendar);
    return out;
}

Out places_of(const Context& c, const ticket::Claims& claims,
              const std::optional<orders::Ticket>& sold, admission::CarrierKind carrier) {
    std::vector<SiteId> sites;
    for (const ticket::Entitlement& e : claims.entitlements)
        if (std::ranges::find(sites, e.site) == sites.end()) sites.push_back(e.site);
    Out out = Out::array();
    for (const SiteId site : sites) {
        if (!fleet::site(c.r, site)) continue;
        const auto table = catalog::table(c.r, site);
        const auto known = known_of(c.r, claims, site, sold);
        auto points = catalog::points(c.r, site);
        // A site without points has one entrance.
        if (points.empty())
            points.push_back({.id = {}, .site = site, .name_zh = {}, .name_en = {}});
        for (const catalog::Point& point : points)
            out.push_back(verdict_at(c, claims, known, table, point, carrier));
    }
    return out;
}

Out ticket_explained(const Context& c, const ticket::Claims& claims,
                     admission::CarrierKind carrier) {
    const auto sold = orders::show(c.r, claims.id);
    Out known{{"issued_here", sold.has_value()}};
    if (sold) {
        known["state"] = word(sold->state);
        known["generation"] = sold->claims.generation;
        known["reference"] = sold->reference;
        known["issued_at"] = to_rfc3339(sold->issued_at);
        if (sold->state == orders::TicketState::revoked) known["revoked_why"] = sold->revoked_why;
    }
    known["check_ins"] = Out::array();
    for (const auto& check_in : checkins::of_ticket(c.r, claims.id))
        known["check_ins"].push_back(to_json(check_in));
    return {{"claims", claims_in_words(c.r, claims)},
            {"known", std::move(known)},
            {"now", places_of(c, claims, sold, carrier)}};
}

Out signed_explained(const Context& c, const std::string& text) {
    const auto read = ticket::read(text);
    if (!read) {
        const auto reason = admission::reason_of(read.error());
        return {{"kind", "signed"},
                {"fault", ticket::to_text(read.error())},
                {"words", to_json(admission::words(reason))},
                {"tickets", Out::array()}};
    }
    std::string signature = "key_unknown";
    for (const crypto::PublicKey& key : fleet::ticket_public_keys(c.r)) {
        if (crypto::key_id(key) != read->token.key) continue;
        signature = key.verify(read->signed_bytes, read->signature) ? "valid" : "bad";
    }
    Out out{{"kind", "signed"},
            {"key", to_hex(read->token.key)},
            {"signature", signature},
            {"cose_bytes", read->cose_bytes},
            {"tickets", Out::array()}};
    Out one = ticket_explained(c, read->token.claims, admission::CarrierKind::signed_qr);
    if (signature != "valid") {
        // What an unproven code would be let do is nothing, whatever it claims.
        const auto reason =
            signature == "bad" ? admission::Reason::bad_signature : admission::Reason::key_unknown;
        out["words"] = to_json(admission::words(reason));
        one["now"] = Out::array();
    }
    out["tickets"].push_back(std::move(one));
    return out;
}

Out opaque_explained(const Context& c, const std::string& text) {
    Out out{{"kind", "opaque"}, {"tickets", Out::array()}};
    using enum admission::CarrierKind;
    for (const admission::CarrierKind kind : {code, document, card}) {
        for (const TicketId id : orders::on_carrier(c.r, c.keys, kind, text)) {
            const auto sold = orders::show(c.r, id);
            if (!sold) continue;
            Out one = ticket_explained(c, sold->claims, kind);
            one["carrier"] = word(kind);
            out["tickets"].push_back(std::move(one));
        }
    }
    if (out["tickets"].empty())
        out["words"] = to_json(admission::words(admission::Reason::unknown_code));
    return out;
}

}  // namespace

Prepared<Read> explain_text(const http::Request& request) {
    Body body{request};
    Object root = body.root();
    const std::string text = root.text("text", 1, 2 * ticket::text_chars_max);
    root.done();
    if (body.bad()) return body.problem();
    return [text](const Context& c) {
        return answer(text.starts_with(ticket::prefix) ? signed_explained(c, text)
                                                       : opaque_explained(c, text));
    };
}

}  // namespace pf::server::api
