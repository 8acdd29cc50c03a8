// What holds for every ticket and every history, over seeded random ones.
#include <doctest/doctest.h>

#include <map>

#include "tests/support/rng.hpp"
#include "tests/unit/common/admission/scene.hpp"

using namespace pf;
using namespace pf::tests;
using Kind = admission::Verdict::Kind;

namespace {

constexpr std::uint64_t seeds = 400;

ticket::Entitlement any_entitlement(Rng& rng, ProductId product) {
    const Day first = on("2026-05-01") + static_cast<int>(rng.below(3));
    const std::array windows{WindowId{0}, opening_hours, evening};
    return {.site = rng.percent(85) ? site : other_site,
            .product = product,
            .first_day = first,
            .last_day = first + static_cast<int>(rng.below(3)),
            .window = rng.pick(windows),
            .entries = static_cast<std::uint16_t>(rng.between(1, 3)),
            .scope = rng.percent(50) ? ticket::Scope::day : ticket::Scope::validity};
}

void any_moment(Rng& rng, Scene& scene) {
    const WallTime begin = at("2026-05-01 00:00");
    const WallTime earliest = begin + std::chrono::minutes{rng.between(-600, 6 * 1440)};
    const bool is_good = rng.percent(70);
    scene.here.now = {earliest,
                      earliest + std::chrono::minutes{is_good ? 0 : rng.between(0, 2000)}};
    scene.here.persons_asked.reset();
    if (rng.percent(50)) {
        scene.here.persons_asked = static_cast<std::uint16_t>(rng.between(1, 4));
    }
}

admission::Use any_use(Rng& rng, const Scene& scene) {
    const Day day = on("2026-05-01") + static_cast<int>(rng.below(5));
    return {.product = rng.pick(scene.claims.entitlements).product,
            .day = day,
            .persons = static_cast<std::uint16_t>(rng.below(4)),
            .return_pending = rng.percent(20),
            .outcome_unknown = rng.percent(20),
            .at = scene.table.calendar.begin_of(day) + std::chrono::minutes{rng.below(3)},
            .where = rng.percent(50) ? "gate-1" : "gate-2"};
}

Scene any_scene(Rng& rng) {
    Scene scene;
    scene.claims.persons = static_cast<std::uint16_t>(rng.between(1, 5));
    scene.claims.entitlements = {any_entitlement(rng, day_product)};
    if (rng.percent(50)) {
        scene.claims.entitlements.push_back(any_entitlement(rng, evening_product));
    }
    if (rng.percent(10)) scene.product().points = {south};
    if (rng.percent(20)) scene.product().certificate = {ticket::PersonType::adult};
    if (rng.percent(10)) scene.table.products.pop_back();
    any_moment(rng, scene);
    return scene;
}

admission::Use use_of(const admission::Verdict& verdict, WallTime at) {
    return {.product = verdict.entitlement->product,
            .day = *verdict.day,
            .persons = verdict.persons,
            .at = at,
            .where = "gate-1"};
}

}  // namespace

TEST_CASE("what is admitted and recorded never exceeds the quota") {
    std::uint64_t admissions = 0;
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        CAPTURE(seed);
        Rng rng{seed};
        Scene scene = any_scene(rng);
        for (int scan = 0; scan < 40; ++scan) {
            any_moment(rng, scene);
            const auto verdict = scene.decide();
            if (verdict.kind != Kind::admit) continue;
            ++admissions;
            REQUIRE(verdict.persons >= 1);
            REQUIRE(verdict.persons <= scene.claims.persons);
            scene.known.uses.push_back(use_of(verdict, scene.here.now.earliest));
            // Unknown outcomes still count: nobody confirms anything here.
            scene.known.uses.back().outcome_unknown = rng.percent(20);
            scene.known.uses.back().return_pending = rng.percent(20);
        }
        for (const auto& e : scene.claims.entitlements) {
            const std::uint32_t quota = std::uint32_t{scene.claims.persons} * e.entries;
            for (Day day = e.first_day; day <= e.last_day; day = day + 1) {
                CHECK(persons_used(scene.claims, e, day, scene.known.uses) <= quota);
            }
        }
    }
    CHECK(admissions > seeds);  // or the loop proved nothing
}

TEST_CASE("one more use never turns a refusal into an admission") {
    std::uint64_t refusals = 0;
    for (std::uint64_t seed = 1; seed <= seeds * 5; ++seed) {
        CAPTURE(seed);
        Rng rng{seed};
        Scene scene = any_scene(rng);
        scene.here.staff_confirmed = rng.percent(50);
        for (int i = 0; i < 8; ++i) {
            const auto before = scene.decide();
            scene.known.uses.push_back(any_use(rng, scene));
            const auto after = scene.decide();
            if (before.kind != Kind::admit) {
                ++refusals;
                CHECK(after.kind != Kind::admit);
            }
        }
    }
    CHECK(refusals > seeds);
}

TEST_CASE("the order in which uses became known changes nothing") {
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        CAPTURE(seed);
        Rng rng{seed};
        Scene scene = any_scene(rng);
        for (int i = 0; i < 6; ++i) scene.known.uses.push_back(any_use(rng, scene));
        const auto first = scene.decide();
        for (int i = 0; i < 5; ++i) {
            rng.shuffle(scene.known.uses);
            const auto again = scene.decide();
            CHECK(spoken(again) == spoken(first));
            CHECK(again.persons_left == first.persons_left);
            CHECK(again.flags == first.flags);
            CHECK(again.used.has_value() == first.used.has_value());
            if (first.used && again.used) {
                CHECK(again.used->at == first.used->at);
                CHECK(again.used->where == first.used->where);
                CHECK(again.used->persons == first.used->persons);
            }
        }
    }
}

TEST_CASE("every reason of the rule is given somewhere in the random scenes") {
    std::map<admission::Reason, int> seen;
    for (std::uint64_t seed = 1; seed <= seeds * 20; ++seed) {
        Rng rng{seed};
        Scene scene = any_scene(rng);
        if (rng.percent(5)) scene.known.refused_below = rng.percent(50) ? UINT32_MAX : 4;
        if (rng.percent(20)) scene.known.revoked_list = admission::Freshness::stale;
        scene.product().stale = admission::StaleRule::ask;
        for (std::uint64_t i = rng.below(4); i > 0; --i) {
            scene.known.uses.push_back(any_use(rng, scene));
        }
        ++seen[scene.decide().reason];
    }
    using admission::Reason;
    for (const Reason reason :
         {Reason::ok, Reason::ok_group_part, Reason::revoked, Reason::superseded,
          Reason::wrong_site, Reason::wrong_point, Reason::expired, Reason::not_yet_valid,
          Reason::outside_window, Reason::already_used, Reason::return_pending,
          Reason::outcome_unknown, Reason::too_many_persons, Reason::product_not_here_yet,
          Reason::list_stale, Reason::clock_unsure, Reason::show_certificate}) {
        CAPTURE(admission::words(reason).key);
        CHECK(seen[reason] > 0);
    }
}
