#include "firmware/scan/look.hpp"

#include <doctest/doctest.h>

#include <string>
#include <thread>

using namespace pf;
using namespace pf::firmware::scan;
using pf::firmware::ports::ScannedCode;

namespace {

Look frame(const std::string& text) {
    return {.at = {}, .will_repeat = true, .codes = {{to_bytes(text), "camera", "plain"}}};
}
Look line(const std::string& text) {
    return {.at = {}, .will_repeat = false, .codes = {{to_bytes(text), "serial", ""}}};
}
std::string taken(LookQueue& queue) {
    std::string all;
    for (const Look& look : queue.take()) all += as_text(look.codes.front().bytes);
    return all;
}

}  // namespace

TEST_CASE("a full queue of three lets camera frames go first and counts what it loses") {
    struct Case {
        const char* why;
        std::string pushed;  // lower case: a camera frame, upper case: a serial code
        std::string left;
        std::uint64_t frames, codes;
    };
    const Case cases[] = {
        {"not full", "aBc", "aBc", 0, 0},
        {"the oldest frame goes", "abcd", "bcd", 1, 0},
        {"a frame goes before an older code", "AbCD", "ACD", 1, 0},
        {"a frame does not push codes out", "ABCd", "ABC", 1, 0},
        {"only codes: the oldest goes, counted", "ABCD", "BCD", 0, 1},
    };
    for (const Case& c : cases) {
        CAPTURE(c.why);
        LookQueue queue{[] {}, 3};
        for (const char letter : c.pushed) {
            queue.push(letter >= 'a' ? frame(std::string(1, letter))
                                     : line(std::string(1, letter)));
        }
        CHECK(queue.dropped().frames == c.frames);
        CHECK(queue.dropped().codes == c.codes);
        CHECK(taken(queue) == c.left);
    }
}

TEST_CASE("the queue wakes the executor once for all that waits") {
    int wakes = 0;
    LookQueue queue{[&] { ++wakes; }};
    queue.push(line("A"));
    queue.push(line("B"));
    CHECK(wakes == 1);
    CHECK(taken(queue) == "AB");
    queue.push(line("C"));
    CHECK(wakes == 2);
}

TEST_CASE("looks pushed by several threads arrive, each thread's in order") {
    LookQueue queue{[] {}, 1000};
    const auto push_all = [&](char letter) {
        for (int i = 0; i < 200; ++i) queue.push(line(letter + std::to_string(i)));
    };
    std::thread a{push_all, 'a'};
    std::thread b{push_all, 'b'};
    a.join();
    b.join();
    int next_a = 0;
    int next_b = 0;
    for (const Look& look : queue.take()) {
        const std::string text{as_text(look.codes.front().bytes)};
        int& next = text.front() == 'a' ? next_a : next_b;
        CHECK(text.substr(1) == std::to_string(next));
        ++next;
    }
    CHECK(next_a == 200);
    CHECK(next_b == 200);
}

TEST_CASE("the lane's scanner hands on scans, not sightings, over all sources") {
    LaneScanner scanner;
    std::string heard;
    scanner.on_code([&](ScannedCode code) {
        heard += as_text(code.bytes);
        return true;
    });
    const auto see = [&](int at_ms, Look look) {
        look.at = SteadyTime{Millis{at_ms}};
        scanner.see(std::move(look));
    };
    see(0, frame("A"));
    see(100, frame("A"));
    see(200, line("A"));  // the module beside the camera saw the same telephone
    see(300, line("B"));
    see(400, frame("A"));
    CHECK(heard == "ABA");
}

TEST_CASE("one code answers for its frame; the others are not asked") {
    struct Case {
        const char* why;
        std::string frame;
        std::string heard;
        std::string later;
    };
    // Upper case: a ticket, which answers; lower case: a sticker, which does not.
    const Case cases[] = {
        {"two telephones in one frame: the first", "AB", "A", "B"},
        {"a sticker before the ticket", "aB", "aB", ""},
        {"a sticker behind it does not take the answer away", "Ab", "A", "b"},
        {"three telephones, one after the other", "ABC", "A", "BC"},
        {"stickers only", "ab", "ab", ""},
    };
    for (const Case& c : cases) {
        CAPTURE(c.why);
        LaneScanner scanner;
        std::string heard;
        scanner.on_code([&](ScannedCode code) {
            heard += as_text(code.bytes);
            return code.bytes.front() < 'a';
        });
        Look look{.at = {}, .will_repeat = true, .codes = {}};
        for (const char letter : c.frame)
            look.codes.push_back({to_bytes(std::string(1, letter)), "camera", "plain"});
        const auto see = [&](int at_ms) {
            look.at = SteadyTime{Millis{at_ms}};
            scanner.see(look);
        };
        for (int at_ms = 0; at_ms < 5000; at_ms += 100) see(at_ms);
        CHECK(heard == c.heard);
        // Who was not asked and is still held there is asked then, once.
        for (int at_ms = 5000; at_ms < 14000; at_ms += 100) see(at_ms);
        CHECK(heard == c.heard + c.later);
    }
}
