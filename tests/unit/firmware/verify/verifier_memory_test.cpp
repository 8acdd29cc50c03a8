// What the device remembers and what it was told: uses, returns, a full disk, a restart.
#include <doctest/doctest.h>

#include "tests/support/crash_vfs.hpp"
#include "tests/unit/firmware/verify/gate.hpp"

namespace {

using namespace pf;
using namespace pf::tests;
using How = pf::journal::Outcome::How;

TEST_CASE("how a grant ended decides about the next scan here") {
    struct Row {
        How how;
        std::uint16_t passed;
        std::uint16_t returned;
        std::string expected;
    };
    const Row rows[] = {
        {How::complete, 1, 0, "refuse already_used"},
        {How::timeout, 0, 1, "admit ok 1 left 0"},
        {How::staff_undo, 0, 1, "admit ok 1 left 0"},
        {How::unknown, 0, 0, "ask outcome_unknown"},
        {How::fault, 0, 0, "ask outcome_unknown"},
        {How::emergency, 0, 0, "ask outcome_unknown"},
        // Who was seen to pass has passed, whatever happened afterwards.
        {How::unknown, 1, 0, "refuse already_used"},
        {How::fault, 1, 0, "refuse already_used"},
        {How::emergency, 1, 0, "refuse already_used"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.expected);
        Gate gate;
        const fv::Answer first = gate.scan(claims(1));
        gate.end_grant(*first.grant_seq, row.passed, row.returned, row.how);
        CHECK(text_of(gate.scan(claims(1))) == row.expected);
    }
}

TEST_CASE("staff may admit after an unknown outcome") {
    Gate gate;
    gate.end_grant(*gate.scan(claims(1)).grant_seq, 0, 0, How::unknown);
    const fv::Answer answer =
        gate.check({.presented = {fv::Presented::Kind::code, gate.sealed(claims(1))},
                    .persons = {},
                    .staff_confirmed = true,
                    .chosen = {}});
    CHECK(text_of(answer) == "admit ok 1 left 0");
    CHECK(answer.verdict.flags == admission::flag_staff);
}

TEST_CASE("of a group staff may admit again those nobody saw, not those who passed") {
    Gate gate;
    gate.end_grant(*gate.scan(claims(1, 5)).grant_seq, 3, 0, How::fault);
    const auto again = [&](std::uint16_t persons) {
        return text_of(
            gate.check({.presented = {fv::Presented::Kind::code, gate.sealed(claims(1, 5))},
                        .persons = persons,
                        .staff_confirmed = true,
                        .chosen = {}}));
    };
    CHECK(again(3) == "refuse already_used");
    CHECK(again(2) == "admit ok 2 left 0");
}

TEST_CASE("a use the server told of refuses here, with where and when") {
    Gate gate;
    REQUIRE(gate.cache->apply_uses({told_use(1, grant_of("gate-2", 8), 1)}, {life, 1}).has_value());
    const fv::Answer answer = gate.scan(claims(1));
    CHECK(text_of(answer) == "refuse already_used");
    REQUIRE(answer.verdict.used.has_value());
    CHECK(answer.verdict.used->where == "gate-2");
    CHECK(answer.verdict.used->at == noon - std::chrono::hours{2});
}

TEST_CASE("what the server tells of a return counts, also while it is on its way") {
    Gate gate;
    auto item = told_use(1, grant_of("gate-2", 8), 1);
    item.return_pending = true;
    REQUIRE(gate.cache->apply_uses({item}, {life, 1}).has_value());
    CHECK(text_of(gate.scan(claims(1))) == "refuse return_pending");
    item.return_pending = false;
    item.persons = 0;
    REQUIRE(gate.cache->apply_uses({item}, {life, 2}).has_value());
    CHECK(text_of(gate.scan(claims(1))) == "admit ok 1 left 0");
}

TEST_CASE("what nobody saw at another gate is for staff here, once and only once") {
    Gate handheld{Place{.dir = {}, .vfs = {}, .device = "handheld-1"}};
    auto item = told_use(1, grant_of("gate-2", 8), 3);
    item.unseen = 2;
    REQUIRE(handheld.cache->apply_uses({item}, {life, 1}).has_value());
    const auto scan = [&](bool confirmed) {
        return handheld.check(
            {.presented = {fv::Presented::Kind::code, handheld.sealed(claims(1, 3))},
             .persons = {},
             .staff_confirmed = confirmed,
             .chosen = {},
             .awaits_passage = false});
    };
    const fv::Answer asked = scan(false);
    CHECK(text_of(asked) == "ask outcome_unknown");
    CHECK(asked.verdict.persons == 2);
    REQUIRE(asked.verdict.used.has_value());
    CHECK(asked.verdict.used->where == "gate-2");
    const fv::Answer again = scan(true);
    CHECK(text_of(again) == "admit ok 2 left 0");
    CHECK(again.verdict.flags == admission::flag_staff);
    CHECK(text_of(scan(true)) == "refuse already_used");

    // The gate where it happened hears of it, and neither it nor staff there admit once more.
    Gate gate{Place{.dir = {}, .vfs = {}, .device = "gate-2"}};
    gate.end_grant(*gate.scan(claims(1, 3)).grant_seq, 1, 0, How::fault);
    CHECK(text_of(gate.scan(claims(1, 3))) == "ask outcome_unknown");
    REQUIRE(
        gate.cache->apply_uses({told_use(1, grant_of("handheld-1", 4), 2)}, {life, 1}).has_value());
    CHECK(text_of(gate.scan(claims(1, 3))) == "refuse already_used");
}

TEST_CASE("uses are a union of grants: one known from both sides counts once") {
    Gate gate;
    const fv::Answer first = gate.scan(claims(1, 5), 2);
    const GrantId own{*DeviceId::parse("gate-1"), gate.journal->end().epoch, *first.grant_seq};
    REQUIRE(
        gate.cache
            ->apply_uses({told_use(1, own, 2), told_use(1, grant_of("gate-2", 8), 1)}, {life, 1})
            .has_value());
    CHECK(text_of(gate.scan(claims(1, 5), 1)) == "admit ok_group_part 1 left 1");
    // The own journal knows of a return before the server does.
    gate.end_grant(*first.grant_seq, 0, 2, How::timeout);
    CHECK(text_of(gate.scan(claims(1, 5), 1)) == "admit ok_group_part 1 left 2");
}

TEST_CASE("a restart forgets nothing") {
    TempDir dir;
    {
        Gate gate{Place{.dir = dir.path().string(), .vfs = {}}};
        CHECK(text_of(gate.scan(claims(1, 5), 2)) == "admit ok_group_part 2 left 3");
        gate.verifier.reset();
        gate.journal.reset();
        gate.cache.reset();
        gate.open();
        CHECK(text_of(gate.scan(claims(1, 5))) == "admit ok 3 left 0");
    }
}

TEST_CASE("a full disk admits nobody, and the next scan after it works") {
    CrashVfs vfs{3};
    CrashDisk disk{3};
    const auto mounted = vfs.mount("/gate-1/", disk);
    Gate gate{Place{.dir = "/gate-1", .vfs = vfs.name()}};
    const auto before = gate.journal->end();

    disk.set_capacity_bytes(disk.bytes_used());
    const fv::Answer refused = gate.scan(claims(1));
    CHECK(text_of(refused) == "refuse storage_failed");
    CHECK(refused.storage == fj::Fault::disk_full);
    CHECK_FALSE(refused.grant_seq.has_value());
    CHECK(gate.journal->end() == before);

    disk.set_capacity_bytes(UINT64_MAX);
    CHECK(text_of(gate.scan(claims(1))) == "admit ok 1 left 0");
    CHECK(text_of(gate.scan(claims(1))) == "refuse already_used");
}

}  // namespace
