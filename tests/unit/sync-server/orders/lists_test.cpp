// What orders put on the lists of sites: enough to admit, nothing that says who.
#include <set>

#include "tests/unit/sync-server/orders/shop.hpp"

using namespace pf;
using namespace pf::tests;

TEST_CASE("a carrier is on the list of each of its sites, with what is good there") {
    Shop shop;
    auto what = draft({{CarrierKind::code, " A-1 "}, {CarrierKind::document, "1101011990x"}});
    what.entitlements.push_back(entitlement(here, 2));
    what.entitlements.push_back(entitlement(there));
    what.holder_document = "1101011990x";
    const auto id = shop.sold(what);
    for (const SiteId site : {here, there}) {
        CAPTURE(site.value);
        const auto carried = shop.carried(site);
        REQUIRE(carried.size() == 2);
        for (const auto& row : carried) {
            const char* text = row.kind == CarrierKind::code ? "A-1" : "1101011990X";
            CHECK(row.hash == shop.hash(site, row.kind, text));
            CHECK(row.claims.id == id);
            CHECK_FALSE(row.claims.holder.has_value());
            CHECK(row.claims.entitlements.size() == (site == here ? 2 : 1));
            for (const auto& e : row.claims.entitlements) CHECK(e.site == site);
        }
        CHECK(shop.revoked(site).empty());
    }
    CHECK(shop.hash(here, CarrierKind::code, "A-1") != shop.hash(there, CarrierKind::code, "A-1"));
}

TEST_CASE("a ticket that is only a signed code is on no list") {
    Shop shop;
    REQUIRE(shop.issue(draft()).has_value());
    CHECK(shop.rows(here, ListScope::tickets).empty());
    CHECK(shop.state(here).version == 1);
}

TEST_CASE("one document with two tickets is two rows") {
    Shop shop;
    const auto one = shop.sold(draft({{CarrierKind::document, "X1"}}));
    const auto two = shop.sold(draft({{CarrierKind::document, "X1"}}));
    const auto carried = shop.carried(here);
    REQUIRE(carried.size() == 2);
    CHECK(carried[0].hash == carried[1].hash);
    CHECK(std::set{carried[0].claims.id, carried[1].claims.id} == std::set{one, two});
}

TEST_CASE("after a new carrier key a ticket is found under both") {
    Shop shop;
    const auto id = shop.sold(draft({{CarrierKind::code, "A-1"}}));
    const auto old_hash = shop.hash(here, CarrierKind::code, "A-1");
    shop.act([&](Repositories& r, const Call& call) {
        server::fleet::rotate_carrier_key(r, call, shop.keys(), here);
        return true;
    });
    CHECK(shop.carried(here).size() == 1);
    shop.act([&](Repositories& r, const Call& call) {
        orders::rebuild_carriers(r, call, shop.keys(), id);
        orders::rebuild_carriers(r, call, shop.keys(), TicketId{1});  // nobody's: nothing
        return true;
    });
    const auto carried = shop.carried(here);
    REQUIRE(carried.size() == 2);
    const std::set hashes{carried[0].hash, carried[1].hash};
    CHECK(hashes == std::set{old_hash, shop.hash(here, CarrierKind::code, "A-1")});
    // New tickets go under both at once.
    REQUIRE(shop.issue(draft({{CarrierKind::code, "A-2"}})).has_value());
    CHECK(shop.carried(here).size() == 4);
}
