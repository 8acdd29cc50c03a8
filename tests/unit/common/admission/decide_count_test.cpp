// How many may go in. Expected answers stand in the last column.
#include <doctest/doctest.h>

#include "tests/unit/common/admission/scene.hpp"

using namespace pf;
using namespace pf::tests;

TEST_CASE("decide: a group of five, one entry each") {
    const auto fixture = [](Scene& s) { s.claims.persons = 5; };
    check(
        fixture,
        {
            {"all at once", [](Scene&) {}, "admit 5 ok"},
            {"two now", [](Scene& s) { s.here.persons_asked = 2; }, "admit 2 ok_group_part"},
            {"the rest", [](Scene& s) { s.used(2); }, "admit 3 ok"},
            {"one of the rest",
             [](Scene& s) {
                 s.used(2);
                 s.here.persons_asked = 1;
             },
             "admit 1 ok_group_part"},
            {"exactly the rest",
             [](Scene& s) {
                 s.used(2);
                 s.here.persons_asked = 3;
             },
             "admit 3 ok"},
            {"one more than the rest",
             [](Scene& s) {
                 s.used(2);
                 s.here.persons_asked = 4;
             },
             "refuse too_many_persons"},
            {"six of five", [](Scene& s) { s.here.persons_asked = 6; }, "refuse too_many_persons"},
            {"all in, in two goes",
             [](Scene& s) {
                 s.used(2);
                 s.used(3);
             },
             "refuse already_used"},
            {"all in and six asked",
             [](Scene& s) {
                 s.used(5);
                 s.here.persons_asked = 6;
             },
             "refuse already_used"},
            {"over-admitted by two gates", [](Scene& s) { s.used(8); }, "refuse already_used"},
            {"what was used of another product does not count",
             [](Scene& s) { s.used(5).product = evening_product; }, "admit 5 ok"},
            {"a returned grant counts nobody", [](Scene& s) { s.used(0); }, "admit 5 ok"},
            {"used on another day of the validity", [](Scene& s) { s.used(5, "2026-05-02"); },
             "refuse already_used"},
        });
}

TEST_CASE("decide: a group of five, two entries each, the whole validity") {
    const auto fixture = [](Scene& s) {
        s.claims.persons = 5;
        s.entitlement().entries = 2;
    };
    check(fixture, {
                       {"at most the group at once", [](Scene&) {}, "admit 5 ok_group_part"},
                       {"six at once are no entry of five",
                        [](Scene& s) { s.here.persons_asked = 6; }, "refuse too_many_persons"},
                       {"second time", [](Scene& s) { s.used(5); }, "admit 5 ok"},
                       {"part of the second time", [](Scene& s) { s.used(8); }, "admit 2 ok"},
                       {"all ten", [](Scene& s) { s.used(10); }, "refuse already_used"},
                   });
}

TEST_CASE("decide: two persons, one entry each day, whole days") {
    const auto fixture = [](Scene& s) {
        s.claims.persons = 2;
        s.entitlement().scope = ticket::Scope::day;
        s.entitlement().window = {};
    };
    check(fixture,
          {
              {"first day", [](Scene&) {}, "admit 2 ok"},
              {"again that day", [](Scene& s) { s.used(2); }, "refuse already_used"},
              {"next day anew",
               [](Scene& s) {
                   s.used(2);
                   s.now("2026-05-02 10:00");
               },
               "admit 2 ok"},
              {"a minute after midnight is the next day",
               [](Scene& s) {
                   s.used(2);
                   s.now("2026-05-02 00:01");
               },
               "admit 2 ok"},
              {"midnight itself unsure, used on the first day only",
               [](Scene& s) {
                   s.used(2);
                   s.now("2026-05-01 23:59", "2026-05-02 00:01");
               },
               "ask clock_unsure"},
              {"midnight unsure, used on both days",
               [](Scene& s) {
                   s.used(2);
                   s.used(2, "2026-05-02");
                   s.now("2026-05-01 23:59", "2026-05-02 00:01");
               },
               "refuse already_used"},
              {"midnight unsure, unused",
               [](Scene& s) { s.now("2026-05-01 23:59", "2026-05-02 00:01"); }, "admit 2 ok"},
              {"midnight unsure, one used on one day: no more than is safe",
               [](Scene& s) {
                   s.used(1, "2026-05-02");
                   s.now("2026-05-01 23:59", "2026-05-02 00:01");
               },
               "admit 1 ok"},
              {"three days unsure, the middle one used",
               [](Scene& s) {
                   s.used(2, "2026-05-02");
                   s.now("2026-05-01 10:00", "2026-05-03 10:00");
               },
               "ask clock_unsure"},
              {"three days unsure, unused",
               [](Scene& s) { s.now("2026-05-01 10:00", "2026-05-03 10:00"); }, "admit 2 ok"},
          });
}

TEST_CASE("decide: a group of five, all in, but not everything is known") {
    const auto fixture = [](Scene& s) {
        s.claims.persons = 5;
        s.used(3);
        s.used(2);
    };
    const auto unknown = [](Scene& s) { s.known.uses[1].outcome_unknown = true; };
    const auto pending = [](Scene& s) { s.known.uses[1].return_pending = true; };
    check(fixture,
          {
              {"it is known", [](Scene&) {}, "refuse already_used"},
              {"two opened for before a restart", unknown, "ask outcome_unknown"},
              {"staff know they did not pass",
               [&](Scene& s) {
                   unknown(s);
                   s.here.staff_confirmed = true;
               },
               "admit 2 ok"},
              {"one of them",
               [&](Scene& s) {
                   unknown(s);
                   s.here.staff_confirmed = true;
                   s.here.persons_asked = 1;
               },
               "admit 1 ok_group_part"},
              {"more than hang on it",
               [&](Scene& s) {
                   unknown(s);
                   s.here.staff_confirmed = true;
                   s.here.persons_asked = 3;
               },
               "refuse already_used"},
              {"let in again by staff: their second grant counts",
               [&](Scene& s) {
                   unknown(s);
                   s.used(2);
                   s.here.staff_confirmed = true;
               },
               "refuse already_used"},
              {"another gate counted two who did not pass", pending, "refuse return_pending"},
              {"staff do not shorten the way of a return",
               [&](Scene& s) {
                   pending(s);
                   s.here.staff_confirmed = true;
               },
               "refuse return_pending"},
              {"that gate let them in meanwhile",
               [&](Scene& s) {
                   pending(s);
                   s.used(2);
               },
               "refuse already_used"},
              {"one of each: staff may help at once",
               [&](Scene& s) {
                   unknown(s);
                   s.known.uses[0].return_pending = true;
               },
               "ask outcome_unknown"},
              {"some are left without it: nothing to ask",
               [&](Scene& s) {
                   unknown(s);
                   s.known.uses[0].persons = 1;
               },
               "admit 2 ok"},
              {"asked for more than are left without it",
               [&](Scene& s) {
                   unknown(s);
                   s.known.uses[0].persons = 1;
                   s.here.persons_asked = 4;
               },
               "ask outcome_unknown"},
              {"asked for more than are left even so",
               [&](Scene& s) {
                   pending(s);
                   s.known.uses[0].persons = 1;
                   s.here.persons_asked = 3;
               },
               "refuse too_many_persons"},
          });
}

TEST_CASE("decide: persons left and the use are told") {
    Scene scene;
    scene.claims.persons = 5;
    scene.used(1);
    scene.here.persons_asked = 3;
    CHECK(scene.decide().persons_left == 1);
    scene.here.persons_asked = 5;
    CHECK(scene.answer() == "refuse too_many_persons");
    CHECK(scene.decide().persons == 0);
    CHECK(scene.decide().persons_left == 4);
    CHECK_FALSE(scene.decide().used);

    scene.here.persons_asked.reset();
    scene.known.revoked_list = admission::Freshness::stale;
    scene.product().stale = admission::StaleRule::refuse;
    CHECK(scene.decide().persons == 0);
    CHECK(scene.decide().persons_left == 4);
    scene.product().stale = admission::StaleRule::ask;
    CHECK(scene.decide().persons == 4);
    CHECK(scene.decide().persons_left == 0);

    auto& last = scene.used(4);
    last.at = at("2026-05-01 09:45");
    last.where = "gate-2";
    const auto refused = scene.decide();
    CHECK(spoken(refused) == "refuse already_used");
    REQUIRE(refused.used);
    CHECK(refused.used->where == "gate-2");
    CHECK(refused.persons_left == 0);

    scene.known.uses[0].outcome_unknown = true;
    const auto asked = scene.decide();
    REQUIRE(asked.used);
    CHECK(asked.used->where == "gate-1");  // the one that staff are asked about
    CHECK(asked.persons == 1);
}

TEST_CASE("decide: an unsure midnight leaves what the fuller day leaves") {
    Scene scene;
    scene.claims.persons = 5;
    scene.entitlement().scope = ticket::Scope::day;
    scene.entitlement().window = {};
    scene.here.persons_asked = 1;
    scene.used(2, "2026-05-02");
    scene.now("2026-05-01 23:59", "2026-05-02 00:01");
    CHECK(scene.answer() == "admit 1 ok_group_part");
    CHECK(scene.decide().persons_left == 2);
}

TEST_CASE("decide: what staff decided is flagged, on admissions only") {
    Scene scene;
    scene.used(1).outcome_unknown = true;
    CHECK(scene.decide().flags == 0);
    scene.here.staff_confirmed = true;
    CHECK(scene.answer() == "admit 1 ok");
    CHECK(scene.decide().flags == admission::flag_staff);
    scene.known.revoked_list = admission::Freshness::stale;
    scene.product().stale = admission::StaleRule::refuse;
    CHECK(scene.answer() == "refuse list_stale");
    CHECK(scene.decide().flags == 0);
}

TEST_CASE("persons_used counts by product and scope") {
    Scene scene;
    scene.used(1);
    scene.used(2, "2026-05-02");
    scene.used(4).product = evening_product;
    const Day day = on("2026-05-02");
    CHECK(persons_used(scene.claims, scene.entitlement(), day, scene.known.uses) == 3);
    scene.entitlement().scope = ticket::Scope::day;
    CHECK(persons_used(scene.claims, scene.entitlement(), day, scene.known.uses) == 2);
}
