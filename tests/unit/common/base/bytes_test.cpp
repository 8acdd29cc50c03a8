#include "common/base/bytes.hpp"

#include <doctest/doctest.h>

using namespace pf;

TEST_CASE("hexadecimal goes both ways and refuses the rest") {
    const Bytes bytes{0x00, 0x7f, 0x80, 0xff};
    CHECK(to_hex(bytes) == "007f80ff");
    CHECK(from_hex("007F80ff") == bytes);
    CHECK_FALSE(from_hex("007").has_value());
    CHECK_FALSE(from_hex("0g").has_value());
    CHECK(array_from_hex<2>("0102") == std::array<Byte, 2>{1, 2});
    CHECK_FALSE(array_from_hex<2>("010203").has_value());
}

TEST_CASE("constant-time comparison compares") {
    CHECK(equal_in_constant_time(as_bytes("abc"), as_bytes("abc")));
    CHECK_FALSE(equal_in_constant_time(as_bytes("abc"), as_bytes("abd")));
    CHECK_FALSE(equal_in_constant_time(as_bytes("abc"), as_bytes("ab")));
}
