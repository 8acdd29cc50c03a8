#include <doctest/doctest.h>

#include "common/journal/event.hpp"
#include "tests/unit/common/journal/any_event.hpp"

using namespace pf;
using journal::Fault;

namespace {

constexpr std::size_t kinds = std::variant_size_v<journal::Body>;

/// What decoding says, in one word.
std::string_view answer(BytesView bytes) {
    const auto event = journal::decode(bytes);
    return event ? std::string_view{"ok"} : to_text(event.error());
}

/// An event with `kind` and `body`, both as told, right or not.
Bytes event_of(std::uint64_t kind, BytesView body) {
    cbor::Encoder out;
    out.array(7).uint(9).uint(kind).integer(-5).integer(7).bytes(to_be8(3)).uint(4).raw(body);
    return out.take();
}

Bytes event_of(std::uint64_t kind, std::string_view body_hex) {
    return event_of(kind, *from_hex(body_hex));
}

}  // namespace

TEST_CASE("kind numbers and words are in every journal ever written") {
    struct Case {
        journal::Body body;
        int number;
        const char* word;
    };
    const Case cases[] = {
        {journal::EpochOpened{}, 1, "epoch_opened"},
        {journal::Booted{}, 2, "booted"},
        {journal::ClockChanged{}, 3, "clock_changed"},
        {journal::Admitted{}, 4, "admitted"},
        {journal::Refused{}, 5, "refused"},
        {journal::Outcome{}, 6, "outcome"},
        {journal::LaneAlarm{}, 7, "lane_alarm"},
        {journal::ListApplied{}, 8, "list_applied"},
        {journal::CommandDone{}, 9, "command_done"},
        {journal::Finding{}, 10, "finding"},
        {journal::Opened{}, 11, "opened"},
        {journal::LetIn{}, 12, "let_in"},
    };
    CHECK(std::size(cases) == kinds);
    for (const Case& c : cases) {
        CAPTURE(c.word);
        CHECK(int{kind_of(c.body)} == c.number);
        CHECK(kind_text(c.body) == c.word);
    }
}

TEST_CASE("every kind comes back as it went, whatever it holds") {
    for (std::uint64_t seed = 1; seed <= 300; ++seed) {
        CAPTURE(seed);
        tests::Rng rng{seed};
        for (std::size_t kind = 0; kind < kinds; ++kind) {
            CAPTURE(kind);
            const journal::Event event = tests::any_event(rng, kind);
            const Bytes bytes = encode(event);
            CHECK(bytes.size() <= journal::event_bytes_max);
            const auto again = journal::decode(bytes);
            REQUIRE(again.has_value());
            CHECK(*again == event);
            CHECK(*journal::seq_of(bytes) == event.seq);
        }
    }
}

TEST_CASE("an event cut short or run on is malformed") {
    tests::Rng rng{7};
    for (std::size_t kind = 0; kind < kinds; ++kind) {
        CAPTURE(kind);
        Bytes bytes = encode(tests::any_event(rng, kind));
        for (std::size_t length = 0; length < bytes.size(); ++length) {
            const BytesView cut{bytes.data(), length};
            REQUIRE(answer(cut) == "malformed");
            REQUIRE_FALSE(journal::seq_of(cut).has_value());
        }
        bytes.push_back(0);
        CHECK(answer(bytes) == "malformed");
        CHECK_FALSE(journal::seq_of(bytes).has_value());
    }
}

TEST_CASE("an event of a kind from newer firmware is named unknown, and keeps its seq") {
    struct Case {
        const char* why;
        std::uint64_t kind;
        const char* body;
        const char* expect;
    };
    const Case cases[] = {
        {"next kind, a body of its own", 13, "a201f50243010203", "kind_unknown"},
        {"largest kind", 255, "a0", "kind_unknown"},
        {"kind beyond a byte", 256, "a0", "malformed"},
        {"kind zero", 0, "a0", "malformed"},
        {"body is no map", 11, "80", "malformed"},
        {"body not canonical", 11, "a1180101", "malformed"},
        {"body with a key twice", 11, "a201010101", "malformed"},
    };
    for (const Case& c : cases) {
        CAPTURE(c.why);
        const Bytes bytes = event_of(c.kind, c.body);
        CHECK(answer(bytes) == c.expect);
        const bool unknown = c.expect == std::string_view{"kind_unknown"};
        CHECK(journal::seq_of(bytes).has_value() == unknown);
        if (unknown) CHECK(*journal::seq_of(bytes) == 9);
    }
}

TEST_CASE("a body of a known kind holds exactly its fields, in their ranges") {
    struct Case {
        const char* why;
        std::uint64_t kind;
        const char* body;
        const char* expect;
    };
    const Case cases[] = {
        {"let in", 12, "a3010d02010304", "ok"},
        {"let in during an emergency", 12, "a3010d02010306", "ok"},
        {"let in and undone", 12, "a3010d02010305", "malformed"},
        {"let in somehow", 12, "a3010d02010307", "malformed"},
        {"let in nohow", 12, "a3010d02010300", "malformed"},
        {"booted", 2, "a10163312e30", "ok"},
        {"booted without firmware", 2, "a0", "malformed"},
        {"booted with an unknown key", 2, "a20163312e300201", "malformed"},
        {"booted with an unknown key only", 2, "a10201", "malformed"},
        {"firmware is bytes", 2, "a10143312e30", "malformed"},
        {"firmware with a line break", 2, "a10163310a30", "malformed"},
        {"firmware not ASCII", 2, "a10163e997b8", "malformed"},
        {"outcome", 6, "a40101020103000401", "ok"},
        {"outcome of grant 0", 6, "a40100020103000401", "malformed"},
        {"outcome how 0", 6, "a40101020103000400", "malformed"},
        {"outcome how 7", 6, "a40101020103000407", "malformed"},
        {"outcome passed 999", 6, "a40101021903e703000401", "ok"},
        {"outcome passed 1000", 6, "a40101021903e803000401", "malformed"},
        {"alarm without grant", 7, "a10101", "ok"},
        {"alarm with grant", 7, "a201010205", "ok"},
        {"alarm with null for an absent grant", 7, "a2010102f6", "malformed"},
        {"refused, reason 10", 5, "a3010a020206f4", "ok"},
        {"refused, reason 3 is none", 5, "a30103020206f4", "malformed"},
        {"refused, carrier 5 is none", 5, "a3010a020506f4", "malformed"},
        {"refused, fields out of order", 5, "a3010a06f40202", "malformed"},
        {"refused, hash of 7 bytes", 5, "a4010a020204470102030405060706f4", "malformed"},
        {"finding", 10, "a201616102617a", "ok"},
        {"finding without code", 10, "a2016002617a", "malformed"},
        {"finding code in upper case", 10, "a201614102617a", "malformed"},
        {"finding detail not UTF-8", 10, "a20161610261ff", "malformed"},
        {"clock moved beyond 64 bits", 3, "a20101021bffffffffffffffff", "malformed"},
    };
    for (const Case& c : cases) {
        CAPTURE(c.why);
        CHECK(answer(event_of(c.kind, c.body)) == c.expect);
    }
}

TEST_CASE("texts end at their limits") {
    const auto booted = [](std::size_t length) {
        cbor::Encoder out;
        out.map(1).key(1).text(std::string(length, 'v'));
        return answer(event_of(2, out.view()));
    };
    CHECK(booted(journal::firmware_chars_max) == "ok");
    CHECK(booted(journal::firmware_chars_max + 1) == "malformed");

    const auto found = [](std::size_t code, std::size_t detail) {
        cbor::Encoder out;
        out.map(2).key(1).text(std::string(code, 'c')).key(2).text(std::string(detail, 'd'));
        return answer(event_of(10, out.view()));
    };
    CHECK(found(32, 200) == "ok");
    CHECK(found(33, 200) == "malformed");
    CHECK(found(32, 201) == "malformed");
}

TEST_CASE("the head of an event: seq from 1, no negative steady time, known clock quality") {
    const Bytes body = *from_hex("a10163312e30");
    const auto with = [&](std::uint64_t seq, std::int64_t wall, std::int64_t steady, int clock) {
        cbor::Encoder out;
        out.array(7).uint(seq).uint(2).integer(wall).integer(steady).bytes(to_be8(3));
        out.uint(static_cast<std::uint64_t>(clock)).raw(body);
        return answer(out.view());
    };
    CHECK(with(1, -1, 0, 1) == "ok");
    CHECK(with(INT64_MAX, INT64_MIN, INT64_MAX, 4) == "ok");
    CHECK(with(0, 0, 0, 1) == "malformed");
    CHECK(with(std::uint64_t{INT64_MAX} + 1, 0, 0, 1) == "malformed");
    CHECK(with(1, 0, -1, 1) == "malformed");
    CHECK(with(1, 0, 0, 0) == "malformed");
    CHECK(with(1, 0, 0, 5) == "malformed");

    cbor::Encoder eight;
    eight.array(8).uint(1).uint(2).integer(0).integer(0).bytes(to_be8(3)).uint(1).raw(body).uint(0);
    CHECK(answer(eight.view()) == "malformed");
    CHECK_FALSE(journal::seq_of(eight.view()).has_value());
}

TEST_CASE("an event longer than the limit is refused unread") {
    cbor::Encoder out;
    out.map(1).key(1).bytes(Bytes(journal::event_bytes_max));
    CHECK(answer(event_of(11, out.view())) == "malformed");
    CHECK_FALSE(journal::seq_of(event_of(11, out.view())).has_value());
}

TEST_CASE("a finding's detail is cut between characters") {
    CHECK(journal::finding("fork", "short").detail == "short");
    std::string text(journal::detail_bytes_max - 1, 'a');
    CHECK(journal::finding("fork", text + "闸").detail == text);
    CHECK(journal::finding("fork", text + "b闸").detail == text + "b");
    tests::Rng rng{3};
    const journal::Finding long_one = journal::finding("fork", std::string(500, 'x'));
    CHECK(long_one.detail.size() == journal::detail_bytes_max);
}
