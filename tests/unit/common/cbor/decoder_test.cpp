#include <doctest/doctest.h>

#include <functional>

#include "common/cbor/cbor.hpp"

using namespace pf;
using namespace pf::cbor;

namespace {

std::string text_of(const std::optional<Fault>& fault) {
    return fault ? std::string{to_text(*fault)} : "none";
}

std::string nested(std::size_t depth) {
    std::string hex;
    for (std::size_t i = 0; i < depth; ++i) hex += "81";
    return hex + "00";
}

}  // namespace

TEST_CASE("one canonical item, or the reason it is none") {
    struct Case {
        const char* what;
        std::string hex;
        const char* fault;
    };
    const Case cases[] = {
        {"smallest", "00", "none"},
        {"largest", "1bffffffffffffffff", "none"},
        {"most negative", "3bffffffffffffffff", "none"},
        {"all simple values", "83f4f5f6", "none"},
        {"keys rise: integers, negatives, strings", "a400011818022003416104", "none"},
        {"text keys", "a2616100616200", "none"},
        {"a shorter text key sorts first", "a2617a00626161 00", "none"},
        {"array as key", "a2810000820000 00", "none"},
        {"sixteen deep", nested(16), "none"},

        {"nothing", "", "truncated"},
        {"head cut", "18", "truncated"},
        {"long head cut", "1b00000000000000", "truncated"},
        {"bytes cut", "42 00", "truncated"},
        {"bytes longer than memory", "5bffffffffffffffff", "truncated"},
        {"array cut", "8200", "truncated"},
        {"array longer than memory", "9bffffffffffffffff", "truncated"},
        {"map without its value", "a100", "truncated"},
        {"map longer than memory", "bbffffffffffffffff", "truncated"},

        {"two items", "0000", "trailing_bytes"},

        {"one byte where none is needed", "1817", "not_canonical"},
        {"two bytes where one will do", "1900ff", "not_canonical"},
        {"four where two will do", "1a0000ffff", "not_canonical"},
        {"eight where four will do", "1b00000000ffffffff", "not_canonical"},
        {"negative", "3817", "not_canonical"},
        {"length of bytes", "580100", "not_canonical"},
        {"length of text", "780161", "not_canonical"},
        {"count of array", "980100", "not_canonical"},
        {"count of map", "b8010000", "not_canonical"},
        {"long head above 2^32 for a short string", "5b0000000100000001", "truncated"},
        {"keys fall", "a201000000", "not_canonical"},
        {"negative before positive", "a220000000", "not_canonical"},
        {"bytewise, not length first", "a26262620061 7a00", "not_canonical"},
        {"keys fall in a nested map", "81a201000000", "not_canonical"},
        {"keys fall in a map that is a key", "a1a20100000000", "not_canonical"},
        {"far from the first", "a3000001000000", "not_canonical"},

        {"same key twice", "a200000000", "duplicate_key"},
        {"same text key twice", "a2616100616100", "duplicate_key"},
        {"same array key twice", "a2800080 00", "duplicate_key"},

        {"indefinite bytes", "5f4100ff", "indefinite"},
        {"indefinite text", "7f6161ff", "indefinite"},
        {"indefinite array", "9f00ff", "indefinite"},
        {"indefinite map", "bf0000ff", "indefinite"},
        {"break alone", "ff", "indefinite"},

        {"tag", "c000", "unsupported"},
        {"self-described tag", "d9d9f700", "unsupported"},
        {"undefined", "f7", "unsupported"},
        {"simple value", "f0", "unsupported"},
        {"simple value in a byte", "f8ff", "unsupported"},
        {"true the long way", "f815", "unsupported"},
        {"half float", "f90000", "unsupported"},
        {"single float", "fa00000000", "unsupported"},
        {"double float", "fb0000000000000000", "unsupported"},
        {"reserved 28", "1c", "unsupported"},
        {"reserved 30", "5e", "unsupported"},
        {"31 on a number", "1f", "unsupported"},
        {"31 on a negative", "3f", "unsupported"},
        {"31 on a tag", "df", "indefinite"},

        {"seventeen deep", nested(17), "too_deep"},
        {"far too deep", nested(100000), "too_deep"},

        {"stray continuation", "6180", "bad_utf8"},
        {"overlong slash", "62c0af", "bad_utf8"},
        {"overlong three", "63e08080", "bad_utf8"},
        {"overlong four", "64f0808080", "bad_utf8"},
        {"surrogate", "63eda080", "bad_utf8"},
        {"above U+10FFFF", "64f4908080", "bad_utf8"},
        {"lead F5", "64f5808080", "bad_utf8"},
        {"character cut", "62e6b0", "bad_utf8"},
        {"bad third byte", "63e6b041", "bad_utf8"},
        {"bad text as a key", "a1618000", "bad_utf8"},
    };
    for (const Case& c : cases) {
        CAPTURE(c.what);
        std::string hex = c.hex;
        std::erase(hex, ' ');
        CHECK(text_of(check(*from_hex(hex))) == c.fault);
    }
}

TEST_CASE("text of every length and range is read") {
    for (const std::string text :
         {"", "a", "é", "水", "😀", "\xED\x9F\xBF", "\xEE\x80\x80", "\xF4\x8F\xBF\xBF"}) {
        CAPTURE(text);
        const Bytes bytes = Encoder{}.text(text).take();
        Decoder decoder{bytes};
        CHECK(decoder.text(8) == text);
        decoder.finish();
        CHECK(decoder.ok());
    }
}

TEST_CASE("the schema's limits hold") {
    struct Case {
        const char* what;
        const char* hex;
        std::function<void(Decoder&)> read;
        const char* fault;
    };
    const Case cases[] = {
        {"uint at its limit", "0a", [](Decoder& d) { d.uint(10); }, "none"},
        {"uint above", "0b", [](Decoder& d) { d.uint(10); }, "out_of_range"},
        {"uint negative", "20", [](Decoder& d) { d.uint(); }, "wrong_type"},
        {"integer in range", "24", [](Decoder& d) { d.integer(-5, 5); }, "none"},
        {"integer below", "25", [](Decoder& d) { d.integer(-5, 5); }, "out_of_range"},
        {"integer above", "06", [](Decoder& d) { d.integer(-5, 5); }, "out_of_range"},
        {"INT64_MAX", "1b7fffffffffffffff", [](Decoder& d) { d.integer(); }, "none"},
        {"INT64_MIN", "3b7fffffffffffffff", [](Decoder& d) { d.integer(); }, "none"},
        {"beyond INT64_MAX", "1b8000000000000000", [](Decoder& d) { d.integer(); }, "out_of_range"},
        {"beyond INT64_MIN", "3b8000000000000000", [](Decoder& d) { d.integer(); }, "out_of_range"},
        {"integer from text", "6131", [](Decoder& d) { d.integer(); }, "wrong_type"},
        {"bytes short", "4100", [](Decoder& d) { d.bytes(2, 4); }, "out_of_range"},
        {"bytes long", "450000000000", [](Decoder& d) { d.bytes(2, 4); }, "out_of_range"},
        {"bytes for text", "4100", [](Decoder& d) { d.text(4); }, "wrong_type"},
        {"text long", "6161", [](Decoder& d) { d.text(0); }, "out_of_range"},
        {"null for false", "f6", [](Decoder& d) { d.boolean(); }, "wrong_type"},
        {"false for null", "f4", [](Decoder& d) { d.null(); }, "wrong_type"},
        {"array too long", "83000000", [](Decoder& d) { d.array(2); }, "out_of_range"},
        {"array of another length", "8100", [](Decoder& d) { d.array_of(2); }, "out_of_range"},
        {"map for array", "a0", [](Decoder& d) { d.array(2); }, "wrong_type"},
        {"map too long", "a200000100", [](Decoder& d) { d.map(1); }, "out_of_range"},
        {"promise beyond the input", "8a00", [](Decoder& d) { d.array(100); }, "truncated"},
        {"pairs beyond the input", "a2000001", [](Decoder& d) { d.map(100); }, "truncated"},
        {"text as an integer key", "a1616100",
         [](Decoder& d) {
             d.map(1);
             d.key();
         },
         "wrong_type"},
        {"key beyond int64", "a11b800000000000000000",
         [](Decoder& d) {
             d.map(1);
             d.key();
         },
         "out_of_range"},
    };
    for (const Case& c : cases) {
        CAPTURE(c.what);
        const Bytes input = *from_hex(c.hex);
        Decoder decoder{input};
        c.read(decoder);
        CHECK(text_of(decoder.fault()) == c.fault);
    }
}

TEST_CASE("a message is read straight down") {
    const Bytes input = *from_hex(
        "a4"
        "0182f5f6"
        "0342abcd"
        "18186178"
        "20a10102");
    Decoder d{input};
    REQUIRE(d.map(10) == 4);
    CHECK(d.key() == 1);
    CHECK(d.peek() == Type::array);
    d.array_of(2);
    CHECK(d.boolean());
    CHECK(d.peek() == Type::null);
    d.null();
    CHECK(d.peek() == Type::none);  // the array's end is an end
    d.leave();
    CHECK(d.key() == 3);
    CHECK(to_hex(d.bytes(2, 2)) == "abcd");
    CHECK(d.key() == 24);
    CHECK(d.text(1) == "x");
    CHECK(d.key() == -1);
    CHECK(to_hex(d.item()) == "a10102");
    d.leave();
    CHECK(d.peek() == Type::none);
    d.finish();
    CHECK(d.ok());
}

TEST_CASE("keys taken one by one rise too, each map for itself") {
    struct Case {
        const char* hex;
        const char* fault;
    };
    const Case cases[] = {
        {"a200a10500 01a10400", "none"},
        {"a200a1050000a10400", "duplicate_key"},
        {"a201a1050000a10400", "not_canonical"},
    };
    for (const Case& c : cases) {
        std::string hex = c.hex;
        std::erase(hex, ' ');
        CAPTURE(hex);
        const Bytes input = *from_hex(hex);
        Decoder d{input};
        for (std::size_t n = d.map(2); n > 0; --n) {
            d.key();
            for (std::size_t m = d.map(1); m > 0; --m) {
                d.key();
                d.uint();
            }
            d.leave();
        }
        d.finish();
        CHECK(text_of(d.fault()) == c.fault);
    }
}

TEST_CASE("counts are held to what the heads promised") {
    struct Case {
        const char* what;
        const char* hex;
        std::function<void(Decoder&)> read;
        const char* fault;
    };
    const Case cases[] = {
        {"past the end of an array", "82810102",
         [](Decoder& d) {
             d.array_of(2);
             d.array(9);
             d.uint();
             d.uint();
         },
         "truncated"},
        {"an array left early", "8282010203",
         [](Decoder& d) {
             d.array_of(2);
             d.array(9);
             d.uint();
             d.leave();
         },
         "trailing_bytes"},
        {"input ends, the array does not", "8201",
         [](Decoder& d) {
             d.array(9);
             d.uint();
             d.finish();
         },
         "truncated"},
        {"the array ends, the input does not", "810102",
         [](Decoder& d) {
             d.array(9);
             d.uint();
             d.finish();
         },
         "trailing_bytes"},
        {"a key taken for a value", "a10000",
         [](Decoder& d) {
             d.map(1);
             d.uint();
         },
         "wrong_type"},
        {"a value taken for a key", "a10000",
         [](Decoder& d) {
             d.map(1);
             d.key();
             d.key();
         },
         "wrong_type"},
        {"a key outside a map", "00", [](Decoder& d) { d.key(); }, "wrong_type"},
        {"depth counts what was entered", "8181818181818181818181818181818180",
         [](Decoder& d) {
             for (int i = 0; i < 10; ++i) d.array_of(1);
             d.item();
         },
         "too_deep"},
    };
    for (const Case& c : cases) {
        CAPTURE(c.what);
        const Bytes input = *from_hex(c.hex);
        Decoder decoder{input};
        c.read(decoder);
        CHECK(text_of(decoder.fault()) == c.fault);
    }
}

TEST_CASE("the first fault sticks and silences what follows") {
    const Bytes input = *from_hex("0102");
    Decoder d{input};
    d.refuse(Fault::out_of_range);
    d.refuse(Fault::too_deep);
    CHECK(d.uint() == 0);
    CHECK(d.array(5) == 0);
    CHECK(d.item().empty());
    CHECK(d.peek() == Type::none);
    d.leave();
    d.finish();
    CHECK(text_of(d.fault()) == "out_of_range");
}
