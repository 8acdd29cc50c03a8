// Scenic areas 景区.
#include <fmt/format.h>

#include "firmware/ctl/command.hpp"

namespace pf::firmware::ctl {
namespace {

constexpr std::uint64_t all = UINT64_MAX;

struct SiteAdd {
    std::string zh, en;
    int utc_offset_min = 480;
    int day_begins_min = 0;
};

Exit add(Session& session, const SiteAdd& a) {
    const auto server = session.server();
    if (!server) return session.fail(server.error());
    const auto site = (*server)->post("/v1/sites", {{"name_zh", a.zh},
                                                    {"name_en", a.en},
                                                    {"utc_offset_min", a.utc_offset_min},
                                                    {"day_begins_min", a.day_begins_min}});
    if (!site) return session.fail(site.error());
    session.document(*site);
    session.say(Words{fmt::format("Site {}: {}", field(*site, "id"), session.name_in(*site)),
                      fmt::format("景区 {}：{}", field(*site, "id"), session.name_in(*site))});
    return Exit::ok;
}

struct Nothing {};

Exit list(Session& session, const Nothing&) {
    const auto server = session.server();
    if (!server) return session.fail(server.error());
    Json items = Json::array();
    Table table{{session.pick({"SITE", "景区"}), session.pick({"CHINESE", "中文名"}),
                 session.pick({"ENGLISH", "英文名"})}};
    const auto count = (*server)->list("/v1/sites", all, [&](const Json& site) {
        items.push_back(site);
        table.row({field(site, "id"), field(site, "name_zh"), field(site, "name_en")});
        return true;
    });
    if (!count) return session.fail(count.error());
    session.document({{"items", items}});
    session.say(table.empty() ? session.pick({"No site yet: paifangctl site add --zh … --en …",
                                              "还没有景区：paifangctl site add --zh … --en …"})
                              : table.text());
    return Exit::ok;
}

struct SiteKey {
    std::uint32_t site = 0;
};

Exit rotate_key(Session& session, const SiteKey& a) {
    const auto server = session.server();
    if (!server) return session.fail(server.error());
    const auto keys = (*server)->post(fmt::format("/v1/sites/{}/carrier-key/rotate", a.site));
    if (!keys) return session.fail(keys.error());
    session.document(*keys);
    session.say(Words{
        fmt::format("Carrier key {} is there. Tickets stay good; their rows under it follow in the "
                    "background:\npaifangctl site keys {}",
                    field(*keys, "carrier_key"), a.site),
        fmt::format("载体密钥 {} 已启用，原有门票照常可用，名单在后台更新：\n"
                    "paifangctl site keys {}",
                    field(*keys, "carrier_key"), a.site)});
    return Exit::ok;
}

Exit show_keys(Session& session, const SiteKey& a) {
    const auto server = session.server();
    if (!server) return session.fail(server.error());
    const auto keys = (*server)->get(fmt::format("/v1/sites/{}/keys", a.site));
    if (!keys) return session.fail(keys.error());
    session.document(*keys);
    const bool under_way = field(*keys, "rebuilding") == "true";
    session.say(
        Words{fmt::format("Carrier key {}{}, {} ticket keys", field(*keys, "carrier_key"),
                          under_way ? " (rows still being made)" : "", field(*keys, "ticket_keys")),
              fmt::format("载体密钥 {}{}，门票签名密钥 {} 个", field(*keys, "carrier_key"),
                          under_way ? "（名单更新中）" : "", field(*keys, "ticket_keys"))});
    return Exit::ok;
}

}  // namespace

void add_site_commands(const Command& root) {
    const auto group = root.group("site", {"scenic areas", "景区"});

    const auto adding =
        group.command("add", {"create a site", "新建景区"},
                      "paifangctl site add --zh 石林 --en 'Stone Forest'\n"
                      "paifangctl site add --zh 夜游 --en 'Night tour' "
                      "--day-begins-min 240   # 01:00 still counts as the day before");
    auto a = std::make_shared<SiteAdd>();
    adding.option("--zh", a->zh, {"Chinese name", "中文名"}).required();
    adding.option("--en", a->en, {"English name", "英文名"}).required();
    adding
        .option("--utc-offset-min", a->utc_offset_min,
                {"minutes from UTC (480: China)", "与 UTC 相差的分钟（中国 480）"})
        .range(-720, 840);
    adding
        .option("--day-begins-min", a->day_begins_min,
                {"minutes after midnight at which a day begins", "一天从零点后第几分钟算起"})
        .range(0, 720);
    adding.runs(std::move(a), add);

    const auto listing = group.command("list", {"all sites", "列出景区"},
                                       "paifangctl site list --json | jq '.items[].id'");
    listing.runs(std::make_shared<Nothing>(), list);

    const auto rotating = group.command(
        "rotate-key", {"a new key for codes, documents and cards", "更换载体密钥"},
        "paifangctl site rotate-key 1   # after a gate was stolen; no ticket is reprinted");
    auto key = std::make_shared<SiteKey>();
    rotating.option("site", key->site, {"number of the site", "景区编号"}).required();
    rotating.runs(key, rotate_key);

    const auto showing = group.command("keys", {"numbers of the keys in use", "查看密钥编号"},
                                       "paifangctl site keys 1 --json | jq .rebuilding");
    auto shown = std::make_shared<SiteKey>();
    showing.option("site", shown->site, {"number of the site", "景区编号"}).required();
    showing.runs(shown, show_keys);
}

}  // namespace pf::firmware::ctl
