// From SQLite to PostgreSQL. Nothing here runs without a PostgreSQL.
#include "sync-server/store/copy.hpp"

#include "sync-server/findings/repository.hpp"
#include "sync-server/lists/repository.hpp"
#include "tests/contract/store/desk.hpp"

using namespace pf;
using namespace pf::tests;
using wire::ListScope;

namespace {

constexpr std::uint64_t list_rows = 1'234;  // neither full statements nor full pages

void fill(Store& store) {
    CHECK_FALSE(store
                    .write_now([](Repositories& r) {
                        r.meta.put("words", "黄山 'quoted' \\ :a %s \n\t");
                        r.findings.add({.kind = server::findings::Kind::fork,
                                        .at = wall_from_ms(-5),
                                        .site = std::nullopt,
                                        .device = std::nullopt,
                                        .ticket = std::nullopt,
                                        .epoch = std::nullopt,
                                        .seq = INT64_MAX,
                                        .detail = ""});
                        for (std::uint64_t i = 0; i < list_rows; ++i) {
                            const auto key = to_be8(i * 0x9e3779b97f4a7c15ULL);
                            r.lists.add_row(SiteId{1}, ListScope::tickets, key,
                                            BytesView{key}.first(i % 3), 1);
                        }
                        return Decision::keep;
                    })
                    .has_value());
}

}  // namespace

TEST_CASE("a platform is moved to PostgreSQL with everything, or not at all") {
    if (!Database::on_postgres()) return;
    const TempDir folder;
    Desk desk;
    desk.store.reset();
    Store::Options from = desk.options();
    from.database = folder / "server.db";
    {
        auto opened = Store::open(from);
        REQUIRE(opened.has_value());
        fill(**opened);
        // Nobody may write while it is copied.
        CHECK(server::store::copy(from, desk.options()).error() == Fault::in_use);
    }
    const auto copied = server::store::copy(from, desk.options());
    REQUIRE_MESSAGE(copied.has_value(), desk.told().back());
    std::uint64_t rows = 0;
    for (const auto& table : *copied) {
        CAPTURE(table.name);
        // The server's own row of `meta` comes on top.
        CHECK(desk.database.ask("SELECT count(*) FROM " + table.name) ==
              std::to_string(table.rows + (table.name == "meta" ? 1 : 0)));
        if (table.name == "list_row") rows = table.rows;
    }
    CHECK(rows == list_rows);

    desk.open();
    CHECK(desk.value("words") == "黄山 'quoted' \\ :a %s \n\t");
    CHECK(desk.value("generation") == "1000");
    CHECK_FALSE(desk.store
                    ->read([](Repositories& r) {
                        const auto found = r.findings.newest(INT64_MAX, 10);
                        REQUIRE(found.size() == 1);
                        CHECK(found[0].seq == INT64_MAX);
                        CHECK_FALSE(found[0].site.has_value());
                        CHECK(found[0].at == wall_from_ms(-5));
                    })
                    .has_value());
    // The next finding takes the next number: nothing is given twice.
    CHECK_FALSE(desk.store
                    ->write_now([](Repositories& r) {
                        r.findings.add({.kind = server::findings::Kind::fork,
                                        .at = {},
                                        .site = std::nullopt,
                                        .device = std::nullopt,
                                        .ticket = std::nullopt,
                                        .epoch = std::nullopt,
                                        .seq = 1,
                                        .detail = ""});
                        return Decision::keep;
                    })
                    .has_value());
    CHECK(desk.database.ask("SELECT max(number) FROM finding") == "2");

    desk.store.reset();
    CHECK(server::store::copy(from, desk.options()).error() == Fault::unsuitable);
    CHECK(desk.told().back() == "the database is not empty");
    CHECK(desk.database.ask("SELECT count(*) FROM list_row") == std::to_string(list_rows));
}

TEST_CASE("a copy that arrives differently is not kept") {
    if (!Database::on_postgres()) return;
    const TempDir folder;
    Desk desk;
    desk.store.reset();
    Store::Options from = desk.options();
    from.database = folder / "server.db";
    {
        auto opened = Store::open(from);
        REQUIRE(opened.has_value());
        fill(**opened);
    }
    desk.database.run(
        "CREATE FUNCTION bend() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " NEW.detail := 'bent'; RETURN NEW; END $$;"
        " CREATE TRIGGER bend BEFORE INSERT ON finding FOR EACH ROW EXECUTE FUNCTION bend()");
    CHECK(server::store::copy(from, desk.options()).error() == Fault::failed);
    CHECK(desk.told().back() == "table finding arrived differently");
    CHECK(desk.database.ask("SELECT count(*) FROM finding") == "0");
    CHECK(desk.database.ask("SELECT value FROM meta WHERE name = 'generation'") == "1000");
}
