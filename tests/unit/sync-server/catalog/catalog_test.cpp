// What devices must know of products: nothing half right, and a version for every change.
#include "sync-server/catalog/catalog.hpp"

#include <set>

#include "common/wire/documents.hpp"
#include "common/wire/limits.hpp"
#include "sync-server/catalog/repository.hpp"
#include "tests/unit/sync-server/desk.hpp"

using namespace pf;
using namespace pf::tests;
using server::catalog::Refusal;

namespace {

constexpr SiteId here{1}, elsewhere{2}, nowhere{3};

admission::Product product(std::vector<PointId> points = {}) {
    return {.id = {},
            .name_zh = "成人票",
            .name_en = "Adult",
            .points = std::move(points),
            .stale = admission::StaleRule::ask,
            .certificate = {ticket::PersonType::senior, ticket::PersonType::student}};
}

struct Shelf : Desk {
    Shelf() {
        add_site();
        add_site();
    }
    auto add_point(SiteId site, const char* zh = "南门", const char* en = "South") {
        return attempt([&](Repositories& r, const Call& call) {
            return server::catalog::add_point(r, call, site, zh, en);
        });
    }
    auto add_window(SiteId site, std::uint16_t from, std::uint16_t until) {
        return attempt([&](Repositories& r, const Call& call) {
            return server::catalog::add_window(r, call, site, from, until);
        });
    }
    auto add_product(SiteId site, const admission::Product& draft) {
        return attempt([&](Repositories& r, const Call& call) {
            return server::catalog::add_product(r, call, site, draft);
        });
    }
    auto change_product(SiteId site, const admission::Product& changed) {
        return attempt([&](Repositories& r, const Call& call) {
            return server::catalog::change_product(r, call, site, changed);
        });
    }
    admission::ProductTable table(SiteId site) {
        return act([&](Repositories& r, const Call&) { return server::catalog::table(r, site); });
    }
};

}  // namespace

TEST_CASE("numbers are the site's own and begin at 1") {
    Shelf shelf;
    CHECK(*shelf.add_point(here) == PointId{1});
    CHECK(*shelf.add_point(here) == PointId{2});
    CHECK(*shelf.add_point(elsewhere) == PointId{1});
    CHECK(*shelf.add_window(here, 0, 720) == WindowId{1});
    CHECK(*shelf.add_window(here, 720, 1440) == WindowId{2});
    CHECK(*shelf.add_window(elsewhere, 480, 600) == WindowId{1});
    CHECK(*shelf.add_product(here, product()) == ProductId{1});
    CHECK(*shelf.add_product(here, product()) == ProductId{2});
    CHECK(*shelf.add_product(elsewhere, product()) == ProductId{1});
}

TEST_CASE("what is put comes back in the table, and in no other site's") {
    Shelf shelf;
    REQUIRE(shelf.add_point(here).has_value());
    REQUIRE(shelf.add_point(here).has_value());
    REQUIRE(shelf.add_window(here, 480, 720).has_value());
    REQUIRE(shelf.add_product(here, product({PointId{2}, PointId{1}})).has_value());
    const auto table = shelf.table(here);
    CHECK(table.site == here);
    CHECK(table.calendar == Calendar{});
    CHECK(table.windows == std::vector<admission::Window>{{WindowId{1}, 480, 720}});
    admission::Product expected = product({PointId{2}, PointId{1}});
    expected.id = ProductId{1};
    CHECK(table.products == std::vector{expected});
    CHECK(shelf.table(elsewhere).products.empty());
    CHECK(shelf.table(elsewhere).windows.empty());
    const auto points =
        shelf.act([&](Repositories& r, const Call&) { return server::catalog::points(r, here); });
    REQUIRE(points.size() == 2);
    CHECK(points[1].id == PointId{2});
    CHECK(points[1].name_zh == "南门");
    CHECK(points[1].name_en == "South");
    CHECK(points[1].site == here);
}

TEST_CASE("windows that are none are refused") {
    struct Case {
        SiteId site;
        std::uint16_t from, until;
        std::optional<Refusal> refusal;
        const char* why;
    };
    const Case cases[] = {
        {here, 0, 1440, {}, "the whole day"},
        {here, 719, 720, {}, "a minute"},
        {here, 720, 720, Refusal::window_bad, "no minute"},
        {here, 800, 720, Refusal::window_bad, "backwards"},
        {here, 0, 1441, Refusal::window_bad, "beyond the day"},
        {nowhere, 0, 1440, Refusal::site_unknown, "no such site"},
    };
    for (const Case& c : cases) {
        CAPTURE(c.why);
        Shelf shelf;
        const auto added = shelf.add_window(c.site, c.from, c.until);
        CHECK(added.has_error() == c.refusal.has_value());
        if (c.refusal) CHECK(added.error() == *c.refusal);
        CHECK(shelf.table(here).windows.size() == (c.refusal ? 0 : 1));
        CHECK(shelf.table(here).version == (c.refusal ? 0 : 1));
    }
}

TEST_CASE("products that nobody could check are refused, new or changed") {
    struct Case {
        void (*spoil)(admission::Product&);
        std::optional<Refusal> refusal;
        const char* why;
    };
    const Case cases[] = {
        {[](admission::Product&) {}, {}, "at every point"},
        {[](admission::Product& p) { p.points = {PointId{1}}; }, {}, "at a point"},
        {[](admission::Product& p) {
             p.points = {PointId{1}, PointId{2}};
         },
         Refusal::point_unknown, "at a point of another site"},
        {[](admission::Product& p) { p.name_zh.clear(); }, Refusal::name_missing, "no name"},
        {[](admission::Product& p) { p.name_en.clear(); }, Refusal::name_missing, "no English"},
    };
    for (const Case& c : cases) {
        CAPTURE(c.why);
        Shelf shelf;
        REQUIRE(shelf.add_point(here).has_value());
        REQUIRE(shelf.add_point(elsewhere).has_value());
        REQUIRE(shelf.add_point(elsewhere).has_value());
        REQUIRE(shelf.add_product(here, product()).has_value());
        const auto before = shelf.table(here);

        admission::Product draft = product();
        c.spoil(draft);
        const auto added = shelf.add_product(here, draft);
        CHECK(added.has_error() == c.refusal.has_value());
        if (c.refusal) CHECK(added.error() == *c.refusal);
        if (c.refusal) CHECK(shelf.table(here) == before);

        draft.id = ProductId{1};
        const auto at = shelf.table(here).version;
        CHECK(shelf.change_product(here, draft) == c.refusal);
        CHECK(shelf.table(here).version == at + (c.refusal ? 0 : 1));
        if (!c.refusal) CHECK(*shelf.table(here).find(ProductId{1}) == draft);
        if (c.refusal) CHECK(shelf.table(here) == before);
    }
}

TEST_CASE("only what is there is changed, and only at its own site") {
    Shelf shelf;
    REQUIRE(shelf.add_product(here, product()).has_value());
    admission::Product changed = product();
    changed.name_en = "Grown-up";
    changed.id = ProductId{2};
    CHECK(shelf.change_product(here, changed) == Refusal::product_unknown);
    changed.id = ProductId{1};
    CHECK(shelf.change_product(elsewhere, changed) == Refusal::product_unknown);
    CHECK(shelf.table(here).products.front().name_en == "Adult");
    CHECK(shelf.table(elsewhere).products.empty());
    CHECK_FALSE(shelf.change_product(here, changed).has_value());
    CHECK(shelf.table(here).products.front().name_en == "Grown-up");
}

TEST_CASE("the version rises with what devices must know, and with nothing else") {
    Shelf shelf;
    CHECK(shelf.table(here).version == 0);
    REQUIRE(shelf.add_point(here).has_value());  // a name for people
    CHECK(shelf.table(here).version == 0);
    REQUIRE(shelf.add_product(here, product()).has_value());
    CHECK(shelf.table(here).version == 1);
    REQUIRE(shelf.add_window(here, 0, 60).has_value());
    CHECK(shelf.table(here).version == 2);
    CHECK(shelf.table(elsewhere).version == 0);
}

TEST_CASE("points need a site and both names") {
    Shelf shelf;
    CHECK(shelf.add_point(nowhere).error() == Refusal::site_unknown);
    CHECK(shelf.add_point(here, "", "South").error() == Refusal::name_missing);
    CHECK(shelf.add_point(here, "南门", "").error() == Refusal::name_missing);
    CHECK(shelf.add_product(nowhere, product()).error() == Refusal::site_unknown);
    std::set<std::string_view> words;
    for (const Refusal refusal :
         {Refusal::site_unknown, Refusal::product_unknown, Refusal::window_unknown,
          Refusal::point_unknown, Refusal::window_bad, Refusal::name_missing})
        words.insert(server::catalog::to_text(refusal));
    CHECK(words.size() == 6);
}

TEST_CASE("a table no device could take is refused before it is kept") {
    Shelf shelf;
    const std::string long_name(128, 'n');
    const auto named = [&](ProductId id = {}) {
        admission::Product out = product();
        out.id = id;
        out.name_zh = long_name;
        out.name_en = long_name;
        return out;
    };
    const auto signable = [&] {
        return wire::encoded_bytes(shelf.table(here)) + wire::document_envelope_bytes_max <=
               wire::document_bytes_max;
    };
    // Straight to the table, so that the test need not encode it a thousand times.
    shelf.act([&](Repositories& r, const Call&) {
        for (std::uint32_t i = 1; i <= 710; ++i) r.catalog.put_product(here, named(ProductId{i}));
        return true;
    });
    std::optional<Refusal> refused;
    for (int i = 0; i < 100 && !refused; ++i) {
        const auto added = shelf.add_product(here, named());
        if (added.has_error()) refused = added.error();
    }
    CHECK(refused == Refusal::table_full);
    CHECK(signable());
    // Not by a change either: the last one, grown by the points of a large site.
    REQUIRE(shelf.add_point(here).has_value());
    const auto table = shelf.table(here);
    admission::Product grown = table.products.back();
    grown.points.assign(wire::product_points_max, PointId{1});
    CHECK(shelf.change_product(here, grown) == Refusal::table_full);
    grown.points.push_back(PointId{1});
    CHECK(shelf.change_product(here, grown) == Refusal::points_too_many);
    CHECK(shelf.table(here) == table);
}

TEST_CASE("as many windows and products as a device takes, and no more") {
    Shelf shelf;
    shelf.act([&](Repositories& r, const Call&) {
        for (std::uint32_t i = 1; i < wire::windows_max; ++i)
            r.catalog.put_window(here, {WindowId{i}, 0, 1440});
        for (std::uint32_t i = 1; i < wire::products_max; ++i) {
            admission::Product p = product();
            p.id = ProductId{i};
            r.catalog.put_product(here, p);
        }
        return true;
    });
    CHECK(shelf.add_window(here, 0, 1440).has_value());
    CHECK(shelf.add_window(here, 0, 1440).error() == Refusal::windows_full);
    CHECK(shelf.add_product(here, product()).has_value());
    CHECK(shelf.add_product(here, product()).error() == Refusal::products_full);
    const auto table = shelf.table(here);
    CHECK(table.windows.size() == wire::windows_max);
    CHECK(table.products.size() == wire::products_max);
}
