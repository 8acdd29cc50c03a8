// When and where a ticket is good, and in which order a visitor hears why not. Expected answers
// stand in the last column; docs/protocol/ticket-v1.md, section 7.
#include <doctest/doctest.h>

#include "tests/unit/common/admission/scene.hpp"

using namespace pf;
using namespace pf::tests;
using admission::CarrierKind;
using admission::generation_all;
using admission::StaleRule;
using ticket::PersonType;

TEST_CASE("decide: one adult, 1 to 3 May, 09:00 to 17:00, clock trusted") {
    struct Case {
        const char* why;
        const char* now;
        const char* expect;
    };
    const Case cases[] = {
        {"in the middle", "2026-05-01 12:00", "admit 1 ok"},
        {"first instant", "2026-05-01 09:00", "admit 1 ok"},
        {"lenience before the window, last instant", "2026-05-01 08:58", "admit 1 ok"},
        {"a second before the lenience", "2026-05-01 08:57:59", "refuse outside_window"},
        {"last second", "2026-05-01 16:59:59", "admit 1 ok"},
        {"window is half open, lenience covers its end", "2026-05-01 17:00", "admit 1 ok"},
        {"last lenient second", "2026-05-01 17:01:59", "admit 1 ok"},
        {"exactly at the lenient end", "2026-05-01 17:02", "refuse outside_window"},
        {"between two days", "2026-05-02 03:00", "refuse outside_window"},
        {"second day, same window", "2026-05-02 16:00", "admit 1 ok"},
        {"last day", "2026-05-03 16:59", "admit 1 ok"},
        {"last day, too late today and for ever", "2026-05-03 23:59", "refuse outside_window"},
        {"the day after begins", "2026-05-04 00:00", "refuse expired"},
        {"the day after, right hour", "2026-05-04 10:00", "refuse expired"},
        {"the day before, right hour", "2026-04-30 10:00", "refuse not_yet_valid"},
        {"the day before, a second to midnight", "2026-04-30 23:59:59", "refuse not_yet_valid"},
        {"the day begins, hours before the window", "2026-05-01 00:00", "refuse outside_window"},
    };
    for (const Case& c : cases) {
        CAPTURE(c.why);
        Scene scene;
        scene.now(c.now);
        CHECK(scene.answer() == c.expect);
    }
}

TEST_CASE("decide: one adult, 1 to 3 May, the whole day, day begins at 04:00") {
    const auto fixture = [](Scene& s) {
        s.entitlement().window = {};
        s.table.calendar.day_begins_min = 240;
    };
    check(fixture,
          {
              {"lenience before the first day", [](Scene& s) { s.now("2026-05-01 03:58"); },
               "admit 1 ok"},
              {"earlier than that", [](Scene& s) { s.now("2026-05-01 03:57"); },
               "refuse not_yet_valid"},
              {"night between two days", [](Scene& s) { s.now("2026-05-02 03:59"); }, "admit 1 ok"},
              {"after midnight still belongs to the last day",
               [](Scene& s) { s.now("2026-05-04 03:59"); }, "admit 1 ok"},
              {"lenience after the last day", [](Scene& s) { s.now("2026-05-04 04:01:59"); },
               "admit 1 ok"},
              {"later than that", [](Scene& s) { s.now("2026-05-04 04:02"); }, "refuse expired"},
          });
}

TEST_CASE("decide: one adult, 1 to 3 May, 09:00 to 17:00, clock known only to a range") {
    struct Case {
        const char* why;
        const char* earliest;
        const char* latest;
        const char* expect;
    };
    const Case cases[] = {
        {"all of it inside", "2026-05-01 10:00", "2026-05-01 16:00", "admit 1 ok"},
        {"to the last second", "2026-05-01 09:00", "2026-05-01 16:59:59", "admit 1 ok"},
        {"touches the end", "2026-05-01 10:00", "2026-05-01 17:00", "ask clock_unsure"},
        {"no lenience for a wide range", "2026-05-01 08:59", "2026-05-01 16:00",
         "ask clock_unsure"},
        {"two minutes wide is still good", "2026-05-01 08:57", "2026-05-01 08:59", "admit 1 ok"},
        {"two minutes wide over the end", "2026-05-01 17:01", "2026-05-01 17:03", "admit 1 ok"},
        {"two minutes wide, both past the lenience", "2026-05-01 17:02", "2026-05-01 17:04",
         "refuse outside_window"},
        {"good clock at midnight of the last day", "2026-05-03 23:59", "2026-05-04 00:01",
         "refuse outside_window"},
        {"every instant too early", "2026-04-01 00:00", "2026-04-30 23:00", "refuse not_yet_valid"},
        {"every instant too late", "2026-05-04 00:00", "2027-05-01 00:00", "refuse expired"},
        {"every instant at night", "2026-05-01 18:00", "2026-05-02 08:00", "refuse outside_window"},
        {"night and a whole day", "2026-05-01 18:00", "2026-05-03 08:00", "ask clock_unsure"},
        {"refused either way, but for two reasons", "2026-05-03 18:00", "2026-05-04 18:00",
         "ask clock_unsure"},
        {"too early or right", "2026-04-30 10:00", "2026-05-01 10:00", "ask clock_unsure"},
        {"first boot: since 1970", "1970-01-01 08:00", "2026-05-01 10:00", "ask clock_unsure"},
        {"a floor and no more", "2026-04-20 10:00", "9999-01-01 00:00", "ask clock_unsure"},
        {"a floor past the end needs no clock", "2026-05-04 10:00", "9999-01-01 00:00",
         "refuse expired"},
    };
    for (const Case& c : cases) {
        CAPTURE(c.why);
        Scene scene;
        scene.now(c.earliest, c.latest);
        CHECK(scene.answer() == c.expect);
    }
}

TEST_CASE("decide: one adult; several things are wrong, the most final is told") {
    check({
        {"revoked beats everything",
         [](Scene& s) {
             s.known.refused_below = generation_all;
             s.here.site = other_site;
             s.now("2027-01-01 10:00");
         },
         "refuse revoked"},
        {"an old code", [](Scene& s) { s.known.refused_below = 4; }, "refuse superseded"},
        {"the newest code", [](Scene& s) { s.known.refused_below = 3; }, "admit 1 ok"},
        {"old code at the wrong site",
         [](Scene& s) {
             s.known.refused_below = 4;
             s.here.site = other_site;
         },
         "refuse superseded"},
        {"wrong site, late and used",
         [](Scene& s) {
             s.here.site = other_site;
             s.now("2026-06-01 10:00");
             s.used(1);
         },
         "refuse wrong_site"},
        {"wrong site needs no table",
         [](Scene& s) {
             s.here.site = other_site;
             s.has_table = false;
         },
         "refuse wrong_site"},
        {"no table yet, never called invalid", [](Scene& s) { s.has_table = false; },
         "ask product_not_here_yet"},
        {"a table of another site is none", [](Scene& s) { s.table.site = other_site; },
         "ask product_not_here_yet"},
        {"product unknown, though late",
         [](Scene& s) {
             s.product().id = {1};
             s.now("2026-06-01 10:00");
         },
         "ask product_not_here_yet"},
        {"window unknown", [](Scene& s) { s.entitlement().window = {9}; },
         "ask product_not_here_yet"},
        {"staff cannot confirm what nobody knows",
         [](Scene& s) {
             s.has_table = false;
             s.here.staff_confirmed = true;
         },
         "ask product_not_here_yet"},
        {"wrong point, late and used",
         [](Scene& s) {
             s.product().points = {south};
             s.now("2026-06-01 10:00");
             s.used(1);
         },
         "refuse wrong_point"},
        {"one of the right points",
         [](Scene& s) {
             s.product().points = {south, north};
         },
         "admit 1 ok"},
        {"expired and used: expired",
         [](Scene& s) {
             s.now("2026-05-04 10:00");
             s.used(1);
         },
         "refuse expired"},
        {"too early and asked for two",
         [](Scene& s) {
             s.now("2026-04-30 10:00");
             s.here.persons_asked = 2;
         },
         "refuse not_yet_valid"},
        {"used beats a stale list",
         [](Scene& s) {
             s.used(1);
             s.known.revoked_list = admission::Freshness::stale;
             s.product().stale = StaleRule::refuse;
         },
         "refuse already_used"},
        {"too many beats the certificate",
         [](Scene& s) {
             s.here.persons_asked = 2;
             s.product().certificate = {PersonType::adult};
         },
         "refuse too_many_persons"},
        {"a stale list beats the certificate",
         [](Scene& s) {
             s.known.revoked_list = admission::Freshness::stale;
             s.product().stale = StaleRule::ask;
             s.product().certificate = {PersonType::adult};
         },
         "ask list_stale"},
        {"an unsure clock beats used",
         [](Scene& s) {
             s.now("2026-05-01 10:00", "2026-05-01 20:00");
             s.used(1);
         },
         "ask clock_unsure"},
    });
}

TEST_CASE("decide: one adult, a list past its freshness") {
    using admission::Freshness;
    struct Case {
        const char* why;
        CarrierKind carrier;
        Freshness revoked, tickets;
        bool staff;
        StaleRule rule;
        const char* expect;
        std::uint32_t flags;
    };
    using admission::flag_revoked_list_stale;
    using admission::flag_staff;
    using admission::flag_tickets_list_stale;
    constexpr auto qr = CarrierKind::signed_qr, code = CarrierKind::code,
                   id = CarrierKind::document, card = CarrierKind::card;
    constexpr auto admit = StaleRule::admit, ask = StaleRule::ask, refuse = StaleRule::refuse;
    using enum Freshness;
    const Case cases[] = {
        {"both fresh", qr, fresh, fresh, false, refuse, "admit 1 ok", 0},
        {"flagged", qr, stale, fresh, false, admit, "admit 1 ok", flag_revoked_list_stale},
        {"asked", qr, stale, fresh, false, ask, "ask list_stale", 0},
        {"confirmed", qr, stale, fresh, true, ask, "admit 1 ok",
         flag_revoked_list_stale | flag_staff},
        {"refused", qr, stale, fresh, false, refuse, "refuse list_stale", 0},
        {"staff cannot confirm a refusal", qr, stale, fresh, true, refuse, "refuse list_stale", 0},
        {"a signed ticket needs no ticket list", qr, fresh, stale, false, refuse, "admit 1 ok", 0},
        {"a code does", code, fresh, stale, false, refuse, "refuse list_stale", 0},
        {"a document does", id, fresh, stale, false, ask, "ask list_stale", 0},
        {"a card does", card, fresh, stale, true, ask, "admit 1 ok",
         flag_tickets_list_stale | flag_staff},
        {"a code came from the fresh list, what was revoked is only flagged", code, stale, fresh,
         false, refuse, "admit 1 ok", flag_revoked_list_stale},
        {"both", code, stale, stale, false, admit, "admit 1 ok",
         flag_revoked_list_stale | flag_tickets_list_stale},
        {"a confirmation nobody asked for is no override", qr, stale, fresh, true, admit,
         "admit 1 ok", flag_revoked_list_stale},
        {"perhaps past it: flagged", qr, unsure, fresh, false, admit, "admit 1 ok",
         flag_revoked_list_stale},
        {"perhaps past it: asked all the same", qr, unsure, fresh, false, ask, "ask list_stale", 0},
        {"and staff answer for every instant", qr, unsure, fresh, true, ask, "admit 1 ok",
         flag_revoked_list_stale | flag_staff},
        {"some instants refuse, some admit", qr, unsure, fresh, false, refuse, "ask clock_unsure",
         0},
        {"staff cannot confirm a time", qr, unsure, fresh, true, refuse, "ask clock_unsure", 0},
        {"of the ticket list too", code, fresh, unsure, false, refuse, "ask clock_unsure", 0},
    };
    for (const Case& c : cases) {
        CAPTURE(c.why);
        Scene scene;
        scene.here.carrier = c.carrier;
        scene.here.staff_confirmed = c.staff;
        scene.known.revoked_list = c.revoked;
        scene.known.tickets_list = c.tickets;
        scene.product().stale = c.rule;
        CHECK(scene.answer() == c.expect);
        CHECK(scene.decide().flags == c.flags);
    }
}

TEST_CASE("a list is stale when every instant that now may be says so") {
    using admission::Freshness;
    const auto at = [](std::int64_t ms) { return wall_from_ms(ms); };
    struct Case {
        std::int64_t earliest, latest;
        Freshness expected;
    };
    const Case cases[] = {{0, 999, Freshness::fresh},
                          {0, 1'000, Freshness::unsure},
                          {999, 5'000, Freshness::unsure},
                          {1'000, 1'000, Freshness::stale},
                          {1'000, 5'000, Freshness::stale}};
    for (const Case& c : cases) {
        CAPTURE(c.earliest);
        CAPTURE(c.latest);
        CHECK(admission::freshness(at(1'000), {at(c.earliest), at(c.latest)}) == c.expected);
    }
}

TEST_CASE("decide: one student, students show their card") {
    const auto fixture = [](Scene& s) {
        s.claims.person_type = PersonType::student;
        s.product().certificate = {PersonType::senior, PersonType::student};
    };
    check(fixture, {
                       {"asked", [](Scene&) {}, "ask show_certificate"},
                       {"seen", [](Scene& s) { s.here.staff_confirmed = true; }, "admit 1 ok"},
                       {"a child shows nothing",
                        [](Scene& s) { s.claims.person_type = PersonType::child; }, "admit 1 ok"},
                       {"seen, but used",
                        [](Scene& s) {
                            s.here.staff_confirmed = true;
                            s.used(1);
                        },
                        "refuse already_used"},
                   });
}

TEST_CASE("decide: one adult, day ticket 1 to 3 May and evening ticket 1 May on one code") {
    const auto fixture = [](Scene& s) {
        ticket::Entitlement late = s.entitlement();
        late.product = evening_product;
        late.last_day = late.first_day;
        late.window = evening;
        s.claims.entitlements.push_back(late);
        late.site = other_site;
        late.product = day_product;
        s.claims.entitlements.push_back(late);
    };
    check(fixture, {
                       {"by day", [](Scene& s) { s.now("2026-05-01 10:00"); }, "admit 1 ok"},
                       {"by night", [](Scene& s) { s.now("2026-05-01 19:00"); }, "admit 1 ok"},
                       {"between both", [](Scene& s) { s.now("2026-05-01 17:30"); },
                        "refuse outside_window"},
                       {"day used, evening to come: the one that got furthest speaks",
                        [](Scene& s) { s.used(1); }, "refuse already_used"},
                       {"evening is over, day goes on", [](Scene& s) { s.now("2026-05-02 19:00"); },
                        "refuse outside_window"},
                       {"one product is not here yet, the other admits",
                        [](Scene& s) { s.table.products.pop_back(); }, "admit 1 ok"},
                       {"one is not here yet: staff may say yes, so nobody is sent away",
                        [](Scene& s) {
                            s.table.products.pop_back();
                            s.used(1);
                        },
                        "ask product_not_here_yet"},
                       {"one asks further down than the other",
                        [](Scene& s) {
                            s.table.products.pop_back();
                            s.product().certificate = {PersonType::adult};
                        },
                        "ask show_certificate"},
                   });
}

TEST_CASE("decide: the entitlement that ends first is used first") {
    Scene scene;
    ticket::Entitlement longer = scene.entitlement();
    longer.product = evening_product;
    longer.last_day = longer.last_day + 30;
    scene.claims.entitlements.insert(scene.claims.entitlements.begin(), longer);
    CHECK(scene.decide().entitlement->product == day_product);
    scene.claims.entitlements[0].last_day = scene.claims.entitlements[1].last_day;
    CHECK(scene.decide().entitlement->product == evening_product);
    scene.claims.entitlements[0].window = {};  // the same day, but until midnight
    CHECK(scene.decide().entitlement->product == day_product);
}

TEST_CASE("decide: an admission says how much the device could see") {
    Scene scene;
    scene.here.online = false;
    scene.now("2026-05-01 10:00", "2026-05-01 12:00");
    const auto verdict = scene.decide();
    CHECK(spoken(verdict) == "admit 1 ok");
    CHECK(verdict.flags == (admission::flag_offline | admission::flag_clock_unsure));
    CHECK(verdict.day == on("2026-05-01"));
    CHECK(verdict.entitlement == scene.entitlement());

    scene.now("2026-05-01 10:00", "2026-05-01 10:02");
    CHECK(scene.decide().flags == admission::flag_offline);
}

TEST_CASE("decide: an entry in the lenience of the first day counts on the first day") {
    Scene scene;
    scene.entitlement().window = {};
    scene.now("2026-04-30 23:59");
    CHECK(scene.decide().day == on("2026-05-01"));
    scene.now("2026-05-04 00:01");
    CHECK(scene.decide().day == on("2026-05-03"));
}

TEST_CASE("decide: clocks beyond any calendar are judged, not overflowed") {
    Scene scene;
    scene.here.now = {wall_from_ms(INT64_MIN), wall_from_ms(INT64_MAX)};
    CHECK(scene.answer() == "ask clock_unsure");
    scene.here.now = {wall_from_ms(INT64_MAX), wall_from_ms(INT64_MAX)};
    CHECK(scene.answer() == "refuse expired");
    scene.here.now = {wall_from_ms(INT64_MIN), wall_from_ms(INT64_MIN)};
    CHECK(scene.answer() == "refuse not_yet_valid");
}
