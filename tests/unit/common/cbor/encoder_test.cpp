#include <doctest/doctest.h>

#include <functional>

#include "common/cbor/cbor.hpp"

using namespace pf;
using namespace pf::cbor;

TEST_CASE("the encoder agrees with RFC 8949 appendix A") {
    struct Case {
        std::function<void(Encoder&)> write;
        const char* hex;
    };
    const Case cases[] = {
        {[](Encoder& e) { e.uint(0); }, "00"},
        {[](Encoder& e) { e.uint(23); }, "17"},
        {[](Encoder& e) { e.uint(24); }, "1818"},
        {[](Encoder& e) { e.uint(255); }, "18ff"},
        {[](Encoder& e) { e.uint(256); }, "190100"},
        {[](Encoder& e) { e.uint(1000000); }, "1a000f4240"},
        {[](Encoder& e) { e.uint(4294967296); }, "1b0000000100000000"},
        {[](Encoder& e) { e.uint(UINT64_MAX); }, "1bffffffffffffffff"},
        {[](Encoder& e) { e.integer(10); }, "0a"},
        {[](Encoder& e) { e.integer(-1); }, "20"},
        {[](Encoder& e) { e.integer(-24); }, "37"},
        {[](Encoder& e) { e.integer(-25); }, "3818"},
        {[](Encoder& e) { e.integer(-1000); }, "3903e7"},
        {[](Encoder& e) { e.integer(INT64_MIN); }, "3b7fffffffffffffff"},
        {[](Encoder& e) { e.bytes({}); }, "40"},
        {[](Encoder& e) { e.bytes(*from_hex("01020304")); }, "4401020304"},
        {[](Encoder& e) { e.text(""); }, "60"},
        {[](Encoder& e) { e.text("\"\\"); }, "62225c"},
        {[](Encoder& e) { e.text("水"); }, "63e6b0b4"},
        {[](Encoder& e) { e.boolean(false); }, "f4"},
        {[](Encoder& e) { e.boolean(true); }, "f5"},
        {[](Encoder& e) { e.null(); }, "f6"},
        {[](Encoder& e) { e.array(0); }, "80"},
        {[](Encoder& e) { e.array(3).uint(1).array(2).uint(2).uint(3).array(1).uint(4); },
         "83018202038104"},
        {[](Encoder& e) { e.map(0); }, "a0"},
        {[](Encoder& e) { e.map(2).key(1).uint(2).key(3).uint(4); }, "a201020304"},
        {[](Encoder& e) { e.map(3).key(0).null().key(24).null().key(-1).null(); },
         "a300f61818f620f6"},
        {[](Encoder& e) { e.array(1).raw(*from_hex("a0")); }, "81a0"},
    };
    for (const Case& c : cases) {
        CAPTURE(c.hex);
        Encoder encoder;
        c.write(encoder);
        CHECK(to_hex(encoder.view()) == c.hex);
        CHECK_FALSE(check(encoder.view()));
        CHECK(to_hex(encoder.take()) == c.hex);
        CHECK(encoder.view().empty());
    }
}

TEST_CASE("long strings and long arrays get the shortest head") {
    struct Case {
        std::size_t size;
        const char* bytes_head;
        const char* text_head;
        const char* array_head;
    };
    const Case cases[] = {
        {23, "57", "77", "97"},
        {24, "5818", "7818", "9818"},
        {256, "590100", "790100", "990100"},
        {65536, "5a00010000", "7a00010000", "9a00010000"},
    };
    for (const Case& c : cases) {
        CAPTURE(c.size);
        const auto begins = [](const Bytes& bytes, const std::string& head) {
            return to_hex(bytes).substr(0, head.size()) == head;
        };
        CHECK(begins(Encoder{}.bytes(Bytes(c.size)).take(), c.bytes_head));
        CHECK(begins(Encoder{}.text(std::string(c.size, 'x')).take(), c.text_head));
        Encoder array;
        array.array(c.size);
        for (std::size_t i = 0; i < c.size; ++i) array.uint(0);
        CHECK(begins(array.take(), c.array_head));
    }
}

TEST_CASE("diagnostic notation is for people") {
    struct Case {
        const char* hex;
        const char* text;
    };
    const Case cases[] = {
        {"a2014200ff026178", R"({1: h'00ff', 2: "x"})"},
        {"83f5f4f6", "[true, false, null]"},
        {"8220391234", "[-1, -4661]"},
        {"3bffffffffffffffff", "-18446744073709551616"},
        {"6422 5c0a41", R"("\"\\\u000aA")"},
        {"a1616180", R"({"a": []})"},
        {"63e6b0b4", "\"水\""},
    };
    for (const Case& c : cases) {
        std::string hex{c.hex};
        std::erase(hex, ' ');
        CAPTURE(hex);
        CHECK(diagnostic(*from_hex(hex)) == c.text);
    }
}
