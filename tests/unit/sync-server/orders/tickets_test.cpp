// What may be sold, and what becomes of it.
#include <algorithm>
#include <set>

#include "common/ticket/token.hpp"
#include "tests/unit/sync-server/orders/shop.hpp"

using namespace pf;
using namespace pf::tests;
using orders::Refusal;
using orders::TicketDraft;
using orders::TicketState;

TEST_CASE("a draft nobody could honour is refused, and nothing of it stays") {
    struct Case {
        void (*spoil)(TicketDraft&);
        std::optional<Refusal> refusal;
        const char* why;
    };
    using D = TicketDraft;
    const Case cases[] = {
        {[](D&) {}, {}, "as it should be"},
        {[](D& d) { d.entitlements[0].window = WindowId{1}; }, {}, "within a window"},
        {[](D& d) { d.persons = 999; }, {}, "the largest group"},
        {[](D& d) { d.entitlements.push_back(entitlement(there)); }, {}, "a joint ticket"},
        {[](D& d) { d.entitlements[0].site = SiteId{3}; }, Refusal::site_unknown, "no such site"},
        {[](D& d) { d.entitlements[0].product = ProductId{3}; }, Refusal::product_unknown,
         "no such product"},
        {[](D& d) { d.entitlements.push_back(entitlement(there, 9)); }, Refusal::product_unknown,
         "no such product at the second site"},
        {[](D& d) { d.entitlements[0].window = WindowId{2}; }, Refusal::claims_bad, "no window"},
        {[](D& d) { d.entitlements.clear(); }, Refusal::claims_bad, "good for nothing"},
        {[](D& d) { d.entitlements.push_back(entitlement()); }, Refusal::claims_bad, "twice"},
        {[](D& d) { d.persons = 0; }, Refusal::claims_bad, "nobody"},
        {[](D& d) { d.persons = 1000; }, Refusal::claims_bad, "too many"},
        {[](D& d) { d.entitlements[0].entries = 0; }, Refusal::claims_bad, "never"},
        {[](D& d) { std::swap(d.entitlements[0].first_day, d.entitlements[0].last_day); },
         Refusal::claims_bad, "days reversed"},
        {[](D& d) { d.entitlements[0].last_day = first_day + 1100; }, Refusal::claims_bad,
         "longer than any ticket lives"},
        {[](D& d) { d.carriers[0].kind = CarrierKind::signed_qr; }, Refusal::carrier_bad,
         "a signed code is no carrier"},
        {[](D& d) { d.carriers[0].text = ""; }, Refusal::carrier_bad, "an empty code"},
        {[](D& d) { d.carriers[0].text = " \t "; }, Refusal::carrier_bad, "a blank code"},
        {[](D& d) { d.carriers[0].text = "PF1:ABC"; }, Refusal::carrier_bad,
         "a code that looks like ours"},
        {[](D& d) { d.carriers[0].text = std::string(512, 'x'); }, {}, "the longest code"},
        {[](D& d) { d.carriers[0].text = std::string(513, 'x'); }, Refusal::carrier_bad,
         "too long"},
        {[](D& d) { d.carriers[0].text = "TAKEN"; }, Refusal::carrier_taken, "another's code"},
        {[](D& d) { d.carriers[0].text = " TAKEN "; }, Refusal::carrier_taken,
         "another's code, with blanks"},
        {[](D& d) {
             d.carriers.push_back({CarrierKind::code, "TAKEN"});
         },
         Refusal::carrier_taken, "the second code is another's"},
        {[](D& d) { d.carriers.resize(9, d.carriers[0]); }, Refusal::carrier_bad, "nine carriers"},
        {[](D& d) {
             d.carriers.clear();
             d.signed_qr = false;
         },
         Refusal::carrier_bad, "no way to show it"},
    };
    for (const Case& c : cases) {
        CAPTURE(c.why);
        Shop shop;
        REQUIRE(shop.issue(draft({{CarrierKind::code, "TAKEN"}})).has_value());
        const auto before = shop.state(here);
        auto what = draft({{CarrierKind::code, "FRESH"}});
        c.spoil(what);
        const auto issued = shop.issue(what);
        CHECK(issued.has_error() == c.refusal.has_value());
        if (c.refusal) CHECK(issued.error() == *c.refusal);
        CHECK(shop.tickets() == (c.refusal ? 1 : 2));
        CHECK((shop.state(here) == before) == c.refusal.has_value());
        if (c.refusal) CHECK(shop.on_carrier(CarrierKind::code, "FRESH").empty());
    }
}

TEST_CASE("an issued ticket is shown as it was sold, and its text says the same") {
    Shop shop;
    auto what = draft({{CarrierKind::code, "OTA-2026-05-0001"}});
    what.person_type = ticket::PersonType::child;
    what.persons = 3;
    what.reference = "订单 7";
    what.holder_document = "11010119900307 123x";
    const auto issued = shop.issue(what);
    REQUIRE(issued.has_value());
    CHECK(issued->effects.moved == std::set<SiteId>{here});
    const auto& claims = issued->ticket.claims;
    CHECK(claims.generation == 1);
    CHECK(claims.persons == 3);
    CHECK(claims.person_type == ticket::PersonType::child);
    CHECK(claims.entitlements == what.entitlements);
    const auto shown = shop.show(claims.id);
    REQUIRE(shown.has_value());
    CHECK(shown->claims == claims);
    CHECK(shown->state == TicketState::issued);
    CHECK(shown->reference == "订单 7");
    CHECK(shown->issued_at == shop.now);
    CHECK(shown->carriers_masked == std::vector<std::string>{"code ****0001"});
    REQUIRE(issued->ticket.text.has_value());
    CHECK(shop.text_of(claims.id) == issued->ticket.text);
    const auto key = shop.act([&](Repositories& r, const Call& call) {
        return server::fleet::ticket_key(r, call, shop.keys()).key.public_key();
    });
    const auto token = ticket::open(*issued->ticket.text, [&](const crypto::KeyId& id) {
        CHECK(id == crypto::key_id(key));
        return &key;
    });
    REQUIRE(token.has_value());
    CHECK(token->claims == claims);
    const auto holder = shop.act([&](Repositories& r, const Call&) {
        return server::fleet::site_secrets(r, shop.keys(), here).holder_keys.front();
    });
    REQUIRE(claims.holder.has_value());
    CHECK(claims.holder->key == holder.id);
    CHECK(claims.holder->hash == wire::holder_hash(holder.key, "11010119900307123X"));
}

TEST_CASE("neither codes nor documents nor signed texts rest in the database") {
    Shop shop;
    auto what = draft(
        {{CarrierKind::code, "SECRET-CODE-1"}, {CarrierKind::document, "11010119900307123X"}});
    what.holder_document = "51010119900307999X";
    what.reference = "to be seen";
    const auto issued = shop.issue(what);
    REQUIRE(issued.has_value());
    CHECK(shop.at_rest("to be seen"));  // the files are the ones looked at
    for (const char* text : {"SECRET-CODE-1", "11010119900307123X", "51010119900307999X"}) {
        CAPTURE(text);
        CHECK_FALSE(shop.at_rest(text));
        CHECK_FALSE(shop.at_rest(to_hex(as_bytes(text))));
    }
    CHECK_FALSE(shop.at_rest(*issued->ticket.text));
}

TEST_CASE("a code belongs to one ticket; documents and cards may carry many") {
    struct Case {
        CarrierKind kind;
        const char *first, *second;
        bool both;
        const char* why;
    };
    const Case cases[] = {
        {CarrierKind::code, "A-1", "A-1", false, "one code, one ticket"},
        {CarrierKind::code, "A-1", "a-1", true, "codes tell capitals apart"},
        {CarrierKind::document, "11010119900307123X", "11010119900307123x", true,
         "one person, two tickets"},
        {CarrierKind::card, "04A1B2C3", "04a1b2c3", true, "one card, two tickets"},
    };
    for (const Case& c : cases) {
        CAPTURE(c.why);
        Shop shop;
        const auto one = shop.sold(draft({{c.kind, c.first}}));
        const auto two = shop.issue(draft({{c.kind, c.second}}));
        CHECK(two.has_value() == c.both);
        const auto found = shop.on_carrier(c.kind, c.first);
        CHECK(std::ranges::count(found, one) == 1);
        const bool same = wire::normalise(c.kind, c.first) == wire::normalise(c.kind, c.second);
        CHECK(found.size() == (c.both && same ? 2 : 1));
        // Under another kind the same text is another carrier.
        const auto other = c.kind == CarrierKind::card ? CarrierKind::code : CarrierKind::card;
        CHECK(shop.on_carrier(other, c.first).empty());
    }
}

TEST_CASE("a carrier said twice for one ticket is one carrier") {
    Shop shop;
    const auto id = shop.sold(draft({{CarrierKind::document, "11010119900307123X"},
                                     {CarrierKind::document, " 11010119900307123x"},
                                     {CarrierKind::code, "A-1"},
                                     {CarrierKind::code, "A-1 "}}));
    CHECK(shop.show(id)->carriers_masked.size() == 2);
    CHECK(shop.carried(here).size() == 2);
}

TEST_CASE("several tickets of one call have ids of their own") {
    Shop shop;
    shop.act([&](Repositories& r, const Call& call) {
        std::set<TicketId> ids;
        for (const char* label : {"1", "2", "2"}) {  // and one whose id is taken
            const auto issued = orders::issue(r, call, shop.keys(), draft(), label);
            REQUIRE(issued.has_value());
            ids.insert(issued->ticket.claims.id);
        }
        CHECK(ids.size() == 3);
        return true;
    });
    CHECK(shop.tickets() == 3);
}

TEST_CASE("a reissued ticket keeps its id, and its old code is refused everywhere") {
    Shop shop;
    auto what = draft({{CarrierKind::code, "A-1"}});
    what.entitlements.push_back(entitlement(there));
    const auto issued = shop.issue(what);
    REQUIRE(issued.has_value());
    const TicketId id = issued->ticket.claims.id;
    const auto again = shop.reissue(id);
    REQUIRE(again.has_value());
    CHECK(again->effects.moved == std::set<SiteId>{here, there});
    CHECK(again->ticket.claims.id == id);
    CHECK(again->ticket.claims.generation == 2);
    CHECK(again->ticket.text.has_value());
    CHECK(again->ticket.text != issued->ticket.text);
    for (const SiteId site : {here, there}) {
        CHECK(shop.revoked(site) == std::vector<wire::Revoked>{{id, 2, last_day}});
        const auto carried = shop.carried(site);
        REQUIRE(carried.size() == 1);  // the seller's own code goes on being good
        CHECK(carried[0].claims.generation == 2);
    }
    REQUIRE(shop.reissue(id).has_value());
    CHECK(shop.revoked(here) == std::vector<wire::Revoked>{{id, 3, last_day}});
    CHECK(shop.reissue(TicketId{1}).error() == Refusal::ticket_unknown);
    CHECK(shop.tickets() == 1);
}

TEST_CASE("a revoked ticket is refused until its end and never sold again") {
    Shop shop;
    auto what = draft({{CarrierKind::code, "A-1"}});
    what.entitlements.push_back(entitlement(here, 2));
    what.entitlements[1].last_day = last_day + 30;
    const auto id = shop.sold(what);
    CHECK(shop.revoke(TicketId{1}).error() == Refusal::ticket_unknown);
    const auto revoked = shop.revoke(id, "refund");
    REQUIRE(revoked.has_value());
    CHECK(revoked->effects.moved == std::set<SiteId>{here});
    CHECK_FALSE(revoked->ticket.text.has_value());
    CHECK(shop.revoked(here) ==
          std::vector<wire::Revoked>{{id, admission::generation_all, last_day + 30}});
    CHECK(shop.revoked(there).empty());
    CHECK(shop.show(id)->state == TicketState::revoked);
    CHECK(shop.show(id)->revoked_why == "refund");
    CHECK_FALSE(shop.text_of(id).has_value());
    CHECK(shop.reissue(id).error() == Refusal::ticket_revoked);
    // The same wish twice moves nothing, and the first reason stays.
    const auto state = shop.state(here, ListScope::revoked);
    REQUIRE(shop.revoke(id, "other").has_value());
    CHECK(shop.state(here, ListScope::revoked) == state);
    CHECK(shop.show(id)->revoked_why == "refund");
    CHECK(shop.issue(draft({{CarrierKind::code, "A-1"}})).error() == Refusal::carrier_taken);
}

TEST_CASE("a ticket without a signed code has no text") {
    Shop shop;
    auto what = draft({{CarrierKind::code, "A-1"}});
    what.signed_qr = false;
    const auto issued = shop.issue(what);
    REQUIRE(issued.has_value());
    CHECK_FALSE(issued->ticket.text.has_value());
    CHECK_FALSE(shop.text_of(issued->ticket.claims.id).has_value());
    CHECK_FALSE(shop.text_of(TicketId{1}).has_value());
    CHECK_FALSE(shop.show(TicketId{1}).has_value());
}

TEST_CASE("the newest come first, page after page, also those of one moment") {
    Shop shop;
    std::vector<std::pair<WallTime, TicketId>> sold;
    for (const std::int64_t wait_ms : {0, 0, 0, 1'000, 0, 1'000}) {
        shop.now += Millis{wait_ms};
        sold.emplace_back(shop.now, shop.sold(draft()));
    }
    std::ranges::sort(sold, std::greater{});
    for (const std::size_t limit : {1UL, 2UL, 3UL, 10UL}) {
        CAPTURE(limit);
        std::vector<std::pair<WallTime, TicketId>> found;
        shop.act([&](Repositories& r, const Call&) {
            std::optional<orders::Shown> after;
            for (;;) {
                const auto page = orders::newest(r, after, limit);
                for (const auto& ticket : page)
                    found.emplace_back(ticket.issued_at, ticket.claims.id);
                if (page.size() < limit) return true;
                after = {page.back().issued_at, page.back().claims.id};
            }
        });
        CHECK(found == sold);
    }
}

TEST_CASE("every refusal has a word of its own") {
    std::set<std::string_view> words;
    for (int i = 1; i <= static_cast<int>(Refusal::carrier_taken); ++i)
        words.insert(orders::to_text(static_cast<Refusal>(i)));
    CHECK(words.size() == static_cast<std::size_t>(Refusal::carrier_taken));
}
