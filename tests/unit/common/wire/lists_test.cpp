#include "common/wire/lists.hpp"

#include <doctest/doctest.h>

#include "tests/unit/common/wire/any_message.hpp"

using namespace pf;
using admission::CarrierKind;

namespace {

template <class T>
std::string_view answer(const wire::Decoded<T>& row) {
    return row ? std::string_view{"ok"} : cbor::to_text(row.error());
}

wire::ListRow row(std::string_view key_hex, std::string_view body_hex) {
    return {*from_hex(key_hex), from_hex(body_hex)};
}

}  // namespace

TEST_CASE("rows come back as they went") {
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        CAPTURE(seed);
        tests::Rng rng{seed};
        const wire::Revoked revoked{{rng.next()}, tests::any_u32(rng, 1), tests::any_day(rng)};
        const wire::ListRow revoked_row = row_of(revoked);
        REQUIRE(wire::revoked_of(revoked_row).has_value());
        CHECK(*wire::revoked_of(revoked_row) == revoked);

        const wire::Carried carried = tests::any_carried(rng);
        const wire::ListRow carried_row = row_of(carried);
        REQUIRE(carried_row.body->size() <= wire::list_body_bytes_max);
        const auto again = wire::carried_of(carried_row);
        REQUIRE(again.has_value());
        CHECK(*again == carried);
        CHECK(row_of(*again) == carried_row);
        const Bytes prefix = wire::carrier_prefix(carried.kind, carried.hash);
        CHECK(Bytes(carried_row.key.begin(), carried_row.key.begin() + 17) == prefix);
        for (std::size_t length = 0; length < carried_row.body->size(); ++length) {
            wire::ListRow cut = carried_row;
            cut.body->resize(length);
            REQUIRE_FALSE(wire::carried_of(cut).has_value());
        }
    }
}

TEST_CASE("a revoked row, byte by byte") {
    const wire::ListRow all =
        row_of(wire::Revoked{{0x0102030405060708}, admission::generation_all, {20'574}});
    CHECK(all == row("0102030405060708", "821affffffff19505e"));
    struct Case {
        const char* why;
        wire::ListRow row;
        const char* expect;
    };
    const Case cases[] = {
        {"below generation 2", row("0102030405060708", "820219505e"), "ok"},
        {"below generation 0 refuses nobody", row("0102030405060708", "820019505e"),
         "out_of_range"},
        {"generation beyond 32 bits", row("0102030405060708", "821b000000010000000019505e"),
         "out_of_range"},
        {"key of 7 bytes", row("01020304050607", "820219505e"), "out_of_range"},
        {"without last day", row("0102030405060708", "8102"), "out_of_range"},
        {"a third item", row("0102030405060708", "830219505e00"), "out_of_range"},
        {"trailing bytes", row("0102030405060708", "820219505e00"), "trailing_bytes"},
        {"deleted", {*from_hex("0102030405060708"), {}}, "out_of_range"},
    };
    for (const Case& c : cases) {
        CAPTURE(c.why);
        CHECK(answer(wire::revoked_of(c.row)) == c.expect);
    }
}

TEST_CASE("a carried row names a known carrier and a ticket that can be") {
    tests::Rng rng{3};
    wire::Carried carried = tests::any_carried(rng);
    carried.kind = CarrierKind::code;
    const wire::ListRow good = row_of(carried);
    const auto with = [&](auto change) {
        wire::ListRow changed = good;
        change(changed);
        return answer(wire::carried_of(changed));
    };
    CHECK(with([](wire::ListRow&) {}) == "ok");
    CHECK(with([](wire::ListRow& r) { r.key[0] = 0; }) == "out_of_range");
    CHECK(with([](wire::ListRow& r) { r.key[0] = 5; }) == "out_of_range");
    CHECK(with([](wire::ListRow& r) { r.key.pop_back(); }) == "out_of_range");
    CHECK(with([](wire::ListRow& r) { r.body.reset(); }) == "out_of_range");
    CHECK(with([](wire::ListRow& r) { r.body->push_back(0); }) == "trailing_bytes");
    const std::string one = "87190155192ee719505e00000100";  // an entitlement
    struct Case {
        const char* why;
        std::string body;
        const char* expect;
    };
    const Case cases[] = {
        {"one entitlement", "8401010181" + one, "ok"},
        {"generation 0", "8400010181" + one, "out_of_range"},
        {"person type 10", "84010a0181" + one, "out_of_range"},
        {"nobody", "8401010081" + one, "out_of_range"},
        {"no entitlement", "8401010180", "out_of_range"},
        {"the same product twice", "8401010182" + one + one, "out_of_range"},
    };
    for (const Case& c : cases) {
        CAPTURE(c.why);
        CHECK(with([&](wire::ListRow& r) { r.body = from_hex(c.body); }) == c.expect);
    }
}

TEST_CASE("carriers are normalised before they are hashed") {
    struct Case {
        CarrierKind kind;
        const char* text;
        const char* expect;
    };
    const Case cases[] = {
        {CarrierKind::code, " ab-12 \r\n", "ab-12"},
        {CarrierKind::code, "a b", "a b"},
        {CarrierKind::code, "\t\n", ""},
        {CarrierKind::code, "", ""},
        {CarrierKind::document, " 11010519491231002x", "11010519491231002X"},
        {CarrierKind::document, "h 1234-5678", "H12345678"},
        {CarrierKind::card, "04:a2:3b-ff ", "04A23BFF"},
        {CarrierKind::signed_qr, " PF1:X ", "PF1:X"},
    };
    for (const Case& c : cases) {
        CAPTURE(c.text);
        CHECK(wire::normalise(c.kind, c.text) == c.expect);
        CHECK(wire::normalise(c.kind, c.expect) == c.expect);
    }
}

TEST_CASE("a carrier's hash depends on key, kind and text") {
    const Bytes key(32, 0x0b);
    const auto hash = wire::carrier_hash(key, CarrierKind::code, "A1");
    const Digest whole = crypto::hmac_sha256(key, *from_hex("024131"));
    CHECK(std::equal(hash.begin(), hash.end(), whole.begin()));
    CHECK(hash != wire::carrier_hash(key, CarrierKind::card, "A1"));
    CHECK(hash != wire::carrier_hash(key, CarrierKind::code, "A2"));
    CHECK(hash != wire::carrier_hash(Bytes(32, 0x0c), CarrierKind::code, "A1"));

    const auto holder = wire::holder_hash(key, "A1");
    const Digest plain = crypto::hmac_sha256(key, as_bytes("A1"));
    CHECK(std::equal(holder.begin(), holder.end(), plain.begin()));
}
