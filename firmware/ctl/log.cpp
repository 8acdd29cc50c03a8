// What devices delivered, and what somebody should look at.
#include <fmt/format.h>

#include "firmware/ctl/command.hpp"
#include "firmware/ctl/event_words.hpp"
#include "firmware/ctl/words.hpp"

namespace pf::firmware::ctl {
namespace {

struct SyncLog {
    std::uint64_t after = 0;
    std::uint64_t limit = UINT64_MAX;
    bool follow = false;
};

Words line_of(const Json& event) {
    const auto begin = fmt::format("{:>7} {} {} {}#{} ", field(event, "position"),
                                   field(event, event.contains("at") ? "at" : "received_at"),
                                   field(event, "device"), field(event, "epoch").substr(0, 8),
                                   field(event, "seq"));
    const auto words = words_of_event(event);
    return {begin + words.en, begin + words.zh};
}

Got<std::uint64_t> pages(Server& server, const SyncLog& a, const Server::Each& each) {
    std::uint64_t after = a.after;
    std::uint64_t given = 0;
    constexpr std::uint64_t page_max = 500;
    while (given < a.limit) {
        const auto page = server.get(fmt::format("/v1/sync-log?after={}&limit={}", after,
                                                 std::min(page_max, a.limit - given)));
        if (!page) return page.error();
        const Json items = page->value("items", Json::array());
        if (items.empty()) break;
        for (const Json& item : items) {
            each(item);
            ++given;
        }
        after = page->value("position", after);
    }
    return given;
}

Exit sync_log(Session& session, const SyncLog& a) {
    const auto server = session.server();
    if (!server) return session.fail(server.error());
    std::uint64_t left = a.limit;
    const Server::Each each = [&](const Json& event) {
        session.item(event, line_of(event));
        return --left > 0;
    };
    if (!a.follow) {
        const auto given = pages(**server, a, each);
        return given ? Exit::ok : session.fail(given.error());
    }
    // A stream that ended is told by the exit code; whoever wants more goes on from the last
    // position they saw.
    const auto given =
        (*server)->follow(fmt::format("/v1/sync-log?follow=true&after={}", a.after), each);
    if (!given) return session.fail(given.error());
    if (left == 0) return Exit::ok;
    return session.fail({.exit = Exit::unreachable,
                         .code = "stream_ended",
                         .words = {"the server ended the stream", "服务器结束了推送"}});
}

struct Findings {
    std::uint64_t limit = 100;
};

Exit findings(Session& session, const Findings& a) {
    const auto server = session.server();
    if (!server) return session.fail(server.error());
    Json items = Json::array();
    Table table{{session.pick({"WHEN", "时间"}), session.pick({"KIND", "种类"}),
                 session.pick({"DEVICE", "设备"}), session.pick({"TICKET", "门票"}),
                 session.pick({"WHAT", "内容"})}};
    const auto count = (*server)->list("/v1/findings", a.limit, [&](const Json& finding) {
        items.push_back(finding);
        table.row({field(finding, "at"),
                   session.pick(words_of(Set::finding, field(finding, "kind"))),
                   field(finding, "device"), field(finding, "ticket"), field(finding, "detail")});
        return true;
    });
    if (!count) return session.fail(count.error());
    session.document({{"items", items}});
    session.say(table.empty() ? session.pick({"Nothing to look at.", "没有异常发现。"})
                              : table.text());
    return Exit::ok;
}

}  // namespace

void add_log_commands(const Command& root) {
    const auto sync = root.group("sync", {"what devices delivered", "设备上传的事件"});
    const auto log = sync.command(
        "log", {"events of all devices, in order of arrival", "全部设备的事件，按到达顺序"},
        "paifangctl sync log --after 1200\n"
        "paifangctl sync log --follow --json | jq -c 'select(.kind==\"admitted\")'");
    auto a = std::make_shared<SyncLog>();
    log.option("--after", a->after, {"only what came after this position", "只看这个位置之后的"});
    log.option("--limit", a->limit, {"at most so many", "最多几条"}).range(1, INT64_MAX);
    log.flag("--follow", a->follow, {"stay, and show what arrives", "持续显示新到的事件"});
    log.runs(std::move(a), sync_log);

    const auto group =
        root.group("findings", {"what somebody should look at", "异常发现，需要人处理"});
    const auto listing =
        group.command("list", {"newest first", "最新的在前"}, "paifangctl findings list");
    auto f = std::make_shared<Findings>();
    listing.option("--limit", f->limit, {"at most so many", "最多几条"}).shows_default();
    listing.runs(std::move(f), findings);
}

}  // namespace pf::firmware::ctl
