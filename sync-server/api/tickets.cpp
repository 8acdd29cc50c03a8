// Tickets: issued, found, replaced, revoked.
#include <fmt/format.h>

#include <algorithm>

#include "sync-server/api/answer.hpp"
#include "sync-server/api/decode.hpp"
#include "sync-server/api/handlers.hpp"

namespace pf::server::api {
namespace {

constexpr std::size_t batch_tickets_max = 500;
constexpr std::size_t reference_bytes_max = 64;
constexpr std::size_t why_bytes_max = 200;
constexpr std::size_t document_bytes_max = 64;

ticket::Entitlement entitlement_from(Object& item) {
    ticket::Entitlement e;
    e.site = SiteId{item.number<std::uint32_t>("site", 1)};
    e.product = ProductId{item.number<std::uint32_t>("product", 1)};
    e.first_day = item.day("first_day");
    e.last_day = item.day("last_day");
    if (e.last_day < e.first_day)
        item.refuse("last_day", "days_reversed", "must not be before first_day");
    e.window = WindowId{item.number_or<std::uint32_t>("window", 0)};
    e.entries = item.number_or<std::uint16_t>("entries", 1, 1, ticket::entries_max);
    e.scope = item.word_or<ticket::Scope>("scope", ticket::Scope::validity, scope_from);
    item.done();
    return e;
}

orders::TicketDraft draft_from(Object& root) {
    orders::TicketDraft draft;
    draft.person_type = root.word_or<ticket::PersonType>(
        "person_type", ticket::PersonType::adult,
        [](std::string_view text) { return ticket::person_type_from(text); });
    draft.persons = root.number_or<std::uint16_t>("persons", 1, 1, ticket::persons_max);
    root.objects("entitlements", true, 1, ticket::entitlements_max,
                 [&](Object& item) { draft.entitlements.push_back(entitlement_from(item)); });
    draft.holder_document = root.text_if("holder_document", document_bytes_max);
    root.objects("carriers", false, 0, orders::carriers_max, [&](Object& item) {
        orders::CarrierDraft carrier;
        carrier.kind = item.word<admission::CarrierKind>("kind", admission::CarrierKind::code,
                                                         carrier_kind_from);
        carrier.text = item.text("text", 1, orders::carrier_chars_max);
        item.done();
        draft.carriers.push_back(std::move(carrier));
    });
    draft.reference = root.text_or("reference", "", reference_bytes_max);
    draft.signed_qr = root.flag_or("signed_qr", true);
    root.done();
    return draft;
}

std::optional<TicketId> ticket_in(const http::Request& request) {
    return ticket_id_from(request.parameter("ticket"));
}

std::string location_of(TicketId id) { return "/v1/tickets/" + to_text(id); }

Reply done(orders::Issued issued, http::Response response) {
    const TicketId id = issued.ticket.claims.id;
    return {.response = std::move(response),
            .committed = {.effects = std::move(issued.effects), .revoked = {}},
            .target = "ticket " + to_text(id)};
}

}  // namespace

Prepared<Write> issue_ticket(const http::Request& request) {
    Body body{request};
    Object root = body.root();
    const orders::TicketDraft draft = draft_from(root);
    if (body.bad()) return body.problem();
    return [draft](const Context& c) -> Reply {
        auto issued = orders::issue(c.r, c.call, c.keys, draft);
        if (issued.has_error()) return refuse(issued.error());
        auto response = created(to_json(issued->ticket), location_of(issued->ticket.claims.id));
        return done(std::move(*issued), std::move(response));
    };
}

Prepared<Write> issue_batch(const http::Request& request) {
    Body body{request};
    Object root = body.root();
    std::vector<orders::TicketDraft> drafts;
    root.objects("tickets", true, 1, batch_tickets_max,
                 [&](Object& item) { drafts.push_back(draft_from(item)); });
    root.done();
    if (body.bad()) return body.problem();
    return [drafts](const Context& c) -> Reply {
        Reply reply;
        Out items = Out::array();
        for (std::size_t i = 0; i < drafts.size(); ++i) {
            auto issued = orders::issue(c.r, c.call, c.keys, drafts[i], std::to_string(i));
            if (issued.has_error()) {
                // All or nothing: half a batch would leave the seller guessing which half.
                auto problem = problem_of(issued.error());
                problem.errors.push_back({fmt::format("/tickets/{}", i),
                                          std::string{orders::to_text(issued.error())},
                                          "no ticket of this request was issued"});
                return refuse(std::move(problem));
            }
            items.push_back(to_json(issued->ticket));
            reply.committed.effects.add(std::move(issued->effects));
        }
        reply.target = fmt::format("{} tickets", drafts.size());
        reply.response = answer(Out{{"items", std::move(items)}}, 201);
        return reply;
    };
}

Prepared<Read> list_tickets(const http::Request& request) {
    const auto page_wanted = page_of(request);
    if (const auto* problem = std::get_if<http::Problem>(&page_wanted)) return *problem;
    const Page wanted = std::get<Page>(page_wanted);
    const auto cursor = from_cursor("ticket", wanted.cursor);
    if (!wanted.cursor.empty() && !cursor) return query_problem("cursor", "is not one of ours");
    return [wanted, cursor](const Context& c) {
        // An import issues thousands in one millisecond: the cursor names the last one shown.
        std::optional<orders::Shown> last;
        if (cursor)
            last = {wall_from_ms(static_cast<std::int64_t>(cursor->first)),
                    TicketId{cursor->second}};
        auto found = orders::newest(c.r, last, wanted.limit + 1);
        const bool more = found.size() > wanted.limit;
        if (more) found.pop_back();
        Out items = Out::array();
        for (const orders::Ticket& ticket : found) items.push_back(to_json(ticket));
        if (!more) return page(std::move(items), {});
        return page(std::move(items),
                    to_cursor("ticket", static_cast<std::uint64_t>(to_ms(found.back().issued_at)),
                              found.back().claims.id.value));
    };
}

Prepared<Read> get_ticket(const http::Request& request) {
    const auto id = ticket_in(request);
    if (!id) return not_found("ticket_unknown");
    return [id = *id](const Context& c) {
        const auto ticket = orders::show(c.r, id);
        if (!ticket) return http::to_response(not_found("ticket_unknown"));
        Out json = to_json(*ticket);
        json["check_ins"] = Out::array();
        for (const auto& check_in : checkins::of_ticket(c.r, id))
            json["check_ins"].push_back(to_json(check_in));
        return answer(json);
    };
}

Prepared<Write> get_ticket_text(const http::Request& request) {
    const auto id = ticket_in(request);
    if (!id) return not_found("ticket_unknown");
    return [id = *id](const Context& c) -> Reply {
        const auto ticket = orders::show(c.r, id);
        if (!ticket) return refuse(not_found("ticket_unknown"));
        if (ticket->state == orders::TicketState::revoked)
            return refuse(orders::Refusal::ticket_revoked);
        const auto text = orders::text_of(c.r, c.call, c.keys, id);
        if (!text)
            return refuse(
                problem_of(409, "ticket_not_signed", "it was sold under another seller's code"));
        return {.response = answer(Out{{"id", to_text(id)}, {"text", *text}}),
                .target = "ticket " + to_text(id)};
    };
}

Prepared<Write> reissue_ticket(const http::Request& request) {
    const auto id = ticket_in(request);
    if (!id) return not_found("ticket_unknown");
    Body body{request};
    body.root().done();
    if (body.bad()) return body.problem();
    return [id = *id](const Context& c) -> Reply {
        auto issued = orders::reissue(c.r, c.call, c.keys, id);
        if (issued.has_error()) return refuse(issued.error());
        auto response = answer(to_json(issued->ticket));
        return done(std::move(*issued), std::move(response));
    };
}

Prepared<Write> revoke_ticket(const http::Request& request) {
    const auto id = ticket_in(request);
    if (!id) return not_found("ticket_unknown");
    Body body{request};
    Object root = body.root();
    const std::string why = root.text("why", 1, why_bytes_max);
    root.done();
    if (body.bad()) return body.problem();
    return [id = *id, why](const Context& c) -> Reply {
        auto issued = orders::revoke(c.r, c.call, c.keys, id, why);
        if (issued.has_error()) return refuse(issued.error());
        auto response = answer(to_json(issued->ticket));
        return done(std::move(*issued), std::move(response));
    };
}

Prepared<Write> search_carriers(const http::Request& request) {
    Body body{request};
    Object root = body.root();
    const auto kind =
        root.word<admission::CarrierKind>("kind", admission::CarrierKind::code, carrier_kind_from);
    const std::string text = root.text("text", 1, orders::carrier_chars_max);
    root.done();
    if (body.bad()) return body.problem();
    return [kind, text](const Context& c) -> Reply {
        Out items = Out::array();
        for (const TicketId id : orders::on_carrier(c.r, c.keys, kind, text))
            if (const auto ticket = orders::show(c.r, id)) items.push_back(to_json(*ticket));
        // What was searched for is a code or a document: the audit says only what was found.
        const std::string target = fmt::format("{}, {} tickets", word(kind), items.size());
        return {.response = page(std::move(items), {}), .target = target};
    };
}

}  // namespace pf::server::api
