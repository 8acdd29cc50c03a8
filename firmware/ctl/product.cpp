// What a site offers and where it is checked: points 点位, windows 时段, products 产品.
#include <fmt/format.h>

#include "firmware/ctl/command.hpp"
#include "firmware/ctl/hours.hpp"
#include "firmware/ctl/ticket_words.hpp"
#include "firmware/ctl/words.hpp"

namespace pf::firmware::ctl {
namespace {

constexpr std::uint64_t all = UINT64_MAX;

struct PointAdd {
    std::uint32_t site = 0;
    std::string zh, en;
};

Exit add_point(Session& session, const PointAdd& a) {
    const auto server = session.server();
    if (!server) return session.fail(server.error());
    const auto point = (*server)->post(fmt::format("/v1/sites/{}/points", a.site),
                                       {{"name_zh", a.zh}, {"name_en", a.en}});
    if (!point) return session.fail(point.error());
    session.document(*point);
    session.say(Words{fmt::format("Point {} of site {}: {}", field(*point, "id"), a.site, a.en),
                      fmt::format("景区 {} 的点位 {}：{}", a.site, field(*point, "id"), a.zh)});
    return Exit::ok;
}

struct WindowAdd {
    std::uint32_t site = 0;
    std::string from, until;
};

Exit add_window(Session& session, const WindowAdd& a) {
    const auto from = minutes_from(a.from);
    const auto until = minutes_from(a.until);
    if (!from || !until)
        return session.fail({.exit = Exit::usage,
                             .code = "usage",
                             .words = {"write times of day like 09:00 and 17:30 (24:00 ends a day)",
                                       "时间请写成 09:00、17:30（24:00 为当天结束）"}});
    const auto server = session.server();
    if (!server) return session.fail(server.error());
    const auto window = (*server)->post(fmt::format("/v1/sites/{}/windows", a.site),
                                        {{"from_min", *from}, {"until_min", *until}});
    if (!window) return session.fail(window.error());
    session.document(*window);
    const auto id = field(*window, "id");
    session.say(Words{fmt::format("Window {} of site {}: {}–{}", id, a.site, a.from, a.until),
                      fmt::format("景区 {} 的时段 {}：{}–{}", a.site, id, a.from, a.until)});
    return Exit::ok;
}

struct ProductAdd {
    std::uint32_t site = 0;
    std::string zh, en;
    std::vector<std::uint32_t> points;
    std::string stale = "admit";
    std::vector<std::string> certificate;
};

Exit add_product(Session& session, const ProductAdd& a) {
    const auto server = session.server();
    if (!server) return session.fail(server.error());
    const auto product = (*server)->post(fmt::format("/v1/sites/{}/products", a.site),
                                         {{"name_zh", a.zh},
                                          {"name_en", a.en},
                                          {"points", a.points},
                                          {"stale", a.stale},
                                          {"certificate", a.certificate}});
    if (!product) return session.fail(product.error());
    session.document(*product);
    const auto id = field(*product, "id");
    session.say(Words{fmt::format("Product {} of site {}: {}", id, a.site, a.en),
                      fmt::format("景区 {} 的产品 {}：{}", a.site, id, a.zh)});
    return Exit::ok;
}

struct OfSite {
    std::uint32_t site = 0;
};

/// "child, senior", or a dash.
std::string types_in_words(const Session& session, const Json& product) {
    std::string out;
    for (const Json& type : product.value("certificate", Json::array()))
        out += (out.empty() ? "" : session.pick({", ", "、"})) +
               session.pick(person_type_words(plain(type)));
    return out.empty() ? "-" : out;
}

Exit list_products(Session& session, const OfSite& a) {
    const auto server = session.server();
    if (!server) return session.fail(server.error());
    Json items = Json::array();
    Table table{{session.pick({"PRODUCT", "产品"}), session.pick({"NAME", "名称"}),
                 session.pick({"POINTS", "点位"}), session.pick({"LIST IS OLD", "名单过期时"}),
                 session.pick({"PROOF", "查验证件"})}};
    const auto every = session.pick({"all", "全部"});
    const auto target = fmt::format("/v1/sites/{}/products", a.site);
    const auto count = (*server)->list(target, all, [&](const Json& product) {
        items.push_back(product);
        const auto points = field(product, "points");
        table.row({field(product, "id"), session.name_in(product), points == "-" ? every : points,
                   session.pick(words_of(Set::stale, field(product, "stale"))),
                   types_in_words(session, product)});
        return true;
    });
    if (!count) return session.fail(count.error());
    session.document({{"items", items}});
    session.say(table.empty() ? session.pick({"No product yet.", "还没有产品。"}) : table.text());
    return Exit::ok;
}

Option add_site(const Command& command, std::uint32_t& site) {
    return command.option("site", site, {"number of the site", "景区编号"}).required();
}

void add_names(const Command& command, std::string& zh, std::string& en) {
    command.option("--zh", zh, {"Chinese name", "中文名"}).required();
    command.option("--en", en, {"English name", "英文名"}).required();
}

void add_product_adding(const Command& group) {
    const auto adding = group.command(
        "add", {"create a product", "新建产品"},
        "paifangctl product add 1 --zh 成人票 --en 'Adult ticket'\n"
        "paifangctl product add 1 --zh 儿童票 --en 'Child ticket' --certificate child   # staff "
        "look at a proof\n"
        "paifangctl product add 1 --zh 缆车 --en 'Cable car' --point 3 --stale refuse");
    auto a = std::make_shared<ProductAdd>();
    add_site(adding, a->site);
    add_names(adding, a->zh, a->en);
    adding.option(
        "--point", a->points,
        {"only checked at these points; none: at every point", "只在这些点位检票；不写则全部点位"});
    adding
        .option("--stale", a->stale,
                {"what a gate does when its list is old: admit, ask, refuse",
                 "闸机名单过期时：admit 放行，ask 问工作人员，refuse 拒绝"})
        .one_of({"admit", "ask", "refuse"});
    adding
        .option("--certificate", a->certificate,
                {"person types that must show a proof: child, senior, …",
                 "须出示证件的人员类型：child、senior……"})
        .one_of(person_types);
    adding.runs(std::move(a), add_product);
}

}  // namespace

void add_product_commands(const Command& root) {
    const auto points = root.group("point", {"points where tickets are checked", "点位"});
    const auto point = points.command("add", {"create a point", "新建点位"},
                                      "paifangctl point add 1 --zh 南门 --en 'South gate'");
    auto p = std::make_shared<PointAdd>();
    add_site(point, p->site);
    add_names(point, p->zh, p->en);
    point.runs(std::move(p), add_point);

    const auto windows = root.group("window", {"hours a ticket may be bound to", "时段"});
    const auto window = windows.command("add", {"create a window", "新建时段"},
                                        "paifangctl window add 1 09:00 17:00");
    auto w = std::make_shared<WindowAdd>();
    add_site(window, w->site);
    window.option("from", w->from, {"HH:MM", "开始 HH:MM"}).required();
    window.option("until", w->until, {"HH:MM", "结束 HH:MM"}).required();
    window.runs(std::move(w), add_window);

    const auto products = root.group("product", {"what tickets are for", "产品"});
    add_product_adding(products);
    const auto listing =
        products.command("list", {"products of a site", "列出产品"}, "paifangctl product list 1");
    auto l = std::make_shared<OfSite>();
    add_site(listing, l->site);
    listing.runs(std::move(l), list_products);
}

}  // namespace pf::firmware::ctl
