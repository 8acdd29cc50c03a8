// Remote commands, and waiting for what the device makes of them.
#include <fmt/format.h>

#include <algorithm>

#include "common/admission/reason.hpp"
#include "firmware/ctl/command.hpp"
#include "firmware/ctl/words.hpp"

namespace pf::firmware::ctl {
namespace {

constexpr Millis ask_again_after{100};
constexpr std::uint32_t wait_s_default = 10;

/// Shared by every command to a device.
struct Act {
    std::string id;
    std::uint32_t expires_s = 30;
    std::uint32_t wait_s = wait_s_default;
};

/// A renewal takes its own time and another connection: that it begins is all there is to wait for.
bool succeeded(const Json& command) {
    const auto state = field(command, "state");
    return state == "done" ||
           (state == "accepted" && field(command, "kind") == "renew_certificate");
}

bool ended(const Json& command) {
    const auto state = field(command, "state");
    return succeeded(command) || state == "refused" || state == "failed";
}

/// The command as the server last heard of it, asked for until it ended or the wait is over.
Got<Json> wait_for(Session& session, Server& server, Json command, std::uint32_t wait_s) {
    const auto until = session.world().stopwatch() + std::chrono::seconds{wait_s};
    const auto target = "/v1/commands/" + encoded(field(command, "id"));
    while (!ended(command) && session.world().stopwatch() < until) {
        session.world().sleep(ask_again_after);
        auto asked = server.get(target);
        if (!asked) return asked.error();
        command = *asked;
    }
    return got(std::move(command));
}

/// What the people at the device would have been told; a newer device may know more reasons.
const admission::Words* reason_of(std::string_view key) {
    const auto all = admission::all_words();
    const auto found = std::ranges::find(all, key, &admission::Words::key);
    return found == all.end() ? nullptr : &*found;
}

/// In both languages, whichever the reader's is: that is how the device shows it.
void say_answer(Session& session, const Act& act, const admission::Words& words) {
    session.say(fmt::format("{}: {}", act.id, words.key));
    session.say(fmt::format("  {} {}", words.zh, words.do_zh));
    session.say(fmt::format("  {}. {}", words.en, words.do_en));
}

Exit tell(Session& session, const Act& act, Json command) {
    const auto state = harmless(field(command, "state"));
    const auto detail = harmless(field(command, "detail"));
    const auto* words =
        field(command, "kind") == "test_scan" && state == "done" ? reason_of(detail) : nullptr;
    if (words != nullptr)
        command["answer"] = {{"reason", words->key},
                             {"zh", words->zh},
                             {"en", words->en},
                             {"do_zh", words->do_zh},
                             {"do_en", words->do_en}};
    session.document(command);
    if (words != nullptr) {
        say_answer(session, act, *words);
        return Exit::ok;
    }
    const auto said = words_of(Set::answer, detail);
    if (succeeded(command)) {
        session.say(
            Words{fmt::format("{}: done{}{}", act.id, detail.empty() ? "" : ": ", said.en),
                  fmt::format("{}：已完成{}{}", act.id, detail.empty() ? "" : "：", said.zh)});
        return Exit::ok;
    }
    if (act.wait_s == 0) {
        session.say(Words{fmt::format("{}: sent, not waited for", act.id),
                          fmt::format("{}：已发出，未等待回答", act.id)});
        return Exit::ok;
    }
    // The document is out already; here are only words.
    const bool heard = ended(command);
    session.world().err << session.pick(
        heard ? Words{fmt::format("paifangctl: {} {}: {} [command_{}]\n", act.id,
                                  words_of(Set::command_state, state).en, said.en, state),
                      fmt::format("paifangctl: {} {}：{} [command_{}]\n", act.id,
                                  words_of(Set::command_state, state).zh, said.zh, state)}
              : Words{fmt::format("paifangctl: {} has not answered within {} s; the command "
                                  "expires by itself [command_unanswered]\n",
                                  act.id, act.wait_s),
                      fmt::format("paifangctl: {} 在 {} 秒内没有回答；指令会自行过期 "
                                  "[command_unanswered]\n",
                                  act.id, act.wait_s)});
    return Exit::refused;
}

Exit send(Session& session, const Act& act, Json body) {
    const auto server = session.server();
    if (!server) return session.fail(server.error());
    body["expires_in_s"] = act.expires_s;
    const auto sent = (*server)->post("/v1/devices/" + encoded(act.id) + "/commands", body);
    if (!sent) return session.fail(sent.error());
    auto last = wait_for(session, **server, *sent, act.wait_s);
    if (!last) return session.fail(last.error());
    return tell(session, act, std::move(*last));
}

struct Open {
    Act act{.id = {}, .expires_s = 10};
    std::uint16_t persons = 1;
    std::string why = "paifangctl";
};
Exit open(Session& session, const Open& a) {
    return send(session, a.act, {{"kind", "open"}, {"persons", a.persons}, {"text", a.why}});
}

struct TestScan {
    Act act;
    std::string text;
};
Exit test_scan(Session& session, const TestScan& a) {
    return send(session, a.act, {{"kind", "test_scan"}, {"text", a.text}});
}

struct Resend {
    Act act{.id = {}, .expires_s = 300};
    std::uint64_t from = 1;
};
Exit resend(Session& session, const Resend& a) {
    return send(session, a.act, {{"kind", "resend"}, {"from_seq", a.from}});
}

struct Renew {
    Act act{.id = {}, .expires_s = 300};
};
Exit renew(Session& session, const Renew& a) {
    return send(session, a.act, {{"kind", "renew_certificate"}});
}

void add_act(const Command& command, Act& act) {
    command.option("id", act.id, {"name of the device", "设备名"}).required();
    command
        .option("--expires-s", act.expires_s,
                {"a device that hears of it later refuses", "超过这么多秒才收到的设备会拒绝"})
        .shows_default();
    command
        .option("--wait-s", act.wait_s,
                {"how long to wait for the answer; 0: don't", "等待回答的秒数；0 为不等"})
        .shows_default();
}

}  // namespace

void add_device_acts(const Command& devices) {
    const auto opening = devices.command(
        "open", {"let persons through without a ticket", "远程开闸放行"},
        "paifangctl device open gate-1 --why 'wheelchair, seen by camera'\n"
        "paifangctl device open gate-1 --persons 3 --why 'delivery' --expires-s 10");
    auto o = std::make_shared<Open>();
    add_act(opening, o->act);
    opening.option("--persons", o->persons, {"how many", "人数"}).shows_default().range(1, 999);
    opening.option("--why", o->why, {"the reason, kept in the log", "原因，记入日志"});
    opening.runs(std::move(o), open);

    const auto scanning = devices.command(
        "test-scan", {"let a device judge a code without opening", "让设备试检一个码，不开闸"},
        "paifangctl device test-scan gate-1 'PF1:…'");
    auto t = std::make_shared<TestScan>();
    add_act(scanning, t->act);
    scanning.option("text", t->text, {"the code", "码的内容"}).required();
    scanning.runs(std::move(t), test_scan);

    const auto resending = devices.command(
        "resend", {"send the journal again", "重新上传事件日志"},
        "paifangctl device resend gate-1 --from 120   # everything after number 120\n"
        "paifangctl device resend gate-1 --from 0     # all it keeps");
    auto r = std::make_shared<Resend>();
    add_act(resending, r->act);
    resending
        .option("--from", r->from,
                {"number of the last event not to send; 0: all it keeps",
                 "从这个序号之后开始；0 为全部"})
        .required()
        .range(0, INT64_MAX);
    resending.runs(std::move(r), resend);

    const auto renewing =
        devices.command("renew", {"have it fetch a new certificate", "让设备换新证书"},
                        "paifangctl device renew gate-1");
    auto n = std::make_shared<Renew>();
    add_act(renewing, n->act);
    renewing.runs(std::move(n), renew);
}

}  // namespace pf::firmware::ctl
