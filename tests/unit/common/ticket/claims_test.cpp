#include "common/ticket/claims.hpp"

#include <doctest/doctest.h>

#include <functional>

#include "tests/support/rng.hpp"
#include "tests/unit/common/ticket/tickets.hpp"

using namespace pf;
using namespace pf::ticket;
using namespace pf::tests;

namespace {

std::string fault_of(const Claims& claims) {
    const auto fault = check(claims);
    return fault ? std::string{to_text(*fault)} : "none";
}

/// "none", or the fault of decoding exactly one claims map.
std::string decoded(const Bytes& bytes, Claims* out = nullptr) {
    cbor::Decoder in{bytes};
    const Claims claims = decode_claims(in);
    in.finish();
    if (out != nullptr) *out = claims;
    return in.ok() ? "none" : std::string{cbor::to_text(*in.fault())};
}

Claims any_claims(Rng& rng) {
    Claims claims{.id = {rng.next()},
                  .generation = static_cast<std::uint32_t>(rng.between(1, UINT32_MAX)),
                  .person_type = *person_type_from(1 + rng.below(9)),
                  .persons = static_cast<std::uint16_t>(rng.between(1, persons_max)),
                  .holder = std::nullopt,
                  .entitlements = {}};
    if (rng.percent(50)) {
        claims.holder =
            Holder{.key = static_cast<std::uint16_t>(rng.below(65536)), .hash = to_be8(rng.next())};
    }
    for (std::uint64_t i = 1 + rng.below(entitlements_max); i > 0; --i) {
        const Day first{static_cast<std::int32_t>(rng.between(0, first_day_max))};
        const auto length = static_cast<int>(rng.below(validity_days_max));
        claims.entitlements.push_back(
            {.site = {static_cast<std::uint32_t>(rng.below(1ULL << 32U))},
             .product = {static_cast<std::uint32_t>(i)},
             .first_day = first,
             .last_day = first + length,
             .window = {static_cast<std::uint32_t>(rng.below(300))},
             .entries = static_cast<std::uint16_t>(rng.between(1, entries_max)),
             .scope = rng.percent(50) ? Scope::day : Scope::validity});
    }
    return claims;
}

}  // namespace

TEST_CASE("claims that can't be, and why") {
    struct Case {
        const char* why;
        std::function<void(Claims&)> change;
        const char* expect;
    };
    const Case cases[] = {
        {"typical", [](Claims&) {}, "none"},
        {"nobody", [](Claims& c) { c.persons = 0; }, "persons_out_of_range"},
        {"largest group", [](Claims& c) { c.persons = 999; }, "none"},
        {"a person more", [](Claims& c) { c.persons = 1000; }, "persons_out_of_range"},
        {"no entry", [](Claims& c) { c.entitlements[0].entries = 0; }, "entries_out_of_range"},
        {"most entries", [](Claims& c) { c.entitlements[0].entries = 999; }, "none"},
        {"an entry more", [](Claims& c) { c.entitlements[0].entries = 1000; },
         "entries_out_of_range"},
        {"nothing to enter", [](Claims& c) { c.entitlements.clear(); }, "no_entitlement"},
        {"eight", [](Claims& c) { c = worst_claims(); }, "none"},
        {"nine",
         [](Claims& c) {
             c = worst_claims();
             c.entitlements.push_back(typical_entitlement());
         },
         "too_many_entitlements"},
        {"ends before it begins", [](Claims& c) { c.entitlements[0].last_day = {20573}; },
         "days_reversed"},
        {"1100 days", [](Claims& c) { c.entitlements[0].last_day = {20574 + 1099}; }, "none"},
        {"1101 days", [](Claims& c) { c.entitlements[0].last_day = {20574 + 1100}; },
         "validity_too_long"},
        {"for ever", [](Claims& c) { c.entitlements[0].last_day = {INT32_MAX}; },
         "validity_too_long"},
        {"before 1970", [](Claims& c) { c.entitlements[0].first_day = {-1}; }, "day_out_of_range"},
        {"begins after 2149", [](Claims& c) { c.entitlements[0].first_day = {65536}; },
         "day_out_of_range"},
        {"site and product twice",
         [](Claims& c) { c.entitlements.push_back(typical_entitlement()); },
         "site_twice_with_product"},
        {"product at two sites",
         [](Claims& c) {
             c.entitlements.push_back(typical_entitlement());
             c.entitlements[1].site = {342};
         },
         "none"},
        {"two products at a site",
         [](Claims& c) {
             c.entitlements.push_back(typical_entitlement());
             c.entitlements[1].product = {1};
         },
         "none"},
        {"generation 0", [](Claims& c) { c.generation = 0; }, "generation_out_of_range"},
    };
    for (const Case& c : cases) {
        CAPTURE(c.why);
        Claims claims = typical_claims();
        c.change(claims);
        CHECK(fault_of(claims) == c.expect);
    }
}

TEST_CASE("claims survive encoding, whatever they say") {
    for (std::uint64_t seed = 1; seed <= 500; ++seed) {
        CAPTURE(seed);
        Rng rng{seed};
        const Claims claims = any_claims(rng);
        REQUIRE(fault_of(claims) == "none");
        Claims again;
        const Bytes bytes = encode(claims);
        REQUIRE(decoded(bytes, &again) == "none");
        CHECK(again == claims);
        CHECK_FALSE(cbor::check(bytes));
        CHECK(bytes.size() <= 512);
    }
}

TEST_CASE("claims of another shape are refused, not repaired") {
    // {1: id, 2: 1, 3: 1, 4: 1, 5: [[341, 12007, 20574, 0, 0, 1, 0]]}
    const std::string id = "01487c1f9d20a45be863", generation = "0201", person = "0301",
                      persons = "0401", entitlements = "058187190155192ee719505e00000100";
    const std::string all = id + generation + person + persons + entitlements;
    struct Case {
        const char* why;
        std::string hex;
        const char* expect;
    };
    const Case cases[] = {
        {"typical", "a5" + all, "none"},
        {"with holder", "a6" + all + "068203480011223344556677", "none"},
        {"empty", "a0", "truncated"},
        {"an array", "80", "wrong_type"},
        {"without persons", "a4" + id + generation + person + entitlements, "wrong_type"},
        {"without entitlements", "a4" + id + generation + person + persons, "truncated"},
        {"a seventh claim", "a7" + all + "068203480011223344556677" + "0700", "out_of_range"},
        {"claim 7 for holder", "a6" + all + "0700", "wrong_type"},
        {"entitlements as claim 7",
         "a5" + id + generation + person + persons + "07" + entitlements.substr(2), "wrong_type"},
        {"short id", "a501471f9d20a45be863" + all.substr(id.size()), "out_of_range"},
        {"generation 0", "a5" + id + "0200" + person + persons + entitlements, "out_of_range"},
        {"generation of 33 bits",
         "a5" + id + "021b0000000100000000" + person + persons + entitlements, "out_of_range"},
        {"person type 0", "a5" + id + generation + "0300" + persons + entitlements, "out_of_range"},
        {"person type 10", "a5" + id + generation + "030a" + persons + entitlements,
         "out_of_range"},
        {"0 persons", "a5" + id + generation + person + "0400" + entitlements, "out_of_range"},
        {"1000 persons", "a5" + id + generation + person + "041903e8" + entitlements,
         "out_of_range"},
        {"65537 persons are not 1", "a5" + id + generation + person + "041a00010001" + entitlements,
         "out_of_range"},
        {"a first day of 31 bits",
         "a5" + id + generation + person + persons + "058187190155192ee71a7fffffff19044b000100",
         "out_of_range"},
        {"65537 entries are not 1",
         "a5" + id + generation + person + persons + "058187190155192ee719505e00001a0001000100",
         "out_of_range"},
        {"no entitlement", "a5" + id + generation + person + persons + "0580", "out_of_range"},
        {"entitlement of six",
         "a5" + id + generation + person + persons + "058186190155192ee719505e000001",
         "out_of_range"},
        {"0 entries",
         "a5" + id + generation + person + persons + "058187190155192ee719505e00000000",
         "out_of_range"},
        {"scope 2", "a5" + id + generation + person + persons + "058187190155192ee719505e00000102",
         "out_of_range"},
        {"1101 days",
         "a5" + id + generation + person + persons + "058187190155192ee719505e19044c000100",
         "out_of_range"},
        {"twice the same",
         "a5" + id + generation + person + persons +
             "058287190155192ee719505e0000010087190155192ee719505e00000100",
         "out_of_range"},
        {"holder hash of 7", "a6" + all + "0682034700112233445566", "out_of_range"},
        {"holder key of 17 bits", "a6" + all + "06821a00010000480011223344556677", "out_of_range"},
    };
    for (const Case& c : cases) {
        CAPTURE(c.why);
        const auto bytes = from_hex(c.hex);
        REQUIRE(bytes);
        Claims claims;
        CHECK(decoded(*bytes, &claims) == c.expect);
        if (std::string_view{c.expect} != "none") CHECK(claims == Claims{});
    }
}

TEST_CASE("entitlements alone, as list entries carry them") {
    struct Case {
        const char* why;
        const char* hex;
        const char* expect;
    };
    const Case cases[] = {
        {"one", "8187190155192ee719505e00000100", "none"},
        {"none", "80", "out_of_range"},
        {"0 entries", "8187190155192ee719505e00000000", "out_of_range"},
        {"twice the same", "8287190155192ee719505e0000010087190155192ee719505e00000100",
         "out_of_range"},
        {"an item too many", "8188190155192ee719505e0000010000", "out_of_range"},
    };
    for (const Case& c : cases) {
        CAPTURE(c.why);
        const Bytes bytes = *from_hex(c.hex);
        cbor::Decoder in{bytes};
        const auto found = decode_entitlements(in);
        in.finish();
        CHECK((in.ok() ? "none" : cbor::to_text(*in.fault())) == c.expect);
        CHECK(found.empty() == (std::string_view{c.expect} != "none"));
        if (in.ok()) {
            cbor::Encoder out;
            encode_entitlements(out, found);
            CHECK(out.take() == bytes);
        }
    }
}

TEST_CASE("person types have numbers and texts") {
    for (std::uint64_t number = 0; number < 300; ++number) {
        const auto type = person_type_from(number);
        CHECK(type.has_value() == (number >= 1 && number <= 9));
        if (type) CHECK(person_type_from(to_text(*type)) == type);
    }
    CHECK(to_text(PersonType::disabled) == "disabled");
    CHECK_FALSE(person_type_from("Adult"));
    CHECK_FALSE(person_type_from(""));
}
