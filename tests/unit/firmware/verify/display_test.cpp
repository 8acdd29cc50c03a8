// What people beside the device see and hear.
#include <doctest/doctest.h>

#include "firmware/verify/display.hpp"
#include "tests/unit/firmware/verify/gate.hpp"

namespace {

using namespace pf;
using namespace pf::tests;
using admission::Light;
using admission::Reason;
using admission::Sound;

TEST_CASE("an admission: product, person type, persons, green") {
    Gate gate;
    ticket::Claims child = claims(1, 5);
    child.person_type = ticket::PersonType::child;
    const auto display = fv::make_display(gate.scan(child, 2), gate.standing);
    CHECK(display.kind == admission::Verdict::Kind::admit);
    CHECK(display.reason == Reason::ok_group_part);
    CHECK(display.product_zh == "成人票");
    CHECK(display.product_en == "Adult");
    CHECK(display.person_type == ticket::PersonType::child);
    CHECK(display.person_light == admission::words(ticket::PersonType::child).light);
    CHECK(display.persons == 2);
    CHECK(display.persons_left == 3);
    CHECK(display.light == Light::green);
    CHECK(display.sound == Sound::chime);
    CHECK(display.used_where.empty());
}

TEST_CASE("a second scan says where and when, in the time on people's watches") {
    Gate gate;
    // A site whose day begins at four in the morning still shows the hour of the clock.
    gate.standing.products->calendar.day_begins_min = 240;
    (void)gate.scan(claims(1));
    gate.now = reading(noon + std::chrono::minutes{30}, 1'801'000);
    const auto display = fv::make_display(gate.scan(claims(1)), gate.standing);
    CHECK(display.reason == Reason::already_used);
    CHECK(display.used_where == "gate-1");
    CHECK(display.used_when == to_text(today).substr(5) + " 12:00");
    CHECK(display.light == Light::red);
    CHECK(display.sound == Sound::buzz);
}

TEST_CASE("every reason has its words, its light and its sound") {
    for (const admission::Words& words : admission::all_words()) {
        CAPTURE(words.key);
        fv::Answer answer;
        answer.verdict.reason = words.reason;
        const auto display = fv::make_display(answer, fv::Standing{});
        CHECK(display.title_zh == words.zh);
        CHECK(display.title_en == words.en);
        CHECK(display.do_zh == words.do_zh);
        CHECK(display.do_en == words.do_en);
        CHECK(display.light == words.light);
        CHECK(display.person_light == words.light);
        CHECK(display.sound == words.sound);
        CHECK_FALSE(display.title_zh.empty());
        CHECK_FALSE(display.do_zh.empty());
    }
}

TEST_CASE("a product that has not arrived has no name to show") {
    Gate gate;
    const fv::Answer answer = gate.scan(claims(1));
    gate.standing.products.reset();
    const auto display = fv::make_display(answer, gate.standing);
    CHECK(display.product_zh.empty());
    CHECK(display.light == Light::green);
}

}  // namespace
