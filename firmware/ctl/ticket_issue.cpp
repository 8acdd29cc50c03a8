// Issuing: the arguments of a sale as the body of one request.
#include <fmt/format.h>

#include <charconv>

#include "common/base/time.hpp"
#include "firmware/ctl/code_output.hpp"
#include "firmware/ctl/command.hpp"
#include "firmware/ctl/ticket_words.hpp"

namespace pf::firmware::ctl {
namespace {

struct Issue {
    std::uint32_t site = 0, product = 0;
    std::string first, last;
    std::uint16_t persons = 1, entries = 1;
    std::string person_type = "adult";
    bool per_day = false;
    std::uint32_t window = 0;
    std::vector<std::string> also, codes, documents, cards;
    std::string holder, reference;
    bool no_qr = false;
    CodeOutput output;
};

Failure usage(Words words) {
    return {.exit = Exit::usage, .code = "usage", .words = std::move(words)};
}

std::optional<std::uint32_t> number_in(std::string_view text) {
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

std::vector<std::string_view> split(std::string_view text, char at) {
    std::vector<std::string_view> parts;
    for (std::size_t from = 0;;) {
        const auto end = text.find(at, from);
        parts.push_back(text.substr(from, end - from));
        if (end == std::string_view::npos) return parts;
        from = end + 1;
    }
}

Json entitlement(const Issue& a, std::uint32_t site, std::uint32_t product, std::string_view first,
                 std::string_view last) {
    return {{"site", site},     {"product", product},   {"first_day", first},
            {"last_day", last}, {"entries", a.entries}, {"scope", a.per_day ? "day" : "validity"}};
}

/// SITE:PRODUCT:FIRST:LAST
Got<Json> also_from(const Issue& a, const std::string& text) {
    const auto parts = split(text, ':');
    const auto site = number_in(parts.front());
    const auto product = parts.size() == 4 ? number_in(parts[1]) : std::nullopt;
    if (!site || !product || !day_from(parts[2]) || !day_from(parts[3]))
        return usage({fmt::format("--also {}: write SITE:PRODUCT:FIRST:LAST, like "
                                  "2:7:2026-05-01:2026-05-03",
                                  text),
                      fmt::format("--also {}：请写成 景区:产品:首日:末日，如 "
                                  "2:7:2026-05-01:2026-05-03",
                                  text)});
    return got(entitlement(a, *site, *product, parts[2], parts[3]));
}

void add_carriers(Json& body, const char* kind, const std::vector<std::string>& texts) {
    for (const auto& text : texts) body["carriers"].push_back({{"kind", kind}, {"text", text}});
}

Got<Json> body_of(const Issue& a) {
    for (const auto* day : {&a.first, &a.last})
        if (!day_from(*day))
            return usage({fmt::format("{} is no day: write it like 2026-05-01", *day),
                          fmt::format("{} 不是日期：请写成 2026-05-01", *day)});
    if (a.no_qr && a.codes.empty() && a.documents.empty() && a.cards.empty())
        return usage(
            {"--no-qr leaves nothing to show at the gate: add --code, --document or --card",
             "--no-qr 之后就没有凭证载体了：请加 --code、--document 或 --card"});
    Json body{{"person_type", a.person_type}, {"persons", a.persons}};
    Json one = entitlement(a, a.site, a.product, a.first, a.last);
    if (a.window != 0) one["window"] = a.window;
    body["entitlements"] = Json::array({one});
    for (const auto& text : a.also) {
        auto more = also_from(a, text);
        if (!more) return more.error();
        body["entitlements"].push_back(*more);
    }
    if (!a.holder.empty()) body["holder_document"] = a.holder;
    add_carriers(body, "code", a.codes);
    add_carriers(body, "document", a.documents);
    add_carriers(body, "card", a.cards);
    if (!a.reference.empty()) body["reference"] = a.reference;
    body["signed_qr"] = !a.no_qr;
    return got(std::move(body));
}

Exit issue(Session& session, const Issue& a) {
    const auto body = body_of(a);
    if (!body) return session.fail(body.error());
    const auto server = session.server();
    if (!server) return session.fail(server.error());
    const auto ticket = (*server)->post("/v1/tickets", *body);
    if (!ticket) return session.fail(ticket.error());
    session.document(*ticket);
    say_ticket(session, *ticket);
    // Without a signed code the tourist holds the seller's.
    const auto text = field(*ticket, "text");
    const auto shown = text.empty() && !a.codes.empty() ? a.codes.front() : text;
    if (shown.empty()) return Exit::ok;
    const auto failure = put_out(session, a.output, shown);
    return failure ? session.fail(*failure) : Exit::ok;
}

void add_entitlement(const Command& command, Issue& a) {
    command.option("--site", a.site, {"number of the site", "景区编号"}).required();
    command.option("--product", a.product, {"number of the product", "产品编号"}).required();
    command.option("--first", a.first, {"first day, 2026-05-01", "首日"}).required();
    command.option("--last", a.last, {"last day, included", "末日（含）"}).required();
    command.option("--persons", a.persons, {"how many, 1 to 999", "人数"})
        .shows_default()
        .range(1, 999);
    command
        .option("--person-type", a.person_type,
                {"adult, child, senior, …", "人员类型：adult、child……"})
        .shows_default()
        .one_of(person_types);
    command.option("--entries", a.entries, {"times every person may enter", "每人可入次数"})
        .shows_default()
        .range(1, 999);
    command.flag("--per-day", a.per_day, {"entries count each day anew", "次数每天重新计算"});
    command.option("--window", a.window, {"only within these hours (window add)", "只限这个时段"});
    command.option(
        "--also", a.also,
        {"joint ticket: another SITE:PRODUCT:FIRST:LAST", "联票：另一个 景区:产品:首日:末日"});
}

}  // namespace

void add_ticket_issue(const Command& tickets) {
    const auto command = tickets.command(
        "issue", {"sell a ticket", "出票"},
        "paifangctl ticket issue --site 1 --product 1 --first 2026-05-01 --last 2026-05-01 --qr\n"
        "paifangctl ticket issue … --persons 5 --png group.png            # a group of five\n"
        "paifangctl ticket issue … --last 2026-05-02 --per-day            # once on each of two "
        "days\n"
        "paifangctl ticket issue … --also 2:7:2026-05-01:2026-05-03       # joint ticket, two "
        "sites\n"
        "paifangctl ticket issue … --document 110101199003070011          # shown by ID card\n"
        "paifangctl ticket issue … --no-qr --code E123456789              # another seller's code");
    auto a = std::make_shared<Issue>();
    add_entitlement(command, *a);
    command.option("--code", a->codes, {"another seller's code for it", "其他渠道的票码"});
    command.option("--document", a->documents,
                   {"number of a document that shows it", "凭此证件号入园"});
    command.option("--card", a->cards, {"number of a card", "卡号"});
    command.option("--holder", a->holder, {"bind it to this document number", "与此证件号绑定"});
    command.option("--reference", a->reference, {"the seller's order number", "销售方订单号"});
    command.flag("--no-qr", a->no_qr, {"no signed code of ours", "不出自己的签名码"});
    add_code_output(command, a->output);
    command.runs(std::move(a), issue);
}

}  // namespace pf::firmware::ctl
