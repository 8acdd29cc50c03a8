#include "sync-server/store/store.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "sync-server/lists/repository.hpp"
#include "tests/bench/system_calls.hpp"
#include "tests/support/rng.hpp"
#include "tests/support/temp_dir.hpp"

using namespace pf;
using namespace pf::server;
using store::Decision;
using store::Store;

namespace {
std::unique_ptr<Store> open(const std::string& path, bool threaded = true) {
    auto opened = Store::open(
        {.database = path, .vfs = {}, .threaded = threaded, .now = wall_from_ms(1'000)});
    REQUIRE(opened.has_value());
    return std::move(*opened);
}
}  // namespace

TEST_CASE("a second process may not have the file, a file of a newer release is refused") {
    const tests::TempDir dir;
    const std::string path = dir / "server.db";
    {
        auto store = open(path);
        const auto second = Store::open({.database = path, .vfs = {}, .threaded = true, .now = {}});
        REQUIRE(second.has_error());
        CHECK(second.error() == store::Fault::in_use);
    }
    const auto nowhere =
        Store::open({.database = dir / "no/such/dir.db", .vfs = {}, .threaded = true, .now = {}});
    CHECK(nowhere.error() == store::Fault::unavailable);
    std::ofstream{dir / "text.db"} << std::string(4096, 'x');
    const auto text =
        Store::open({.database = dir / "text.db", .vfs = {}, .threaded = true, .now = {}});
    CHECK(text.error() == store::Fault::damaged);
}

TEST_CASE("a page of a long list is read in one piece, not row by row") {
    const tests::TempDir dir;
    const std::string path = dir / "server.db";
    constexpr int rows = 20'000;
    constexpr std::size_t page_rows = 2'000;
    CHECK_FALSE(open(path)->write_now([](Repositories& r) {
        tests::Rng rng{1};
        for (int i = 0; i < rows; ++i) {
            Bytes key(25, 0x01);
            for (Byte& byte : key) byte = static_cast<Byte>(rng.below(256));
            r.lists.add_row(SiteId{1}, wire::ListScope::tickets, key, Bytes(30, 0xa4), 1);
        }
        return Decision::keep;
    }));
    const auto store = open(path);
    std::size_t found = 0;
    std::uint64_t pages = 0;
    CHECK_FALSE(store->read([&](Repositories& r) {
        const bench::PagesRead reads;
        found = r.lists
                    .alive_at(SiteId{1}, wire::ListScope::tickets, 1, std::nullopt, Bytes{0x40},
                              page_rows)
                    .size();
        pages = reads.count();
    }));
    CHECK(found == page_rows);
    // Some 200 bytes a row in text: a tenth of the list. Row by row it would be most of the table.
    MESSAGE(pages << " pages of the file for a page of the list");
    CHECK(pages < 250);
}

TEST_CASE("a path may hold what SOCI and SQLite take for syntax") {
    const tests::TempDir dir;
    for (const char* name :
         {"two words.db", "a=b c.db", "q\"uote.db", "per%20cent.db", "x?y#z.db", "黄山.db"}) {
        CAPTURE(name);
        const std::string path = dir / name;
        CHECK_FALSE(open(path)->write_now([](Repositories& r) {
            r.meta.put("here", "yes");
            return Decision::keep;
        }));
        CHECK(std::filesystem::exists(path));
        CHECK_FALSE(
            open(path)->read([](Repositories& r) { CHECK(r.meta.value("here") == "yes"); }));
    }
}

TEST_CASE("a database is named without its user, password and parameters") {
    CHECK(store::printable("/var/lib/paifang/server.db") == "/var/lib/paifang/server.db");
    CHECK(store::printable("postgresql://u:s3cret@db.example:5432/pf?sslmode=require&password=x") ==
          "postgresql://db.example:5432/pf");
    CHECK(store::printable("postgres://u:p@ss@db/pf") == "postgresql://db/pf");
    CHECK(store::printable("postgresql://u:pa/ss@db/pf") == "postgresql://db/pf");
    CHECK(store::printable("postgresql://u:p?w@db/pf?x=y") == "postgresql://db/pf");
    CHECK(store::printable("postgresql:///pf?user=u&password=x") == "postgresql:///pf");
}

TEST_CASE("derived bytes depend on seed and label, and on nothing else") {
    const Call a{.now = {}, .seed = {1}, .actor = "x"};
    const Call b{.now = {}, .seed = {2}, .actor = "x"};
    CHECK(derive(a, "id", 40) == derive(a, "id", 40));
    CHECK(derive(a, "id", 40) != derive(b, "id", 40));
    CHECK(derive(a, "id", 8) != derive(a, "key", 8));
    CHECK(derive(a, "id", 100).size() == 100);
}
