// paifang-server: the sync server's program.
#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <iostream>

#include "sync-server/app/broker_kit.hpp"
#include "sync-server/app/config.hpp"
#include "sync-server/app/data_dir.hpp"
#include "sync-server/app/entropy.hpp"
#include "sync-server/app/program.hpp"
#include "sync-server/app/vault.hpp"
#include "sync-server/store/copy.hpp"

namespace {

using namespace pf;
using namespace pf::server;
using app::Exit;

struct Arguments {
    std::string config;
    std::string data;
    bool check_only = false;
    std::string key_name;
    std::vector<std::string> key_permissions;
    std::vector<std::string> broker_names;
    std::string broker_out;
    std::uint16_t broker_port = 8883;
};

int fail(Exit exit, const std::string& message) {
    std::cerr << "paifang-server: " << message << '\n';
    return static_cast<int>(exit);
}

std::variant<app::Config, int> configured(const Arguments& arguments) {
    app::Config config;
    if (!arguments.config.empty()) {
        const auto text = app::read_file(arguments.config);
        if (!text) return fail(Exit::usage, arguments.config + " can't be read");
        auto read = app::read_config(*text);
        if (const auto* error = std::get_if<app::ConfigError>(&read))
            return fail(Exit::usage, arguments.config +
                                         (error->line ? ":" + std::to_string(error->line) : "") +
                                         ": " + error->message);
        config = std::get<app::Config>(std::move(read));
    }
    if (!arguments.data.empty()) config.data = arguments.data;
    if (config.data.empty())
        return fail(Exit::usage, "say where the data is: --data DIR, or `data` in the file");
    // Relative paths mean the folder the program was started in, also for the broker's process.
    config.data = std::filesystem::absolute(config.data).lexically_normal();
    return config;
}

int serve(const Arguments& arguments) {
    auto config = configured(arguments);
    if (const int* code = std::get_if<int>(&config)) return *code;
    if (arguments.check_only) {
        std::cout << "the configuration is fine\n";
        return static_cast<int>(Exit::ok);
    }
    app::Program program{std::get<app::Config>(std::move(config))};
    if (const auto failure = program.start()) return fail(failure->exit, failure->message);
    return static_cast<int>(program.run());
}

/// Without a running server, which answers POST /v1/keys.
int create_key(const Arguments& arguments) {
    auto config = configured(arguments);
    if (const int* code = std::get_if<int>(&config)) return *code;
    access::Permissions permissions;
    for (const std::string& text : arguments.key_permissions) {
        const auto permission = access::permission_from(text);
        if (!permission) return fail(Exit::usage, text + " is no permission");
        permissions.add(*permission);
    }
    app::SystemEntropy entropy;
    const auto now = std::chrono::time_point_cast<Millis>(std::chrono::system_clock::now());
    const auto& settings = std::get<app::Config>(config);
    const app::DataDir directory{settings.data};
    app::Log log{settings.log.level, settings.log.format};
    auto opened = app::open_vault(directory, settings.database, entropy, now, log);
    if (const auto* failure = std::get_if<app::StartFailure>(&opened))
        return fail(failure->exit, failure->exit == Exit::in_use
                                       ? failure->message + ". Ask it: POST /v1/keys"
                                       : failure->message);
    const auto made = app::make_key(*std::get<app::Vault>(opened).store, entropy, now,
                                    arguments.key_name, permissions);
    if (const auto* wrong = std::get_if<std::string>(&made)) return fail(Exit::failed, *wrong);
    std::cout << std::get<access::NewKey>(made).text << '\n';
    return static_cast<int>(Exit::ok);
}

/// Also while the server is running.
int broker_certificate(const Arguments& arguments) {
    auto config = configured(arguments);
    if (const int* code = std::get_if<int>(&config)) return *code;
    app::SystemEntropy entropy;
    const auto kit = app::make_broker_kit(
        app::DataDir{std::get<app::Config>(config).data}, arguments.broker_names,
        arguments.broker_port, std::filesystem::absolute(arguments.broker_out).lexically_normal(),
        entropy);
    if (!kit.ok) return fail(Exit::data_unusable, kit.text);
    std::cout << kit.text;
    return static_cast<int>(Exit::ok);
}

/// From the file in the data directory to the database of the configuration, while no server runs.
int migrate(const Arguments& arguments) {
    auto read = configured(arguments);
    if (const int* code = std::get_if<int>(&read)) return *code;
    const auto& config = std::get<app::Config>(read);
    if (config.database.url.empty())
        return fail(Exit::usage, "the configuration names no `database.url` to copy to");
    const app::DataDir directory{config.data};
    const app::DirLock lock{directory / "lock"};
    if (!lock.opened())
        return fail(Exit::data_unusable, (directory / "lock").string() + " can't be opened");
    if (!lock.held())
        return fail(Exit::in_use, "another paifang-server is using " + config.data.string());
    const auto file = directory / "server.db";
    if (!std::filesystem::exists(file)) return fail(Exit::usage, file.string() + " is not there");
    app::Log log{config.log.level, config.log.format};
    const auto now = std::chrono::time_point_cast<Millis>(std::chrono::system_clock::now());
    const store::Store::Options from{
        .database = file.string(), .vfs = {}, .threaded = false, .now = now};
    const store::Store::Options to{
        .database = config.database.url,
        .vfs = {},
        .threaded = false,
        .now = now,
        .prepare_on_server = config.database.prepare,
        .tell = [&log](std::string_view what) {
            log.say(app::LogLevel::warning, "database", {{"detail", std::string{what}}});
        }};
    const auto copied = store::copy(from, to);
    if (copied.has_error())
        return fail(
            copied.error() == store::Fault::in_use ? Exit::in_use : Exit::data_unusable,
            file.string() + " was not copied: " + std::string{store::to_text(copied.error())});
    for (const auto& table : *copied)
        std::cout << table.name << ' ' << table.rows << ' ' << table.digest << '\n';
    std::cout << "copied and checked: " << store::printable(config.database.url) << '\n';
    return static_cast<int>(Exit::ok);
}

}  // namespace

int main(int argc, char** argv) {
    // Database, keys and the broker's files are the server's alone, whatever the directory allows.
    ::umask(S_IRWXG | S_IRWXO);
    Arguments arguments;
    CLI::App cli{
        "The sync server of Paifang: tickets, devices, their journals.\n"
        "Without a configuration it listens on this machine alone. docs/server.toml.example names\n"
        "every setting. Exit codes: 0 stopped, 1 failed, 2 usage, 3 data in use, 4 data unusable.",
        "paifang-server"};
    cli.set_version_flag("--version", PAIFANG_VERSION);
    cli.add_option("--config", arguments.config, "settings (TOML)")->type_name("FILE");
    cli.add_option("--data", arguments.data, "everything the server keeps")->type_name("DIR");
    cli.add_flag("--check-config", arguments.check_only, "read the settings and end");
    CLI::App* key = cli.add_subcommand("key", "API keys, while the server is not running");
    key->require_subcommand(1);
    CLI::App* create = key->add_subcommand("create", "make a key and print it once");
    create->add_option("--name", arguments.key_name, "who acts with it, [a-z0-9._-]")->required();
    create->add_option("--permission", arguments.key_permissions, "what it may do; repeat it")
        ->required();
    CLI::App* broker = cli.add_subcommand("broker", "for the administrator of an external broker");
    broker->require_subcommand(1);
    CLI::App* certificate = broker->add_subcommand(
        "certificate", "issue a broker's certificate, print settings for Mosquitto");
    certificate
        ->add_option("--name", arguments.broker_names,
                     "name or address under which devices reach it; repeat it")
        ->required()
        ->expected(1, 16);
    certificate->add_option("--out", arguments.broker_out, "where the files go")
        ->type_name("DIR")
        ->required();
    certificate->add_option("--port", arguments.broker_port, "where it listens");
    CLI::App* move = cli.add_subcommand(
        "migrate", "copy the SQLite file in the data directory to `database.url`, checked");
    try {
        cli.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        const int code = cli.exit(error);
        return code == 0 ? 0 : static_cast<int>(Exit::usage);
    }
    if (certificate->parsed()) return broker_certificate(arguments);
    if (move->parsed()) return migrate(arguments);
    return create->parsed() ? create_key(arguments) : serve(arguments);
}
