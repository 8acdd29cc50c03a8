// Tickets after their sale: shown, replaced, revoked, imported.
#include <fmt/format.h>

#include "firmware/ctl/code_output.hpp"
#include "firmware/ctl/command.hpp"
#include "firmware/ctl/files.hpp"
#include "firmware/ctl/progress.hpp"
#include "firmware/ctl/ticket_words.hpp"
#include "firmware/ctl/words.hpp"

namespace pf::firmware::ctl {
namespace {

/// The server takes no more in one import.
constexpr std::uint64_t csv_bytes_max = 64ULL * 1024 * 1024;

struct OneTicket {
    std::string id;
    std::string why;
    bool text = false;
    CodeOutput output;
};

std::string target_of(const OneTicket& a) { return "/v1/tickets/" + encoded(a.id); }

Exit show(Session& session, const OneTicket& a) {
    const auto server = session.server();
    if (!server) return session.fail(server.error());
    auto ticket = (*server)->get(target_of(a));
    if (!ticket) return session.fail(ticket.error());
    std::optional<Failure> failure;
    if (a.text || a.output.wanted()) {
        const auto text = (*server)->get(target_of(a) + "/text");
        if (!text) return session.fail(text.error());
        (*ticket)["text"] = field(*text, "text");
    }
    session.document(*ticket);
    say_ticket(session, *ticket);
    if (a.output.wanted()) failure = put_out(session, a.output, field(*ticket, "text"));
    return failure ? session.fail(*failure) : Exit::ok;
}

Exit reissue(Session& session, const OneTicket& a) {
    const auto server = session.server();
    if (!server) return session.fail(server.error());
    const auto ticket = (*server)->post(target_of(a) + "/reissue");
    if (!ticket) return session.fail(ticket.error());
    session.document(*ticket);
    session.say(Words{"The old code is refused from now on; this one is good:",
                      "旧码即刻失效，请用新码："});
    say_ticket(session, *ticket);
    const auto text = field(*ticket, "text");
    const auto failure = text.empty() ? std::nullopt : put_out(session, a.output, text);
    return failure ? session.fail(*failure) : Exit::ok;
}

struct Nothing {};

Exit rotate_key(Session& session, const Nothing&) {
    const auto server = session.server();
    if (!server) return session.fail(server.error());
    const auto keys = (*server)->post("/v1/ticket-key/rotate");
    if (!keys) return session.fail(keys.error());
    session.document(*keys);
    session.say(Words{
        fmt::format("Tickets are signed with a new key from now on; those of all {} "
                    "keys are good",
                    field(*keys, "ticket_keys")),
        fmt::format("新票即刻改用新密钥签名，{} 个密钥签的票都有效", field(*keys, "ticket_keys"))});
    return Exit::ok;
}

Exit revoke(Session& session, const OneTicket& a) {
    const auto server = session.server();
    if (!server) return session.fail(server.error());
    const auto ticket = (*server)->post(target_of(a) + "/revoke", {{"why", a.why}});
    if (!ticket) return session.fail(ticket.error());
    session.document(*ticket);
    session.say(
        Words{fmt::format("Ticket {} is revoked.", a.id), fmt::format("门票 {} 已作废。", a.id)});
    return Exit::ok;
}

struct List {
    std::uint64_t limit = 50;
};

Exit list(Session& session, const List& a) {
    const auto server = session.server();
    if (!server) return session.fail(server.error());
    Json items = Json::array();
    Table table{{session.pick({"TICKET", "门票"}), session.pick({"STATE", "状态"}),
                 session.pick({"PERSONS", "人数"}), session.pick({"TYPE", "人员类型"}),
                 session.pick({"CARRIERS", "凭证载体"}), session.pick({"ORDER", "订单号"}),
                 session.pick({"ISSUED", "出票时间"})}};
    const auto count = (*server)->list("/v1/tickets", a.limit, [&](const Json& ticket) {
        items.push_back(ticket);
        table.row(
            {field(ticket, "id"), session.pick(words_of(Set::ticket_state, field(ticket, "state"))),
             field(ticket, "persons"),
             session.pick(person_type_words(field(ticket, "person_type"))),
             field(ticket, "carriers"), field(ticket, "reference"), field(ticket, "issued_at")});
        return true;
    });
    if (!count) return session.fail(count.error());
    session.document({{"items", items}});
    session.say(table.empty() ? session.pick({"No ticket yet.", "还没有门票。"}) : table.text());
    return Exit::ok;
}

struct Import {
    std::uint32_t site = 0;
    std::string file;
};

Exit import(Session& session, const Import& a) {
    const auto csv = FileReader::open(a.file, csv_bytes_max);
    if (!csv) return session.fail(csv.error());
    const auto server = session.server();
    if (!server) return session.fail(server.error());
    Progress progress{session,
                      (*csv)->bytes(),
                      {"the server checks and books the codes …", "服务器正在核对并入库 …"}};
    const auto answer = (*server)->upload(fmt::format("/v1/sites/{}/code-imports", a.site),
                                          "text/csv", (*csv)->bytes(), [&](std::span<char> room) {
                                              const std::size_t got = (*csv)->read(room);
                                              progress.moved(got);
                                              return got;
                                          });
    progress.end();
    if (const auto& failure = (*csv)->failure()) return session.fail(*failure);
    if (!answer) return session.fail(answer.error());
    session.document(*answer);
    const auto count = field(*answer, "imported");
    session.say(
        Words{fmt::format("{} codes imported.", count), fmt::format("已导入 {} 个码。", count)});
    return Exit::ok;
}

Command add_one(const Command& group, const std::string& name, const Words& what,
                const std::string& examples, const std::shared_ptr<OneTicket>& a) {
    const auto command = group.command(name, what, examples);
    command.option("id", a->id, {"the ticket's 16 digits", "票号，16 位"}).required();
    return command;
}

void add_import(const Command& group) {
    const auto command = group.command(
        "import", {"codes another seller sold, from CSV", "从 CSV 导入其他渠道的码"},
        "paifangctl ticket import 1 codes.csv\n"
        "header line: code,product,first_day,last_day[,persons,person_type,reference]\n"
        "all or nothing: bad lines are named by number, then no line was imported");
    auto a = std::make_shared<Import>();
    command.option("site", a->site, {"number of the site", "景区编号"}).required();
    command.option("file", a->file, {"the CSV file", "CSV 文件"}).required();
    command.runs(std::move(a), import);
}

}  // namespace

void add_ticket_commands(const Command& root) {
    const auto group = root.group("ticket", {"tickets and their codes", "门票和票码"});
    add_ticket_issue(group);

    auto shown = std::make_shared<OneTicket>();
    const auto showing = add_one(group, "show", {"a ticket and its uses", "门票及其使用记录"},
                                 "paifangctl ticket show 7c1f9d20a45be863\n"
                                 "paifangctl ticket show 7c1f9d20a45be863 --png again.png",
                                 shown);
    showing.flag("--text", shown->text, {"with its code", "连同票码"});
    add_code_output(showing, shown->output);
    showing.runs(std::move(shown), show);

    auto reissued = std::make_shared<OneTicket>();
    const auto reissuing =
        add_one(group, "reissue",
                {"lost phone: a new code, the old one refused", "手机丢失：换新码，旧码作废"},
                "paifangctl ticket reissue 7c1f9d20a45be863 --png new.png", reissued);
    add_code_output(reissuing, reissued->output);
    reissuing.runs(std::move(reissued), reissue);

    auto revoked = std::make_shared<OneTicket>();
    const auto revoking =
        add_one(group, "revoke", {"refund or cancel", "退票或取消"},
                "paifangctl ticket revoke 7c1f9d20a45be863 --why refund", revoked);
    revoking.option("--why", revoked->why, {"the reason, kept", "原因，会留存"}).required();
    revoking.runs(std::move(revoked), revoke);

    const auto rotating =
        group.command("rotate-key", {"a new key that signs tickets", "更换门票签名密钥"},
                      "paifangctl ticket rotate-key   # while the gates are online");
    rotating.runs(std::make_shared<Nothing>(), rotate_key);

    const auto listing = group.command("list", {"newest tickets", "最新的门票"},
                                       "paifangctl ticket list --limit 200");
    auto l = std::make_shared<List>();
    listing.option("--limit", l->limit, {"at most so many", "最多几张"}).shows_default();
    listing.runs(std::move(l), list);

    add_import(group);
    add_ticket_explain(group);
}

}  // namespace pf::firmware::ctl
