#include "firmware/scan/serial_frames.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace pf;
using namespace pf::firmware::scan;

namespace {

struct Chunk {
    int at_ms;
    std::string bytes;
};

std::vector<std::string> texts(const std::vector<Bytes>& codes) {
    std::vector<std::string> out;
    for (const Bytes& code : codes) out.emplace_back(as_text(code));
    return out;
}

struct Case {
    const char* why;
    std::vector<Chunk> chunks;
    std::vector<std::string> codes;
    std::uint64_t lost;
};

void check(const SerialFraming& framing, const Case& c) {
    CAPTURE(c.why);
    SerialFrames frames{framing};
    std::vector<std::string> codes;
    for (const Chunk& chunk : c.chunks) {
        for (auto& code :
             texts(frames.feed(SteadyTime{Millis{chunk.at_ms}}, as_bytes(chunk.bytes)))) {
            codes.push_back(std::move(code));
        }
    }
    CHECK(codes == c.codes);
    CHECK(frames.lost().codes == c.lost);
}

}  // namespace

TEST_CASE("serial lines ended by CR or LF, codes of at most 8 bytes") {
    const Case cases[] = {
        {"CR", {{0, "ABC\r"}}, {"ABC"}, 0},
        {"LF", {{0, "ABC\n"}}, {"ABC"}, 0},
        {"CR LF is one end", {{0, "ABC\r\nDEF\r\n"}}, {"ABC", "DEF"}, 0},
        {"byte by byte", {{0, "A"}, {1, "B"}, {2, "\r"}, {3, "\n"}}, {"AB"}, 0},
        {"no end, no code", {{0, "ABC"}}, {}, 0},
        {"empty lines are no codes", {{0, "\r\n\r\n\n"}}, {}, 0},
        {"Chinese and binary pass", {{0, "\xe7\x89\x8c\x01\xff\r"}}, {"\xe7\x89\x8c\x01\xff"}, 0},
        {"exactly the longest", {{0, "12345678\r"}}, {"12345678"}, 0},
        {"one too long, whole is lost, next is read", {{0, "123456789\rAB\r"}}, {"AB"}, 1},
        {"far too long in pieces", {{0, "12345678"}, {1, "9012345678"}, {2, "9\rAB\r"}}, {"AB"}, 1},
        {"a pause within a code is no end", {{0, "AB"}, {500, "CD\r"}}, {"ABCD"}, 0},
        {"cut by silence: neither half is a code", {{0, "AB"}, {501, "CD\rEF\r"}}, {"EF"}, 1},
        {"silence between codes is normal", {{0, "AB\r"}, {9000, "CD\r"}}, {"AB", "CD"}, 0},
    };
    for (const Case& c : cases) check({.code_bytes_max = 8}, c);
}

TEST_CASE("serial frames between STX and ETX CR, codes of at most 8 bytes") {
    const SerialFraming framing{.prefix = {0x02}, .suffix = {0x03, '\r'}, .code_bytes_max = 8};
    const Case cases[] = {
        {"one",
         {{0,
           "\x02"
           "AB\x03\r"}},
         {"AB"},
         0},
        {"line ends inside a code stay",
         {{0,
           "\x02"
           "A\r\nB\x03\r"}},
         {"A\r\nB"},
         0},
        {"half a suffix inside a code stays",
         {{0,
           "\x02"
           "A\x03"
           "B\x03\r"}},
         {"A\x03"
          "B"},
         0},
        {"a doubled suffix byte",
         {{0,
           "\x02"
           "A\x03\x03\r"}},
         {"A\x03"},
         0},
        {"noise outside frames",
         {{0,
           "xyz\x02"
           "AB\x03\rxx\x02"
           "CD\x03\r"}},
         {"AB", "CD"},
         0},
        {"a lost suffix takes the next with it, then order",
         {{0,
           "\x02"
           "AB\x02"
           "CD\x03\r\x02"
           "EF\x03\r"}},
         {"EF"},
         1},
        {"exactly the longest",
         {{0,
           "\x02"
           "12345678\x03\r"}},
         {"12345678"},
         0},
        {"one too long, next is read",
         {{0,
           "\x02"
           "123456789\x03\r\x02"
           "AB\x03\r"}},
         {"AB"},
         1},
        {"far too long",
         {{0,
           "\x02"
           "12345678901234567890\x03\r\x02"
           "AB\x03\r"}},
         {"AB"},
         1},
        {"cut by silence",
         {{0,
           "\x02"
           "AB"},
          {600,
           "CD\x03\r\x02"
           "EF\x03\r"}},
         {"EF"},
         1},
        {"an end mark does not straddle a silence",
         {{0,
           "\x02"
           "AB\x03"},
          {600,
           "\r\x02"
           "CD\x03\r\x02"
           "EF\x03\r"}},
         {"EF"},
         1},
        {"empty frames are no codes", {{0, "\x02\x03\r"}}, {}, 0},
    };
    for (const Case& c : cases) check(framing, c);
}

TEST_CASE("serial frames with a suffix only") {
    check({.prefix = {}, .suffix = {';', ';'}, .code_bytes_max = 8},
          {"one and one", {{0, "A;B;;CD;;"}}, {"A;B", "CD"}, 0});
}

TEST_CASE("a line just opened: half a code before it, the rest of one after it") {
    struct Case {
        const char* why;
        SerialFraming framing;
        int at_ms;  // the line was opened at 1000
        std::string bytes;
        std::vector<std::string> codes;
        std::uint64_t lost;
    };
    const SerialFraming line{}, framed{.prefix = {2}, .suffix = {3}},
        suffix{.prefix = {}, .suffix = {3}};
    const Case cases[] = {
        {"a whole code after a silence", line, 1501, "WHOLE\r", {"WHOLE"}, 0},
        {"at once: perhaps the rest of one, the next is whole",
         line,
         1500,
         "OLE\rNEXT\r",
         {"NEXT"},
         1},
        {"only the end mark of one", line, 1001, "\nNEXT\r", {"NEXT"}, 1},
        {"a suffix alone tells no more", suffix, 1001, "OLE\x03NEXT\x03", {"NEXT"}, 1},
        {"a prefix tells", framed, 1001, "OLE\x03\x02NEXT\x03", {"NEXT"}, 0},
    };
    for (const Case& c : cases) {
        CAPTURE(c.why);
        SerialFrames frames{c.framing};
        CHECK(frames.feed(SteadyTime{Millis{900}}, as_bytes("HALF")).empty());
        frames.opened(SteadyTime{Millis{1000}});
        CHECK(texts(frames.feed(SteadyTime{Millis{c.at_ms}}, as_bytes(c.bytes))) == c.codes);
        CHECK(frames.lost().codes == c.lost);
        // Later codes are not touched.
        CHECK(texts(frames.feed(SteadyTime{Millis{c.at_ms}}, as_bytes("\x02"
                                                                      "B\r\x03")))
                  .size() == 1);
    }
}
