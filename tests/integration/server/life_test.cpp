// Starts, ends, and what is there afterwards.
#include <signal.h>

#include <filesystem>
#include <fstream>

#include "tests/integration/server/house.hpp"

using namespace pf;
using namespace pf::tests;

namespace {

struct Ended {
    int code = -1;
    std::string said;
};
Ended run(Server& server, const std::vector<std::string>& arguments) {
    std::vector<std::string> command{PAIFANG_SERVER};
    command.insert(command.end(), arguments.begin(), arguments.end());
    const std::string log = server.file("said");
    std::filesystem::remove(log);
    Process process{command, log};
    Ended out;
    out.code = process.wait().value_or(-1);
    std::ifstream in{log};
    out.said.assign(std::istreambuf_iterator<char>{in}, {});
    return out;
}

}  // namespace

TEST_CASE("killed without warning, everything that was answered is there again") {
    Server server;
    server.start();
    server.furnish();
    Board board{1};
    REQUIRE(board.claim(server, server.invite("gate-1")).status == 201);
    const Json draft = {
        {"entitlements",
         {{{"site", 1}, {"product", 1}, {"first_day", "2026-10-01"}, {"last_day", "2026-10-01"}}}}};
    std::vector<std::string> issued;
    for (int i = 0; i < 5; ++i) {
        const auto answer = server.ask("POST", "/v1/tickets", draft.dump(),
                                       {{"Idempotency-Key", "sale-" + std::to_string(i)}});
        REQUIRE(answer.status == 201);
        issued.push_back(answer.json["id"]);
    }
    const std::string key = server.admin_key();
    server.kill();
    server.start();
    CHECK(server.admin_key() == key);
    for (std::size_t i = 0; i < issued.size(); ++i) {
        CHECK(server.get("/v1/tickets/" + issued[i]).status == 200);
        // The seller that heard no answer asks again and gets its ticket, not another one.
        const auto again = server.ask("POST", "/v1/tickets", draft.dump(),
                                      {{"Idempotency-Key", "sale-" + std::to_string(i)}});
        CHECK(again.json["id"] == issued[i]);
    }
    CHECK(server.get("/v1/tickets").json["items"].size() == issued.size());
    // Its certificate lives on. The broker's port is another one, as the kernel chose it.
    CHECK(server.get("/v1/devices/gate-1").json["state"] == "active");
    CHECK(server.stop() == 0);
    CHECK_FALSE(std::filesystem::exists(server.data() + "/ports.json"));
    // Nothing that opens a gate or a door is in the log.
    const std::string log = server.log();
    CHECK(log.find("PF1:") == std::string::npos);
    std::size_t keys = 0;
    for (auto at = log.find("pfk_"); at != std::string::npos; at = log.find("pfk_", at + 1)) ++keys;
    CHECK_MESSAGE(keys == 0, "what is no terminal is a log: it gets no key");
    CHECK(log.find(server.data() + "/admin.key") != std::string::npos);
}

TEST_CASE("one data directory, one server; the second says why and leaves it alone") {
    Server server;
    server.start();
    const auto second = run(server, {"--config", server.config_file()});
    CHECK(second.code == 3);
    CHECK(second.said.find("another paifang-server is using") != std::string::npos);
    CHECK(run(server,
              {"--data", server.data(), "key", "create", "--name", "x", "--permission", "admin"})
              .code == 3);
    CHECK(server.get("/v1/health").status == 200);
    CHECK(server.stop() == 0);

    const auto made = run(server, {"--data", server.data(), "key", "create", "--name", "kiosk",
                                   "--permission", "tickets.read"});
    CHECK(made.code == 0);
    CHECK(made.said.starts_with("pfk_"));
}

TEST_CASE("what is wrong with the start is said with a code of its own") {
    Server server;
    const auto with = [&](const std::string& text) {
        const std::string file = server.file("bad.toml");
        std::ofstream{file} << text;
        return file;
    };
    struct Row {
        const char* why;
        std::vector<std::string> arguments;
        int code;
        const char* said;
    };
    const Row rows[] = {
        {"fine", {"--config", server.config_file(), "--check-config"}, 0, "fine"},
        {"help", {"--help"}, 0, "Exit codes"},
        {"version", {"--version"}, 0, "0."},
        {"nothing said", {}, 2, "--data DIR"},
        {"unknown argument", {"--dta", "x"}, 2, ""},
        {"no such file", {"--config", "/nonexistent"}, 2, "can't be read"},
        {"unknown key", {"--config", with("data = \"/x\"\nport = 1\n")}, 2, ":2: `port`"},
        {"a directory nobody can make", {"--data", "/proc/x/y"}, 4, "data directory"},
        {"a permission nobody has",
         {"--data", server.data(), "key", "create", "--name", "x", "--permission", "all"},
         2,
         "all is no permission"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.why);
        const auto ended = run(server, row.arguments);
        CAPTURE(ended.said);
        CHECK(ended.code == row.code);
        CHECK(ended.said.find(row.said) != std::string::npos);
    }
}

TEST_CASE("over the wire too, a bad body is named and does nothing") {
    Server server;
    server.start();
    struct Row {
        const char *method, *path, *body, *type;
        int status;
        const char* code;
    };
    const Row rows[] = {
        {"POST", "/v1/sites", "{", "application/json", 400, "json_malformed"},
        {"POST", "/v1/sites", "{\"name_zh\":1}", "application/json", 422, "body_invalid"},
        {"POST", "/v1/sites", "<x/>", "text/xml", 415, "media_type_unsupported"},
        {"POST", "/v1/sites/1/code-imports", "{}", "application/json", 415,
         "media_type_unsupported"},
        {"PUT", "/v1/sites", "{}", "application/json", 405, "method_not_allowed"},
        {"POST", "/v1/nowhere", "{}", "application/json", 404, "not_found"},
        {"GET", "/v1/tickets?limit=a", "", "", 400, "query_invalid"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.path);
        const auto answer = server.ask(row.method, row.path, row.body, {}, row.type);
        CHECK(answer.status == row.status);
        CHECK(answer.code == row.code);
    }
    const std::string large(2 * 1024 * 1024, ' ');
    CHECK(server.ask("POST", "/v1/sites", large).status == 413);
    CHECK(server.get("/v1/sites").json["items"].empty());
}
