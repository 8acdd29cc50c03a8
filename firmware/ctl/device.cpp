// Gates, terminals and handhelds: invite, look at, revoke.
#include <fmt/format.h>

#include "boards/sim/frames/frames.hpp"
#include "firmware/ctl/command.hpp"
#include "firmware/ctl/device_words.hpp"
#include "firmware/ctl/words.hpp"

namespace pf::firmware::ctl {
namespace {

namespace frames = boards::sim::frames;

constexpr std::uint64_t all = UINT64_MAX;

struct Invite {
    std::uint32_t site = 0;
    std::string id;
    std::string kind;
    std::uint32_t point = 0;
    std::string number;
    std::string zh, en;
    std::vector<std::uint32_t> products;
    std::uint32_t passage_wait_ms = 0;  // 0: the server's default
    bool qr = false;
};

Json configuration_of(const Invite& a) {
    Json json{{"number", a.number.empty() ? a.id : a.number},
              {"name_zh", a.zh.empty() ? a.id : a.zh},
              {"name_en", a.en.empty() ? a.id : a.en},
              {"kind", a.kind},
              {"point", a.point}};
    if (!a.products.empty()) json["products"] = a.products;
    if (a.passage_wait_ms != 0) json["lane"] = {{"passage_wait_ms", a.passage_wait_ms}};
    return json;
}

bool only_this_machine(std::string_view url) {
    for (const std::string_view local : {"://localhost", "://127.", "://[::1]"})
        if (url.find(local) != std::string_view::npos) return true;
    return false;
}

Exit invite(Session& session, const Invite& a) {
    const auto server = session.server();
    if (!server) return session.fail(server.error());
    auto invited = (*server)->post(
        "/v1/devices", {{"id", a.id}, {"site", a.site}, {"configuration", configuration_of(a)}});
    if (!invited) return session.fail(invited.error());
    const auto code = field(*invited, "pairing_code");
    (*invited)["code"] = code;  // the short word, for scripts
    session.document(*invited);
    const auto until = field(*invited, "expires_at");
    session.say(
        Words{fmt::format("Pairing code of {}, for one use until {}:\n{}", a.id, until, code),
              fmt::format("{} 的配对码，只能用一次，有效至 {}：\n{}", a.id, until, code)});
    if (const auto matrix = a.qr ? frames::render_qr(std::string_view{code}) : std::nullopt)
        session.draw(frames::terminal_text(*matrix));
    // Where the server says boards reach it; ours may be a tunnel or this machine alone.
    const auto told = field(*invited, "server_url");
    const auto& url = told.empty() ? (*server)->place().url : told;
    session.say(Words{fmt::format("On the device: paifang-device --data FOLDER --kind {} "
                                  "--server {} --code {}",
                                  a.kind, url, code),
                      fmt::format("在设备上：paifang-device --data 目录 --kind {} --server {} "
                                  "--code {}",
                                  a.kind, url, code)});
    if (only_this_machine(url))
        session.say(
            Words{"Only a board on the server's own machine gets there: set host and the addresses "
                  "in the server's configuration (docs/runbooks/pair-a-gate.md).",
                  "这个地址只有服务器本机能用：请在服务器配置里设置 host 和监听地址"
                  "（见 docs/runbooks/pair-a-gate.md）。"});
    return Exit::ok;
}

struct Nothing {};

Exit list(Session& session, const Nothing&) {
    const auto server = session.server();
    if (!server) return session.fail(server.error());
    Json items = Json::array();
    Table table{{session.pick({"DEVICE", "设备"}), session.pick({"SITE", "景区"}),
                 session.pick({"KIND", "类型"}), session.pick({"NUMBER", "编号"}),
                 session.pick({"STATE", "状态"}), session.pick({"CONNECTED", "已连接"}),
                 session.pick({"LAST HEARD", "最近联系"})}};
    const auto count = (*server)->list("/v1/devices", all, [&](const Json& device) {
        items.push_back(device);
        const Json configuration = device.value("configuration", Json::object());
        const bool online = device.value("online", false);
        table.row({field(device, "id"), field(device, "site"),
                   session.pick(words_of(Set::device_kind, field(configuration, "kind"))),
                   field(configuration, "number"),
                   session.pick(words_of(Set::device_state, field(device, "state"))),
                   online ? session.pick({"yes", "是"}) : session.pick({"no", "否"}),
                   field(device, "last_heard")});
        return true;
    });
    if (!count) return session.fail(count.error());
    session.document({{"items", items}});
    session.say(table.empty() ? session.pick({"No device yet.", "还没有设备。"}) : table.text());
    return Exit::ok;
}

struct OneDevice {
    std::string id;
};

Exit keys(Session& session, const OneDevice& a) {
    const auto server = session.server();
    if (!server) return session.fail(server.error());
    const auto answer = (*server)->get("/v1/devices/" + encoded(a.id) + "/keys");
    if (!answer) return session.fail(answer.error());
    session.document(*answer);
    // Nothing but PEM, so that it can be kept in a file as it is.
    for (const Json& item : answer->value("items", Json::array()))
        session.say(field(item, "public_key_pem"));
    return Exit::ok;
}

Exit show(Session& session, const OneDevice& a) {
    const auto server = session.server();
    if (!server) return session.fail(server.error());
    const auto device = (*server)->get("/v1/devices/" + encoded(a.id));
    if (!device) return session.fail(device.error());
    session.document(*device);
    say_device(session, *device);
    return Exit::ok;
}

Exit revoke(Session& session, const OneDevice& a) {
    const auto server = session.server();
    if (!server) return session.fail(server.error());
    const auto device = (*server)->post("/v1/devices/" + encoded(a.id) + "/revoke");
    if (!device) return session.fail(device.error());
    session.document(*device);
    session.say(
        Words{fmt::format("{} is revoked: disconnected, and nothing of it is booked.", a.id),
              fmt::format("{} 已吊销：断开连接，之后的事件不入账。", a.id)});
    return Exit::ok;
}

void add_inviting(const Command& group) {
    const auto inviting = group.command(
        "invite", {"plan a device and get its pairing code", "登记设备，取得配对码"},
        "paifangctl device invite 1 gate-1 --kind gate --point 1 --number A1\n"
        "paifangctl device invite 1 hand-1 --kind handheld --point 1 --qr\n"
        "code=$(paifangctl device invite 1 gate-2 --kind gate --point 1 --json | jq -r "
        ".pairing_code)");
    auto a = std::make_shared<Invite>();
    inviting.option("site", a->site, {"number of the site", "景区编号"}).required();
    inviting
        .option("id", a->id,
                {"name of the device: 1 to 32 of a-z, 0-9, -", "设备名：1 到 32 个 a-z、0-9、-"})
        .required();
    inviting
        .option("--kind", a->kind,
                {"gate, terminal, handheld", "gate 闸机、terminal 终端、handheld 手持机"})
        .required()
        .one_of({"gate", "terminal", "handheld"});
    inviting.option("--point", a->point, {"where it stands", "所在点位"}).required();
    inviting.option("--number", a->number, {"number on its housing", "机身编号"});
    inviting.option("--zh", a->zh, {"Chinese name", "中文名"});
    inviting.option("--en", a->en, {"English name", "英文名"});
    inviting.option("--product", a->products,
                    {"only these products; none: all of the site", "只检这些产品；不写则全部"});
    inviting
        .option("--passage-wait-ms", a->passage_wait_ms,
                {"how long an open lane waits for a person", "开闸后等人通过多久"})
        .range(500, 60'000);
    inviting.flag("--qr", a->qr, {"the code as QR in the terminal", "在终端显示二维码"});
    inviting.runs(std::move(a), invite);
}

void add_one(const Command& group, const std::string& name, const Words& what,
             Exit (*run)(Session&, const OneDevice&)) {
    const auto command = group.command(name, what, "paifangctl device " + name + " gate-1");
    auto a = std::make_shared<OneDevice>();
    command.option("id", a->id, {"name of the device", "设备名"}).required();
    command.runs(std::move(a), run);
}

}  // namespace

void add_device_commands(const Command& root) {
    const auto group =
        root.group("device", {"gates, terminals and handhelds", "闸机、终端、手持机"});
    add_inviting(group);
    const auto listing =
        group.command("list", {"all devices", "列出设备"}, "paifangctl device list");
    listing.runs(std::make_shared<Nothing>(), list);
    add_one(group, "show", {"state of one device", "一台设备的状态"}, show);
    add_one(group, "keys",
            {"every key it ever had, PEM: what its journals are signed with",
             "它用过的所有公钥 PEM：事件日志由它们签名"},
            keys);
    add_one(group, "revoke",
            {"shut a lost or stolen device out for good", "永久停用丢失或被盗的设备"}, revoke);
    add_device_acts(group);
}

}  // namespace pf::firmware::ctl
