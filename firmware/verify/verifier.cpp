#include "firmware/verify/verifier.hpp"

#include <algorithm>
#include <set>

namespace pf::firmware::verify {

using admission::CarrierKind;
using admission::Known;
using admission::Reason;
using admission::Verdict;

/// One ticket the presented thing may stand for.
struct Verifier::Candidate {
    ticket::Claims claims;
    CarrierKind carrier = CarrierKind::signed_qr;
};

/// What recognise() found: tickets, or why there are none.
struct Verifier::Recognised {
    CarrierKind carrier = CarrierKind::signed_qr;
    std::vector<Candidate> candidates;
    Verdict otherwise;
};

/// Everything a decision needs, gathered before the transaction begins.
struct Verifier::Question {
    const Request& request;
    const Standing& standing;
    admission::ProductTable table;  // as this device may check it
    admission::TimeRange now;
    bool online;
    Recognised recognised;
};

namespace {

CarrierKind carrier_kind(Presented::Kind kind) noexcept {
    switch (kind) {
        case Presented::Kind::code:
            return CarrierKind::code;
        case Presented::Kind::document:
            return CarrierKind::document;
        case Presented::Kind::card:
            return CarrierKind::card;
    }
    return CarrierKind::code;
}

Verdict no(Reason reason, Verdict::Kind kind = Verdict::Kind::refuse) {
    Verdict verdict;
    verdict.kind = kind;
    verdict.reason = reason;
    return verdict;
}

/// A device coded for some products answers `wrong_point` for the rest (remote coding 远程编码).
admission::ProductTable as_coded(const Standing& standing) {
    admission::ProductTable table = *standing.products;
    const auto& allowed = standing.configuration->products;
    if (allowed.empty()) return table;
    for (admission::Product& product : table.products) {
        if (std::ranges::find(allowed, product.id) == allowed.end())
            product.points = {PointId{UINT32_MAX}};  // no device stands at this point
    }
    return table;
}

/// How close a refusal came to a yes: of several tickets on one document the visitor hears the
/// nearest one.
/// Reasons that speak of the ticket itself, not of here and now, are the farthest.
int nearness(Reason reason) noexcept {
    constexpr std::pair<Reason, int> near[] = {
        {Reason::outside_window, 5}, {Reason::not_yet_valid, 4},   {Reason::already_used, 3},
        {Reason::return_pending, 3}, {Reason::outcome_unknown, 3}, {Reason::wrong_point, 2},
        {Reason::expired, 1},
    };
    for (const auto& [known, value] : near)
        if (known == reason) return value;
    return 0;
}

std::array<Byte, 8> short_hash(const Standing& standing, const Presented& presented) {
    const auto hash =
        wire::carrier_hash(standing.secrets.carrier_keys.front().key, carrier_kind(presented.kind),
                           wire::normalise(carrier_kind(presented.kind), presented.text));
    std::array<Byte, 8> out{};
    std::copy_n(hash.begin(), out.size(), out.begin());
    return out;
}

}  // namespace

void wipe(std::string& text) noexcept {
    volatile char* at = text.data();
    for (std::size_t left = text.size(); left > 0; --left) *at++ = '\0';
    text.clear();
}

bool answers_for_the_frame(const Answer& answer) noexcept {
    const Verdict& verdict = answer.verdict;
    if (verdict.kind != Verdict::Kind::refuse || answer.claims) return true;
    return !admission::is_about_the_code(verdict.reason);
}

admission::Known known_of(TicketId ticket, SiteId site, const cache::Cache& cache,
                          const pf::firmware::journal::View& view,
                          const admission::TimeRange& now) {
    Known known;
    if (const auto revoked = cache.revoked(ticket)) known.refused_below = revoked->below;
    const auto fresh = [&](wire::ListScope scope) {
        return admission::freshness(cache.list(scope).fresh_until, now);
    };
    known.revoked_list = fresh(wire::ListScope::revoked);
    known.tickets_list = fresh(wire::ListScope::tickets);

    // Staff decide about those nobody saw, never about those who were seen to pass.
    const auto tell = [&](admission::Use use, std::uint16_t persons, bool unknown) {
        use.persons = persons;
        use.outcome_unknown = unknown;
        if (persons > 0) known.uses.push_back(std::move(use));
    };
    // A union of grants, never a sum of counters: what both sides tell of counts once, and what the
    // own journal says of its own grants is newer than what the server heard of them.
    std::set<GrantId> own;
    for (const journal::OwnUse& use : view.uses_of(ticket)) {
        own.insert(use.grant);
        if (use.site != site || use.granted <= use.returned) continue;
        const auto counted = static_cast<std::uint16_t>(use.granted - use.returned);
        const std::uint16_t seen = use.outcome_unknown ? std::min(use.passed, counted) : counted;
        const admission::Use told{.product = use.product,
                                  .day = use.day,
                                  .return_pending = false,
                                  .at = use.at,
                                  .where = use.grant.device.text()};
        tell(told, seen, false);
        tell(told, static_cast<std::uint16_t>(counted - seen), true);
    }
    for (const wire::UseItem& item : cache.uses_of(ticket)) {
        if (own.contains(item.grant)) continue;
        const admission::Use told{.product = item.product,
                                  .day = item.day,
                                  .return_pending = item.return_pending,
                                  .at = item.at,
                                  .where = item.grant.device.text()};
        tell(told, static_cast<std::uint16_t>(item.persons - item.unseen), false);
        tell(told, item.unseen, true);
    }
    std::ranges::stable_sort(known.uses, {}, &admission::Use::at);
    return known;
}

int automatic_returns_of(TicketId ticket, Day day, const cache::Cache& cache,
                         const pf::firmware::journal::View& view) {
    std::set<GrantId> grants;
    for (const journal::OwnUse& use : view.uses_of(ticket))
        if (use.automatic_return && use.day == day) grants.insert(use.grant);
    for (const wire::UseItem& item : cache.uses_of(ticket))
        if (item.automatic_return && item.day == day) grants.insert(item.grant);
    return static_cast<int>(grants.size());
}

Verifier::Recognised Verifier::recognise(const Presented& presented, const Standing& standing,
                                         bool tickets_stale) const {
    if (presented.kind == Presented::Kind::code && presented.text.starts_with(ticket::prefix)) {
        const auto token =
            ticket::open(presented.text, [&](const crypto::KeyId& id) -> const crypto::PublicKey* {
                const auto found = std::ranges::find(
                    standing.ticket_keys, id, &std::pair<crypto::KeyId, crypto::PublicKey>::first);
                return found == standing.ticket_keys.end() ? nullptr : &found->second;
            });
        if (token.has_value())
            return {CarrierKind::signed_qr, {{token->claims, CarrierKind::signed_qr}}, {}};
        const Reason reason = admission::reason_of(token.error());
        // An unknown key may be a ring that has not arrived: staff are asked, nobody is called a
        // cheat.
        return {
            CarrierKind::signed_qr,
            {},
            no(reason, reason == Reason::key_unknown ? Verdict::Kind::ask : Verdict::Kind::refuse)};
    }

    const CarrierKind kind = carrier_kind(presented.kind);
    Recognised found{kind, {}, no(Reason::unknown_code)};
    const std::string normalised = wire::normalise(kind, presented.text);
    for (const wire::SiteKey& key : standing.secrets.carrier_keys) {
        for (const wire::Carried& carried :
             cache_.carried(kind, wire::carrier_hash(key.key, kind, normalised))) {
            const bool known =
                std::ranges::any_of(found.candidates, [&](const Candidate& candidate) {
                    return candidate.claims.id == carried.claims.id;
                });
            if (!known) found.candidates.push_back({carried.claims, kind});
        }
    }
    // Not on a list that may be old is not the same as not sold.
    if (tickets_stale) found.otherwise = no(Reason::list_stale, Verdict::Kind::ask);
    return found;
}

Answer Verifier::judge(const Question& question, const journal::View& view) const {
    const Request& request = question.request;
    struct Judged {
        const Candidate* candidate;
        Verdict verdict;
    };
    std::vector<Judged> judged;
    for (const Candidate& candidate : question.recognised.candidates) {
        if (request.chosen && candidate.claims.id != *request.chosen) continue;
        const Known known =
            known_of(candidate.claims.id, question.standing.site, cache_, view, question.now);
        const admission::Here here{.site = question.standing.site,
                                   .point = question.standing.configuration->point,
                                   .now = question.now,
                                   .carrier = candidate.carrier,
                                   .persons_asked = request.persons,
                                   .staff_confirmed = request.staff_confirmed,
                                   .online = question.online};
        judged.push_back(
            {&candidate, admission::decide(candidate.claims, known, &question.table, here)});
    }
    if (judged.empty())
        return {.verdict = question.recognised.otherwise,
                .claims = {},
                .grant_seq = {},
                .candidates = {},
                .storage = {}};

    // Those valid here and now first, then those staff may wave through, then the nearest refusal;
    // within each the earliest end, so that a ticket about to lapse is used before one that lives
    // on.
    const auto rank = [&question](const Judged& j) {
        const int kind = j.verdict.kind == Verdict::Kind::admit ? 0
                         : j.verdict.kind == Verdict::Kind::ask ? 1
                                                                : 2;
        const auto end = j.verdict.entitlement
                             ? admission::end_of(*j.verdict.entitlement, &question.table)
                             : std::pair{Day{INT32_MAX}, std::uint16_t{0}};
        return std::tuple{kind, kind == 2 ? -nearness(j.verdict.reason) : 0, end};
    };
    std::ranges::stable_sort(judged, {}, rank);
    const Judged& best = judged.front();
    Answer answer{.verdict = best.verdict,
                  .claims = best.candidate->claims,
                  .grant_seq = {},
                  .candidates = {},
                  .storage = {}};
    const bool tie = judged.size() > 1 && best.verdict.kind != Verdict::Kind::refuse &&
                     rank(judged[0]) == rank(judged[1]);
    if (tie) {
        answer.verdict = no(Reason::ambiguous, Verdict::Kind::ask);
        answer.claims.reset();
        for (const Judged& j : judged)
            if (rank(j) == rank(best)) answer.candidates.push_back(j.candidate->claims);
    }
    return answer;
}

std::optional<pf::journal::Body> Verifier::event_of(const Question& question,
                                                    const Answer& answer) const {
    const Verdict& verdict = answer.verdict;
    const Request& request = question.request;
    if (request.only_look) return std::nullopt;
    const CarrierKind carrier = question.recognised.carrier;
    if (verdict.kind == Verdict::Kind::admit) {
        const auto& entitlement = *verdict.entitlement;
        const auto revoked = cache_.list(wire::ListScope::revoked).state;
        return pf::journal::Admitted{.ticket = answer.claims->id,
                                     .generation = answer.claims->generation,
                                     .site = entitlement.site,
                                     .product = entitlement.product,
                                     .point = question.standing.configuration->point,
                                     .day = *verdict.day,
                                     .persons = verdict.persons,
                                     .person_type = answer.claims->person_type,
                                     .carrier = carrier,
                                     .flags = verdict.flags,
                                     .awaits_passage = request.awaits_passage,
                                     .last_day = entitlement.last_day,
                                     .seen = {revoked.generation, revoked.version,
                                              cache_.list(wire::ListScope::tickets).state.version,
                                              cache_.uses_position().position}};
    }
    pf::journal::Refused refused{.reason = verdict.reason,
                                 .carrier = carrier,
                                 .ticket = std::nullopt,
                                 .code_hash = std::nullopt,
                                 .product = std::nullopt,
                                 .staff_asked = verdict.kind == Verdict::Kind::ask};
    if (answer.claims) refused.ticket = answer.claims->id;
    if (verdict.entitlement) refused.product = verdict.entitlement->product;
    if (!question.standing.secrets.carrier_keys.empty())
        refused.code_hash = short_hash(question.standing, request.presented);
    return refused;
}

Answer Verifier::check(const Request& request, const Standing& standing, const Timekeeper& clock,
                       Reading now, BootId boot, bool online) {
    if (!standing.configuration)
        return {.verdict = no(Reason::device_not_ready),
                .claims = {},
                .grant_seq = {},
                .candidates = {},
                .storage = {}};
    const admission::TimeRange range = clock.range(now);
    const bool tickets_stale =
        admission::freshness(cache_.list(wire::ListScope::tickets).fresh_until, range) !=
        admission::Freshness::fresh;
    Question question{.request = request,
                      .standing = standing,
                      .table = {},
                      .now = range,
                      .online = online,
                      .recognised = recognise(request.presented, standing, tickets_stale)};
    // Without a product table nothing is invalid: the products have only not arrived yet.
    question.table.site = standing.site;
    if (standing.products) question.table = as_coded(standing);

    Answer answer;
    const journal::Stamp stamp{clock.best(now), now.steady, boot, clock.quality()};
    const auto written = journal_.transact(stamp, [&](const journal::View& view) {
        answer = judge(question, view);
        return event_of(question, answer);
    });
    if (written.has_error()) {
        // Not written, so not opened (invariant 1). The answer says which disk problem, for the
        // log.
        answer.storage = written.error();
        answer.verdict = no(Reason::storage_failed);
        return answer;
    }
    if (answer.verdict.kind == Verdict::Kind::admit && *written)
        answer.grant_seq = (*written)->cursor.seq;
    return answer;
}

}  // namespace pf::firmware::verify
