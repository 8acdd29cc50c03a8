// From a presented code to a verdict that is on disk.
#include <doctest/doctest.h>

#include "tests/unit/firmware/verify/gate.hpp"

namespace {

using namespace pf;
using namespace pf::tests;
using How = pf::journal::Outcome::How;

TEST_CASE("a signed ticket admits once, and both answers are on disk") {
    Gate gate;
    const fv::Answer first = gate.scan(claims(1));
    CHECK(text_of(first) == "admit ok 1 left 0");
    REQUIRE(first.grant_seq.has_value());
    CHECK(first.verdict.flags == 0);
    const auto admitted = gate.journal->admitted(*first.grant_seq);
    REQUIRE(admitted.has_value());
    CHECK(admitted->ticket == TicketId{1});
    CHECK(admitted->site == here);
    CHECK(admitted->product == adult);
    CHECK(admitted->point == main_gate);
    CHECK(admitted->day == today);
    CHECK(admitted->persons == 1);
    CHECK(admitted->awaits_passage);
    CHECK(admitted->carrier == CarrierKind::signed_qr);
    CHECK(admitted->seen.generation == life);
    CHECK(admitted->seen.revoked_version == 1);

    const fv::Answer second = gate.scan(claims(1));
    CHECK(text_of(second) == "refuse already_used");
    CHECK_FALSE(second.grant_seq.has_value());
    REQUIRE(second.verdict.used.has_value());
    CHECK(second.verdict.used->where == "gate-1");
    CHECK(second.verdict.used->at == noon);
    const auto event = gate.last_event();
    const auto* refused = std::get_if<pf::journal::Refused>(&event.body);
    REQUIRE(refused != nullptr);
    CHECK(refused->reason == admission::Reason::already_used);
    CHECK(refused->ticket == TicketId{1});
    CHECK(refused->code_hash.has_value());
    CHECK_FALSE(refused->staff_asked);
}

TEST_CASE("looking writes nothing and uses nothing up") {
    Gate gate;
    const auto before = gate.journal->end();
    const fv::Request look{.presented = {fv::Presented::Kind::code, gate.sealed(claims(1, 5))},
                           .persons = {},
                           .chosen = {},
                           .only_look = true};
    for (int i = 0; i < 2; ++i) {
        const fv::Answer answer = gate.check(look);
        CHECK(text_of(answer) == "admit ok 5 left 0");
        CHECK_FALSE(answer.grant_seq.has_value());
    }
    CHECK(gate.journal->end() == before);
}

TEST_CASE("a group enters in parts") {
    Gate gate;
    struct Row {
        std::uint16_t persons;
        std::string expected;
    };
    const Row rows[] = {{2, "admit ok_group_part 2 left 3"},
                        {4, "refuse too_many_persons"},
                        {6, "refuse too_many_persons"},
                        {1, "admit ok_group_part 1 left 2"},
                        {2, "admit ok 2 left 0"},
                        {1, "refuse already_used"}};
    for (const Row& row : rows)
        CHECK(text_of(gate.scan(claims(1, 5), row.persons)) == row.expected);
}

TEST_CASE("a joint ticket counts at each of its sites alone, and nowhere else") {
    ticket::Claims joint = claims(1);
    joint.entitlements = {entitlement(here), entitlement(elsewhere)};
    Gate first{here};
    Gate second{elsewhere};
    Gate third{SiteId{9}};
    CHECK(text_of(first.scan(joint)) == "admit ok 1 left 0");
    CHECK(text_of(second.scan(joint)) == "admit ok 1 left 0");
    CHECK(text_of(second.scan(joint)) == "refuse already_used");
    CHECK(text_of(third.scan(joint)) == "refuse wrong_site");
}

TEST_CASE("what the list `revoked` says comes first") {
    Gate gate;
    gate.revoke(1);
    CHECK(text_of(gate.scan(claims(1))) == "refuse revoked");
    CHECK(text_of(gate.scan(claims(2))) == "admit ok 1 left 0");
}

TEST_CASE("a reissued ticket: the old code is dead, the new one goes on where the old one stood") {
    Gate gate;
    const ticket::Claims old_code = claims(1, 5);
    ticket::Claims new_code = old_code;
    new_code.generation = 2;
    CHECK(text_of(gate.scan(old_code, 2)) == "admit ok_group_part 2 left 3");
    gate.revoke(1, 2);
    CHECK(text_of(gate.scan(old_code)) == "refuse superseded");
    CHECK(text_of(gate.scan(new_code)) == "admit ok 3 left 0");
}

TEST_CASE("codes that are not ours to trust") {
    Gate gate;
    SeededEntropy entropy{7};
    const auto stranger = crypto::PrivateKey::generate(entropy);
    const std::string foreign =
        ticket::seal(claims(1), stranger, crypto::key_id(stranger.public_key()));
    const std::string forged =
        ticket::seal(claims(1), stranger, crypto::key_id(Gate::issuer.public_key()));
    struct Row {
        std::string what;
        std::string text;
        std::string expected;
        bool staff_asked;
        CarrierKind carrier;
    };
    constexpr auto qr = CarrierKind::signed_qr, code = CarrierKind::code;
    const Row rows[] = {
        {"a key this ring lacks may be on its way", foreign, "ask key_unknown", true, qr},
        {"a known key that did not sign", forged, "refuse bad_signature", false, qr},
        {"lower case", "PF1:abc", "refuse code_not_base45", false, qr},
        {"somebody else's code", "https://example.org/", "refuse unknown_code", false, code},
        {"nothing", "", "refuse unknown_code", false, code},
    };
    for (const Row& row : rows) {
        CAPTURE(row.what);
        CHECK(text_of(gate.present(row.text)) == row.expected);
        const auto event = gate.last_event();
        const auto* refused = std::get_if<pf::journal::Refused>(&event.body);
        REQUIRE(refused != nullptr);
        CHECK(refused->staff_asked == row.staff_asked);
        CHECK(refused->carrier == row.carrier);
        CHECK_FALSE(refused->ticket.has_value());
        CHECK(refused->code_hash.has_value());
    }
}

TEST_CASE("which answers end the frame they came from") {
    struct Row {
        const char* what;
        std::string text;
        bool answers;
    };
    Gate gate;
    SeededEntropy entropy{7};
    const auto stranger = crypto::PrivateKey::generate(entropy);
    const Row rows[] = {
        {"a sticker", "https://u.wechat.com/sticker", false},
        {"a damaged code", "PF1:abc", false},
        {"signed by somebody else",
         ticket::seal(claims(1), stranger, crypto::key_id(Gate::issuer.public_key())), false},
        {"admitted", gate.sealed(claims(1)), true},
        {"used", gate.sealed(claims(1)), true},
        {"for staff to look at",
         ticket::seal(claims(1), stranger, crypto::key_id(stranger.public_key())), true},
    };
    for (const Row& row : rows) {
        CAPTURE(row.what);
        CHECK(fv::answers_for_the_frame(gate.present(row.text)) == row.answers);
    }
    gate.standing.configuration.reset();
    CHECK(fv::answers_for_the_frame(gate.present("https://u.wechat.com/sticker")));
}

TEST_CASE("what this device can't know is asked, not refused") {
    Gate gate;
    SUBCASE("a product that has not arrived") {
        ticket::Claims other = claims(1);
        other.entitlements = {entitlement(here, ProductId{77})};
        CHECK(text_of(gate.scan(other)) == "ask product_not_here_yet");
    }
    SUBCASE("no product table at all") {
        gate.standing.products.reset();
        CHECK(text_of(gate.scan(claims(1))) == "ask product_not_here_yet");
    }
    SUBCASE("a clock that was never set") {
        gate.now = reading(wall_from_ms(0));
        gate.clock = fv::Timekeeper{noon - std::chrono::hours{24}, gate.now};
        CHECK(text_of(gate.scan(claims(1))) == "ask clock_unsure");
        const auto event = gate.last_event();
        CHECK(event.clock == ClockQuality::unset);
        CHECK(event.wall == noon - std::chrono::hours{24});
        // The server tells the time, and the same ticket enters.
        CHECK(gate.clock.server_said(noon, SteadyTime{Millis{900}}, gate.now).has_value());
        CHECK(text_of(gate.scan(claims(1))) == "admit ok 1 left 0");
    }
    SUBCASE("a clock that jumped a day: both days are possible") {
        gate.now = reading(noon + std::chrono::hours{24}, 2'000);
        CHECK(text_of(gate.scan(claims(1))) == "ask clock_unsure");
        // A ticket good on both days does not care.
        const fv::Answer answer = gate.scan(claims(2, 1, today + 3));
        CHECK(text_of(answer) == "admit ok 1 left 0");
        CHECK(answer.verdict.flags == admission::flag_clock_unsure);
    }
}

TEST_CASE("a device without configuration is not ready, and writes nothing") {
    Gate gate;
    gate.standing.configuration.reset();
    const auto before = gate.journal->end();
    CHECK(text_of(gate.scan(claims(1))) == "refuse device_not_ready");
    CHECK(gate.journal->end() == before);
}

TEST_CASE("old lists: the product says what to do") {
    using admission::StaleRule;
    struct Row {
        StaleRule rule;
        bool staff;
        std::string expected;
        std::uint32_t flags;
    };
    const Row rows[] = {
        {StaleRule::admit, false, "admit ok 1 left 0", admission::flag_revoked_list_stale},
        {StaleRule::ask, false, "ask list_stale", 0},
        {StaleRule::ask, true, "admit ok 1 left 0",
         admission::flag_revoked_list_stale | admission::flag_staff},
        {StaleRule::refuse, false, "refuse list_stale", 0},
        {StaleRule::refuse, true, "refuse list_stale", 0},
    };
    for (const Row& row : rows) {
        CAPTURE(row.expected);
        Gate gate;
        gate.age_lists();
        gate.standing.products->products[0].stale = row.rule;
        const fv::Answer answer =
            gate.check({.presented = {fv::Presented::Kind::code, gate.sealed(claims(1))},
                        .persons = {},
                        .staff_confirmed = row.staff,
                        .chosen = {}});
        CHECK(text_of(answer) == row.expected);
        CHECK(answer.verdict.flags == row.flags);
    }
}

TEST_CASE("a clock that jumped does not know whether a list is old") {
    using admission::StaleRule;
    struct Row {
        StaleRule rule;
        std::string expected;
        std::uint32_t flags;
    };
    // The ticket is good on all the days in question: only the freshness is open.
    const Row rows[] = {
        {StaleRule::admit, "admit ok 1 left 0",
         admission::flag_clock_unsure | admission::flag_revoked_list_stale},
        {StaleRule::ask, "ask list_stale", 0},
        {StaleRule::refuse, "ask clock_unsure", 0},
    };
    for (const Row& row : rows) {
        CAPTURE(row.expected);
        Gate gate;
        gate.age_lists();  // fresh until an hour before noon
        gate.standing.products->products[0].stale = row.rule;
        ticket::Claims always = claims(1, 1, today + 1'000);
        always.entitlements[0].first_day = today + -90;
        gate.clock =
            fv::Timekeeper{noon - std::chrono::hours{48}, reading(noon - std::chrono::hours{24})};
        gate.now = reading(noon + std::chrono::hours{24}, 2'000);
        const fv::Answer answer = gate.scan(always);
        CHECK(text_of(answer) == row.expected);
        CHECK(answer.verdict.flags == row.flags);
    }
}

TEST_CASE("a device coded for some products sends the others on") {
    Gate gate;
    gate.standing.configuration->products = {show};
    CHECK(text_of(gate.scan(claims(1))) == "refuse wrong_point");
    ticket::Claims evening = claims(2);
    evening.entitlements = {entitlement(here, show)};
    CHECK(text_of(gate.scan(evening)) == "admit ok 1 left 0");
}

TEST_CASE("staff look at the proof of a concession") {
    Gate gate;
    gate.standing.products->products[0].certificate = {ticket::PersonType::senior};
    ticket::Claims senior = claims(1);
    senior.person_type = ticket::PersonType::senior;
    CHECK(text_of(gate.scan(senior)) == "ask show_certificate");
    CHECK(text_of(gate.scan(claims(2))) == "admit ok 1 left 0");
}

TEST_CASE("an admission says how little the device could see") {
    Gate gate;
    gate.online = false;
    const fv::Answer answer = gate.scan(claims(1));
    CHECK(answer.verdict.flags == admission::flag_offline);
    CHECK(gate.journal->admitted(*answer.grant_seq)->flags == admission::flag_offline);
}

}  // namespace
