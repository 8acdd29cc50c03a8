#include "common/base/base45.hpp"

#include <doctest/doctest.h>

using namespace pf;

TEST_CASE("Base45 agrees with the examples of RFC 9285 section 4.3 and 4.4") {
    struct Case {
        const char* plain;
        const char* encoded;
    };
    const Case cases[] = {
        {"AB", "BB8"},
        {"Hello!!", "%69 VD92EX0"},
        {"base-45", "UJCLQE7W581"},
        {"ietf!", "QED8WEX0"},
        {"", ""},
    };
    for (const Case& c : cases) {
        CAPTURE(c.plain);
        CHECK(base45_encode(as_bytes(c.plain)) == c.encoded);
        const auto decoded = base45_decode(c.encoded);
        REQUIRE(decoded);
        CHECK(as_text(*decoded) == c.plain);
    }
}

TEST_CASE("Base45 refuses what RFC 9285 section 6 forbids") {
    struct Case {
        const char* why;
        const char* text;
    };
    const Case cases[] = {
        {"one character left over", "BB8A"}, {"lower case", "bb8"},
        {"outside the alphabet", "B!8"},     {"three characters above 65535", "GGW"},
        {"two characters above 255", ":::"}, {"a pair above 255", "U5::"},
    };
    for (const Case& c : cases) {
        CAPTURE(c.why);
        CHECK_FALSE(base45_decode(c.text).has_value());
    }
    CHECK(base45_decode("FGW") == Bytes{0xff, 0xff});  // the largest legal group
}
