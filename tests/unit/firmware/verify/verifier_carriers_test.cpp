// Codes of others, documents and cards: looked up under the site's key, counted by ticket.
#include <doctest/doctest.h>

#include "tests/unit/firmware/verify/gate.hpp"

namespace {

using namespace pf;
using namespace pf::tests;

TEST_CASE("an OTA code is found however it is scanned") {
    struct Row {
        CarrierKind kind;
        const char* listed;
        fv::Presented::Kind shown_as;
        const char* shown;
        std::string expected;
    };
    const Row rows[] = {
        {CarrierKind::code, "MT-8821", fv::Presented::Kind::code, "MT-8821", "admit ok 1 left 0"},
        {CarrierKind::code, "MT-8821", fv::Presented::Kind::code, " MT-8821\r\n",
         "admit ok 1 left 0"},
        {CarrierKind::code, "MT-8821", fv::Presented::Kind::code, "mt-8821", "refuse unknown_code"},
        {CarrierKind::document, "11010519491231002X", fv::Presented::Kind::document,
         "11010519491231 002x", "admit ok 1 left 0"},
        {CarrierKind::card, "04A23BFF", fv::Presented::Kind::card, "04:a2:3b:ff",
         "admit ok 1 left 0"},
        // The same text as another kind of thing is another thing.
        {CarrierKind::document, "8821", fv::Presented::Kind::code, "8821", "refuse unknown_code"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.shown);
        Gate gate;
        gate.give_list(ListScope::tickets, {carried(row.kind, row.listed, claims(1))});
        const fv::Answer answer = gate.present(row.shown, row.shown_as);
        CHECK(text_of(answer) == row.expected);
        if (answer.grant_seq) CHECK(gate.journal->admitted(*answer.grant_seq)->carrier == row.kind);
    }
}

TEST_CASE("two carriers of one ticket share its uses") {
    Gate gate;
    gate.give_list(ListScope::tickets, {carried(CarrierKind::code, "MT-8821", claims(1)),
                                        carried(CarrierKind::document, "110105X", claims(1))});
    CHECK(text_of(gate.document("110105X")) == "admit ok 1 left 0");
    CHECK(text_of(gate.present("MT-8821")) == "refuse already_used");
    CHECK(text_of(gate.scan(claims(1))) == "refuse already_used");
}

TEST_CASE("a revocation beats the list entry of an opaque code") {
    Gate gate;
    gate.give_list(ListScope::tickets, {carried(CarrierKind::code, "MT-8821", claims(1))});
    gate.revoke(1);
    CHECK(text_of(gate.present("MT-8821")) == "refuse revoked");
}

TEST_CASE("carrier keys rotate") {
    Gate gate;
    gate.give_list(ListScope::tickets, {carried(CarrierKind::code, "OLD", claims(1), 1),
                                        carried(CarrierKind::code, "BOTH", claims(2), 1),
                                        carried(CarrierKind::code, "BOTH", claims(2), 2)});
    gate.standing.secrets.carrier_keys = {site_key(2), site_key(1)};
    CHECK(text_of(gate.present("OLD")) == "admit ok 1 left 0");
    // Listed under both keys it is one ticket, not a choice between two.
    CHECK(text_of(gate.present("BOTH")) == "admit ok 1 left 0");
    gate.standing.secrets.carrier_keys = {site_key(2)};
    CHECK(text_of(gate.present("OLD")) == "refuse unknown_code");
    gate.standing.secrets.carrier_keys = {};
    CHECK(text_of(gate.present("OLD")) == "refuse unknown_code");
}

TEST_CASE("not on a list that is old is not the same as not sold") {
    Gate gate;
    gate.age_lists();
    CHECK(text_of(gate.present("MT-8821")) == "ask list_stale");
}

TEST_CASE("several tickets on one document: the one that ends first") {
    Gate gate;
    gate.give_list(ListScope::tickets,
                   {carried(CarrierKind::document, "110105X", claims(1, 1, today + 1)),
                    carried(CarrierKind::document, "110105X", claims(2))});
    const fv::Answer first = gate.document("110105X");
    CHECK(text_of(first) == "admit ok 1 left 0");
    CHECK(first.claims->id == TicketId{2});
    const fv::Answer second = gate.document("110105X");
    CHECK(text_of(second) == "admit ok 1 left 0");
    CHECK(second.claims->id == TicketId{1});
    CHECK(text_of(gate.document("110105X")) == "refuse already_used");
}

TEST_CASE("several tickets of one day: the one whose hours end first") {
    constexpr WindowId morning{1};
    Gate gate;
    gate.standing.products->windows = {{morning, 480, 780}};
    ticket::Claims early = claims(2);
    early.entitlements[0].window = morning;
    gate.give_list(ListScope::tickets, {carried(CarrierKind::document, "110105X", claims(1)),
                                        carried(CarrierKind::document, "110105X", early)});
    const fv::Answer first = gate.document("110105X");
    CHECK(text_of(first) == "admit ok 1 left 0");
    CHECK(first.claims->id == TicketId{2});
    CHECK(gate.document("110105X").claims->id == TicketId{1});
}

TEST_CASE("several tickets that fit equally well: staff choose") {
    Gate gate;
    gate.give_list(ListScope::tickets,
                   {carried(CarrierKind::document, "110105X", claims(1)),
                    carried(CarrierKind::document, "110105X", claims(2)),
                    carried(CarrierKind::document, "110105X", claims(3, 1, today + 1))});
    const fv::Answer tie = gate.document("110105X");
    CHECK(text_of(tie) == "ask ambiguous");
    CHECK_FALSE(tie.claims.has_value());
    REQUIRE(tie.candidates.size() == 2);
    CHECK(tie.candidates[0].id == TicketId{1});
    CHECK(tie.candidates[1].id == TicketId{2});

    const auto choose = [&](std::uint64_t id) {
        return gate.check({.presented = {fv::Presented::Kind::document, "110105X"},
                           .persons = {},
                           .chosen = TicketId{id}});
    };
    const fv::Answer chosen = choose(2);
    CHECK(text_of(chosen) == "admit ok 1 left 0");
    CHECK(chosen.claims->id == TicketId{2});
    // A choice that is not on this document opens nothing.
    CHECK(text_of(choose(9)) == "refuse unknown_code");
    // With one of the two gone there is no tie any more.
    CHECK(gate.document("110105X").claims->id == TicketId{1});
    CHECK(gate.document("110105X").claims->id == TicketId{3});
}

TEST_CASE("of several refusals the visitor hears the nearest") {
    Gate gate;
    ticket::Claims later = claims(1, 1, today + 2);
    later.entitlements[0].first_day = today + 1;
    gate.give_list(ListScope::tickets, {carried(CarrierKind::document, "110105X", claims(2)),
                                        carried(CarrierKind::document, "110105X", later)});
    gate.revoke(2);
    CHECK(text_of(gate.document("110105X")) == "refuse not_yet_valid");
}

}  // namespace
