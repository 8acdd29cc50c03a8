#include "firmware/ctl/program.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include <ostream>

#include "firmware/ctl/command.hpp"
#include "firmware/ctl/parse_words.hpp"

namespace pf::firmware::ctl {
namespace {

/// The language is needed before the parser is built, since its help is in that language.
Language spoken_in(const World& world, const std::vector<std::string>& arguments) {
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        constexpr std::string_view joined = "--lang=";
        std::string_view word;
        if (arguments[i] == "--lang" && i + 1 < arguments.size()) word = arguments[i + 1];
        if (arguments[i].starts_with(joined))
            word = std::string_view{arguments[i]}.substr(joined.size());
        if (const auto language = language_from(word)) return *language;
    }
    for (const char* name : {"LC_ALL", "LC_MESSAGES", "LANG"})
        if (const auto locale = world.environment(name); locale && !locale->empty())
            return language_of_locale(*locale);
    return Language::english;
}

void add_common_options(Session& session, const Command& app, std::string& language) {
    const std::string where = session.pick({"Where the server is", "服务器在哪里"});
    app.option("--data", session.place.data,
               {"the server's data folder: address, authority and key are read there",
                "服务器的数据目录：从中读地址、证书机构和密钥"})
        .of_group(where);
    app.option("--server", session.place.server,
               {"https://host:port (or PAIFANG_SERVER)", "https://主机:端口（或 PAIFANG_SERVER）"})
        .of_group(where);
    app.option(
           "--ca", session.place.ca,
           {"PEM file of its authority (or PAIFANG_CA)", "它的证书机构 PEM 文件（或 PAIFANG_CA）"})
        .of_group(where);
    app.option("--key", session.place.key,
               {"file with your key (or PAIFANG_KEY: file or key)",
                "存放密钥的文件（或 PAIFANG_KEY：文件或密钥）"})
        .of_group(where);
    const std::string output = session.pick({"How it answers", "怎样回答"});
    app.flag("--json", session.json,
             {"one JSON document; streams: one object a line", "一份 JSON；连续输出时每行一个对象"})
        .of_group(output);
    app.option("--lang", language, {"zh or en; default from LANG", "zh 或 en，默认看 LANG"})
        .one_of({"zh", "en"})
        .of_group(output);
    app.option(
           "--idempotency-key", session.idempotency_key,
           {"repeated with the same key, an act is done once", "用同一个值重复执行，只会做一次"})
        .of_group(output);
}

constexpr const char* overview_en =
    "Exit codes: 0 done; 1 the server refused or a check failed; 2 wrong usage;\n"
    "            3 no server there or not to be trusted; 4 a problem with a local file.\n"
    "\n"
    "A first round, on the machine of the server:\n"
    "  export PAIFANG_DATA=/var/lib/paifang        # or --data with every command\n"
    "  paifangctl site add --zh 石林 --en 'Stone Forest'\n"
    "  paifangctl point add 1 --zh 南门 --en 'South gate'\n"
    "  paifangctl product add 1 --zh 成人票 --en 'Adult ticket'\n"
    "  paifangctl device invite 1 gate-1 --kind gate --point 1   # prints a pairing code\n"
    "  paifangctl ticket issue --site 1 --product 1 --first 2026-05-01 --last 2026-05-01 --qr\n"
    "  paifangctl sync log --follow                # watch the scans arrive\n"
    "What does this code say, why was it refused?\n"
    "  paifangctl ticket explain 'PF1:…'\n"
    "More: paifangctl COMMAND --help; docs/paifangctl.md";
constexpr const char* overview_zh =
    "退出码：0 成功；1 服务器拒绝或检验不通过；2 用法不对；\n"
    "        3 连不上服务器或不可信；4 本地文件有问题。\n"
    "\n"
    "在服务器那台机器上走一遍：\n"
    "  export PAIFANG_DATA=/var/lib/paifang        # 或每条命令加 --data\n"
    "  paifangctl site add --zh 石林 --en 'Stone Forest'\n"
    "  paifangctl point add 1 --zh 南门 --en 'South gate'\n"
    "  paifangctl product add 1 --zh 成人票 --en 'Adult ticket'\n"
    "  paifangctl device invite 1 gate-1 --kind gate --point 1   # 打印配对码\n"
    "  paifangctl ticket issue --site 1 --product 1 --first 2026-05-01 --last 2026-05-01 --qr\n"
    "  paifangctl sync log --follow                # 看事件到达\n"
    "这个码说了什么，为什么被拒？\n"
    "  paifangctl ticket explain 'PF1:…'\n"
    "更多：paifangctl 命令 --help；docs/paifangctl.md";

void build(Session& session, CLI::App& app, std::string& language) {
    // Options of the program may stand behind a command; each command inherits this.
    app.fallthrough();
    app.require_subcommand(1);
    app.set_version_flag("--version", std::string{version},
                         session.pick({"which release this is", "版本号"}));
    app.set_help_flag("-h,--help", session.pick({"this text", "这段说明"}));
    app.footer(session.pick({overview_en, overview_zh}));
    const Command root{session, app};
    add_common_options(session, root, language);
    add_site_commands(root);
    add_product_commands(root);
    add_device_commands(root);
    add_ticket_commands(root);
    add_log_commands(root);
    add_journal_commands(root);
    add_scan_command(root);
    if (session.language() == Language::chinese) speak_chinese(app);
}

std::string path_of(const CLI::App& app) {
    std::string path = app.get_name();
    const auto chosen = app.get_subcommands();
    return chosen.empty() ? path : path + " " + path_of(*chosen.front());
}

Exit parse_failed(World& world, Session& session, const CLI::App& app, const CLI::ParseError& error,
                  const std::vector<std::string>& arguments) {
    if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) {
        app.exit(error, world.out, world.err);  // --help or --version was asked for
        return Exit::ok;
    }
    const auto said = parse_words(error);
    session.json = std::find(arguments.begin(), arguments.end(), "--json") != arguments.end();
    const std::string path = path_of(app);
    return session.fail({.exit = Exit::usage,
                         .code = "usage",
                         .words = {fmt::format("{}\nsee: {} --help", said.en, path),
                                   fmt::format("用法不对：{}\n请看：{} --help", said.zh, path)}});
}

}  // namespace

Exit run(World& world, const std::vector<std::string>& arguments) {
    Session session{world, spoken_in(world, arguments)};
    CLI::App app{session.pick({"paifangctl: run a Paifang server and look into its devices.",
                               "paifangctl：管理牌坊服务器，查看闸机设备。"}),
                 "paifangctl"};
    std::string language;
    build(session, app, language);
    try {
        // CLI11 takes them from the back.
        app.parse(std::vector<std::string>{arguments.rbegin(), arguments.rend()});
    } catch (const CLI::ParseError& error) {
        return parse_failed(world, session, app, error, arguments);
    }
    try {
        return session.run();
    } catch (const Json::exception&) {
        // JSON, but of another shape than the command knows: another version's, or no server's of
        // ours.
        return session.fail({.exit = Exit::unreachable,
                             .code = "answer_malformed",
                             .words = {"the server's answer has another shape than expected",
                                       "服务器的回答与预期的格式不同"}});
    }
}

}  // namespace pf::firmware::ctl
