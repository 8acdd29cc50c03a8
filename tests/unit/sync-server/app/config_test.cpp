#include "sync-server/app/config.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "sync-server/app/data_dir.hpp"

using namespace pf::server::app;

namespace {

std::string verdict(const std::string& text) {
    const auto read = read_config(text);
    if (const auto* error = std::get_if<ConfigError>(&read))
        return std::to_string(error->line) + ": " + error->message;
    return "fine";
}

}  // namespace

TEST_CASE("settings are read exactly, and what is wrong is named with its line") {
    struct Row {
        const char *why, *text, *expect;
    };
    const Row rows[] = {
        {"nothing set", "", "fine"},
        {"some", "data = \"/x\"\n[http]\nport = 0\ntls = false\n", "fine"},
        {"dotted is the same", "http.port = 1\n", "fine"},
        {"unknown key", "data = \"/x\"\n\nport = 1\n", "3: `port` is no key of this server"},
        {"unknown in a section", "[http]\nport = 1\nprot = 2\n",
         "3: `http.prot` is no key of this server"},
        {"unknown section", "[htpp]\nport = 1\n", "1: `htpp` is no key of this server"},
        {"a section as a value", "http = 1\n", "1: `http` is no key of this server"},
        {"wrong type", "[http]\nport = \"1\"\n", "2: `http.port` must be a whole number"},
        {"a fraction", "[http]\nport = 1.0\n", "2: `http.port` must be a whole number"},
        {"out of range", "[http]\nport = 65536\n", "2: `http.port` must be 0 to 65535"},
        {"no thread", "[http]\nthreads = 0\n", "2: `http.threads` must be 1 to 64"},
        {"an empty text", "data = \"\"\n", "1: `data` must not be empty"},
        {"another word", "[broker]\nkind = \"mine\"\n",
         "2: `broker.kind` must be \"managed\" or \"external\""},
        {"a database", "[database]\nurl = \"postgresql://u:p@h/d\"\nprepare = false\n", "fine"},
        {"another database", "[database]\nurl = \"mysql://u:p@h\"\n",
         "2: `database.url` must begin with postgresql://"},
        {"a password like a path", "[database]\nurl = \"postgresql://u:a/b@h/d\"\n",
         "2: `database.url` must have / and ? and @ in user or password escaped, as %2F, %3F and "
         "%40"},
        {"a password like a query", "[database]\nurl = \"postgresql://u:a?b@h/d\"\n",
         "2: `database.url` must have / and ? and @ in user or password escaped, as %2F, %3F and "
         "%40"},
        {"pooling a file", "[database]\nprepare = false\n",
         "0: `database.prepare` is for the database of `database.url`"},
        {"names", "names = [\"a\", 1]\n", "1: `names` must be a list of texts"},
        {"a blank in a name", "names = [\"a b\"]\n",
         "0: `names` must be names and addresses, without blanks"},
        {"a line end in an address", "[broker]\naddress = \"127.0.0.1\\nuser root\"\n",
         "0: `broker.address` must be one word of printable ASCII"},
        {"an authority for our own broker", "[broker]\nauthority = \"/a\"\n",
         "0: `broker.authority`, `broker.certificate` and `broker.key` are for an external broker"},
        {"no horizon", "[lists]\nhorizon_days = 0\n", "2: `lists.horizon_days` must be 1 to 400"},
        {"half a certificate", "[http]\nkey = \"/k\"\n",
         "0: `http.certificate` and `http.key` belong together"},
        {"external without where", "[broker]\nkind = \"external\"\n",
         "0: an external broker needs `broker.host` and `broker.port`"},
        {"a host for the managed one", "[broker]\nhost = \"h\"\n",
         "0: `broker.host` is for an external broker; devices use `host`"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.why);
        CHECK(verdict(row.text) == row.expect);
    }
    CHECK(verdict("data = \n").starts_with("1: "));
    CHECK(verdict("a = 1\na = 2\n").starts_with("2: "));
}

TEST_CASE("the example names every key, and is itself the defaults") {
    const auto text = read_file("docs/server.toml.example");
    REQUIRE(text.has_value());
    CHECK(verdict(*text) == "fine");
    const auto config = std::get<Config>(read_config(*text));
    const Config fresh;
    CHECK(config.host == fresh.host);
    CHECK(config.database.url == fresh.database.url);
    CHECK(config.database.prepare == fresh.database.prepare);
    CHECK(config.http.port == fresh.http.port);
    CHECK(config.http.tls == fresh.http.tls);
    CHECK(config.http.threads == fresh.http.threads);
    CHECK(config.renewal.port == fresh.renewal.port);
    CHECK(config.broker.managed == fresh.broker.managed);
    CHECK(config.broker.port == fresh.broker.port);
    CHECK(config.broker.program == fresh.broker.program);
    CHECK(config.broker.version_3_1_1 == fresh.broker.version_3_1_1);
    for (const std::string& key : config_keys()) {
        CAPTURE(key);
        const std::string last = key.substr(key.rfind('.') + 1);
        // A commented key counts: it is documented.
        const bool named = text->find("\n" + last + " =") != std::string::npos ||
                           text->find("\n# " + last + " =") != std::string::npos;
        CHECK(named);
    }
}
