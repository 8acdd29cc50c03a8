#include "firmware/ctl/ticket_words.hpp"

#include <fmt/format.h>

#include "common/admission/reason.hpp"
#include "firmware/ctl/words.hpp"

namespace pf::firmware::ctl {
namespace {

std::uint64_t count(const Json& json, const char* name) {
    return json.contains(name) && json[name].is_number_unsigned() ? json[name].get<std::uint64_t>()
                                                                  : 0;
}

}  // namespace

Words state_words(const Json& ticket) {
    const auto state = field(ticket, "state");
    const auto why = field(ticket, "revoked_why");
    if (state == "revoked")
        return {fmt::format("revoked: {}", why), fmt::format("已作废：{}", why)};
    return words_of(Set::ticket_state, state);
}

void say_check_ins(Session& session, const Json& check_ins) {
    if (check_ins.empty()) {
        session.say(Words{"Not used yet.", "尚未使用。"});
        return;
    }
    Table table{{session.pick({"WHEN", "时间"}), session.pick({"DEVICE", "设备"}),
                 session.pick({"SITE", "景区"}), session.pick({"PRODUCT", "产品"}),
                 session.pick({"ADMITTED", "放行"}), session.pick({"PASSED", "通过"}),
                 session.pick({"RETURNED", "退回"})}};
    for (const Json& c : check_ins)
        table.row({field(c, "at"), field(c, "device"), field(c, "site"), field(c, "product"),
                   field(c, "granted"), field(c, "passed"), field(c, "returned")});
    session.say(table.text());
}

Words entitlement_words(const Json& e) {
    const auto entries = count(e, "entries");
    const auto window = count(e, "window");
    const bool each_day = field(e, "scope") == "day";
    Words words{fmt::format("product {} at site {}, {} to {}, {} {}{}", field(e, "product"),
                            field(e, "site"), field(e, "first_day"), field(e, "last_day"), entries,
                            entries == 1 ? "entry" : "entries", each_day ? " each day" : ""),
                fmt::format("景区 {} 的产品 {}，{} 至 {}，{}可入 {} 次", field(e, "site"),
                            field(e, "product"), field(e, "first_day"), field(e, "last_day"),
                            each_day ? "每天" : "", entries)};
    if (window != 0) {
        words.en += fmt::format(", in window {}", window);
        words.zh += fmt::format("，限时段 {}", window);
    }
    return words;
}

Words person_type_words(const std::string& key) {
    const auto type = ticket::person_type_from(std::string_view{key});
    if (!type) return {key, key};
    const auto& words = admission::words(*type);
    return {std::string{words.en}, std::string{words.zh}};
}

void say_ticket(Session& session, const Json& ticket) {
    const auto type = person_type_words(field(ticket, "person_type"));
    Table table{{session.pick({"TICKET", "门票"}), field(ticket, "id")}};
    const auto row = [&](const Words& what, std::string value) {
        table.row({session.pick(what), std::move(value)});
    };
    row({"state", "状态"}, session.pick(state_words(ticket)));
    row({"generation", "版次"}, field(ticket, "generation"));
    row({"for", "人数"}, fmt::format("{} × {}", field(ticket, "persons"), session.pick(type)));
    for (const Json& e : ticket.value("entitlements", Json::array()))
        row({"admits to", "可入"}, session.pick(entitlement_words(e)));
    if (const auto carriers = field(ticket, "carriers"); !carriers.empty() && carriers != "-")
        row({"also shown as", "其他凭证载体"}, carriers);
    if (const auto reference = field(ticket, "reference"); !reference.empty())
        row({"order", "订单号"}, reference);
    row({"issued", "出票时间"}, field(ticket, "issued_at"));
    session.say(table.text());
    if (ticket.contains("text")) session.say(field(ticket, "text"));
    if (ticket.contains("check_ins")) say_check_ins(session, ticket["check_ins"]);
}

}  // namespace pf::firmware::ctl
