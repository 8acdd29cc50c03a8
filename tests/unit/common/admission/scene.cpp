#include "tests/unit/common/admission/scene.hpp"

#include <doctest/doctest.h>

namespace pf::tests {

WallTime at(std::string_view local) {
    std::string rfc3339{local};
    rfc3339[10] = 'T';
    if (rfc3339.size() == 16) rfc3339 += ":00";
    const auto parsed = wall_from_rfc3339(rfc3339 + "+08:00");
    REQUIRE(parsed);
    return *parsed;
}

Day on(std::string_view iso) {
    const auto day = day_from(iso);
    REQUIRE(day);
    return *day;
}

Scene::Scene() {
    claims = {.id = {77},
              .generation = 3,
              .person_type = ticket::PersonType::adult,
              .persons = 1,
              .holder = std::nullopt,
              .entitlements = {{.site = site,
                                .product = day_product,
                                .first_day = on("2026-05-01"),
                                .last_day = on("2026-05-03"),
                                .window = opening_hours,
                                .entries = 1,
                                .scope = ticket::Scope::validity}}};
    const admission::Product day{.id = day_product,
                                 .name_zh = "日场",
                                 .name_en = "Day",
                                 .points = {},
                                 .stale = admission::StaleRule::admit,
                                 .certificate = {}};
    admission::Product late = day;
    late.id = evening_product;
    table = {.site = site,
             .version = 1,
             .calendar = {},
             .windows = {{opening_hours, 9 * 60, 17 * 60}, {evening, 18 * 60, 22 * 60}},
             .products = {day, late}};
    here.site = site;
    here.point = north;
    here.online = true;
    now("2026-05-01 10:00");
}

admission::Use& Scene::used(std::uint16_t persons, std::string_view day) {
    known.uses.push_back({.product = day_product,
                          .day = on(day),
                          .persons = persons,
                          .at = at(std::string{day} + " 09:30"),
                          .where = "gate-1"});
    return known.uses.back();
}

admission::Verdict Scene::decide() const {
    return admission::decide(claims, known, has_table ? &table : nullptr, here);
}

std::string spoken(const admission::Verdict& verdict) {
    const std::string key{admission::words(verdict.reason).key};
    switch (verdict.kind) {
        case admission::Verdict::Kind::admit:
            return "admit " + std::to_string(verdict.persons) + " " + key;
        case admission::Verdict::Kind::ask:
            return "ask " + key;
        case admission::Verdict::Kind::refuse:
            return "refuse " + key;
    }
    return "no kind";
}

std::string Scene::answer() const { return spoken(decide()); }

void check(const std::function<void(Scene&)>& fixture, const std::vector<Row>& rows) {
    for (const Row& row : rows) {
        CAPTURE(row.why);
        Scene scene;
        fixture(scene);
        row.change(scene);
        REQUIRE_FALSE(ticket::check(scene.claims));
        CHECK(scene.answer() == row.expect);
    }
}

void check(const std::vector<Row>& rows) {
    check([](Scene&) {}, rows);
}

}  // namespace pf::tests
