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

Out claim(std::string_view name, Out value, std::string words) {
    return {{"claim", name}, {"value", std::move(value)}, {"words", std::move(words)}};
}

std::string words_of(Repositories& r, const ticket::Entitlement& e) {
    const auto site = fleet::site(r, e.site);
    const auto table = catalog::table(r, e.site);
    const admission::Product* product = table.find(e.product);
    const admission::Window* window = table.find(e.window);
    std::string text = fmt::format(
        "{} at {}, from {} to {}, {} {} {}",
        product ? product->name_en : fmt::format("product {} (unknown here)", e.product.value),
        site ? site->details.name_en : fmt::format("site {} (unknown here)", e.site.value),
        to_text(e.first_day), to_text(e.last_day), e.entries, e.entries == 1 ? "entry" : "entries",
        e.scope == ticket::Scope::day ? "each day" : "in all");
    if (window)
        text += fmt::format(", only {:02}:{:02} to {:02}:{:02}", window->from_min / 60,
                            window->from_min % 60, window->until_min / 60, window->until_min % 60);
    return text;
}

Out claims_in_words(Repositories& r, const ticket::Claims& claims) {
    Out out = Out::array();
    out.push_back(claim("ticket", to_text(claims.id), "the ticket's number"));
    out.push_back(claim("generation", claims.generation,
                        claims.generation == 1
                            ? "as first issued"
                            : fmt::format("reissued {} times", claims.generation - 1)));
    const auto& person = admission::words(claims.person_type);
    out.push_back(claim("person_type", ticket::to_text(claims.person_type),
                        fmt::format("{} {}", person.zh, person.en)));
    out.push_back(
        claim("persons", claims.persons,
              claims.persons == 1 ? "one person" : fmt::format("a group of {}", claims.persons)));
    if (claims.holder)
        out.push_back(claim("holder", to_hex(claims.holder->hash),
                            "bound to a document, which is shown at the gate"));
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
        known.uses.push_back({.product = c.product,
                              .day = c.day,
                              .persons = static_cast<std::uint16_t>(c.granted - c.returned),
                              .at = c.at,
                              .where = c.grant.device.text()});
    }
    std::ranges::sort(known.uses, {}, &admission::Use::at);
    return known;
}

Out verdict_at(const Context& c, const ticket::Claims& claims, const admission::Known& known,
               const admission::ProductTable& table, PointId point,
               admission::CarrierKind carrier) {
    const admission::Here here{.site = table.site,
                               .point = point,
                               .now = {c.call.now, c.call.now},
                               .carrier = carrier,
                               .persons_asked = std::nullopt,
                               .online = true};
    const admission::Verdict verdict = admission::decide(claims, known, &table, here);
    Out out{{"site", table.site.value},
            {"point", point.value},
            {"verdict", word(verdict.kind)},
            {"persons", verdict.persons},
            {"persons_left", verdict.persons_left},
            {"words", to_json(admission::words(verdict.reason))}};
    if (verdict.used)
        out["used"] = {{"device", verdict.used->where}, {"at", to_rfc3339(verdict.used->at)}};
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
        std::vector<PointId> points;
        for (const catalog::Point& point : catalog::points(c.r, site)) points.push_back(point.id);
        if (points.empty()) points.push_back(PointId{});  // a site without points has one entrance
        for (const PointId point : points)
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
