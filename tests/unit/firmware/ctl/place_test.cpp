#include "firmware/ctl/place.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <map>

#include "tests/support/temp_dir.hpp"

using namespace pf;
using namespace pf::firmware::ctl;

namespace {

void put(const std::string& path, const std::string& text) { std::ofstream{path} << text; }

Environment environment_of(std::map<std::string, std::string> values) {
    return [values = std::move(values)](const std::string& name) -> std::optional<std::string> {
        const auto found = values.find(name);
        if (found == values.end()) return std::nullopt;
        return found->second;
    };
}

struct ServerFolder {
    tests::TempDir dir;
    ServerFolder() {
        put(dir / "ports.json", R"({"http":8443,"tls":true,"renewal":8444,"broker":8883,"pid":1})");
        put(dir / "authority.pem", "AUTHORITY");
        put(dir / "admin.key", "pfk_admin\n");
    }
};

}  // namespace

TEST_CASE("the server's own folder says everything") {
    const ServerFolder folder;
    const auto place =
        find_place({.data = folder.dir.path().string(), .server = {}, .ca = {}, .key = {}},
                   environment_of({}));
    REQUIRE(place.has_value());
    CHECK(place->url == "https://127.0.0.1:8443");
    CHECK(place->authority_pem == "AUTHORITY");
    CHECK(place->key == "pfk_admin");
}

TEST_CASE("a folder without a running server says so") {
    const ServerFolder folder;
    std::filesystem::remove(folder.dir / "ports.json");
    const auto place =
        find_place({.data = folder.dir.path().string(), .server = {}, .ca = {}, .key = {}},
                   environment_of({}));
    REQUIRE(place.has_error());
    CHECK(place.error().exit == Exit::file);
    CHECK(place.error().code == "server_not_running");
}

TEST_CASE("what was said beats the folder, the folder beats the environment") {
    const ServerFolder folder;
    const auto data = folder.dir.path().string();
    put(folder.dir / "mine.key", "pfk_mine");
    struct Row {
        PlaceOptions said;
        std::map<std::string, std::string> environment;
        std::string url, key;
        const char* because;
    };
    const Row rows[] = {
        {{data, "", "", folder.dir / "mine.key"},
         {},
         "https://127.0.0.1:8443",
         "pfk_mine",
         "a named key replaces the admin's"},
        {{data, "", "", ""},
         {{"PAIFANG_SERVER", "https://other"}, {"PAIFANG_KEY", "pfk_env"}},
         "https://127.0.0.1:8443",
         "pfk_admin",
         "the environment only fills gaps"},
        {{"", "https://said", "", ""},
         {{"PAIFANG_DATA", data}, {"PAIFANG_KEY", "pfk_env"}},
         "https://said",
         "pfk_env",
         "another server than the folder's: its key is not shown there"},
        {{"", "", "", ""},
         {{"PAIFANG_SERVER", "https://env"}, {"PAIFANG_KEY", folder.dir / "mine.key"}},
         "https://env",
         "pfk_mine",
         "the variable may name a file"},
    };
    for (const Row& row : rows) {
        const auto place = find_place(row.said, environment_of(row.environment));
        REQUIRE_MESSAGE(place.has_value(), row.because);
        CHECK_MESSAGE(place->url == row.url, row.because);
        CHECK_MESSAGE(place->key == row.key, row.because);
    }
}

TEST_CASE("no server named is wrong usage, a missing file is the file's fault") {
    CHECK(find_place({}, environment_of({})).error().exit == Exit::usage);
    const auto place = find_place({"", "https://a", "/nowhere.pem", ""}, environment_of({}));
    REQUIRE(place.has_error());
    CHECK(place.error().exit == Exit::file);
    // A key on the command line is read by every user of the machine.
    CHECK(find_place({"", "https://a", "", "pfk_secret"}, environment_of({})).error().exit ==
          Exit::file);
}
