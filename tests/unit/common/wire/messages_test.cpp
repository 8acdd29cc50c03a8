#include "common/wire/messages.hpp"

#include <doctest/doctest.h>

#include "tests/unit/common/wire/any_message.hpp"

using namespace pf;
using tests::Rng;

namespace {

/// What a decoder says about some bytes, in one word.
template <class T>
std::string_view answer(wire::Decoded<T> (*decode)(BytesView), BytesView bytes) {
    const auto message = decode(bytes);
    return message ? std::string_view{"ok"} : cbor::to_text(message.error());
}

template <class T>
std::string_view answer(wire::Decoded<T> (*decode)(BytesView), std::string_view hex) {
    return answer(decode, *from_hex(hex));
}

/// Round trip, every truncation, one byte more, one key more.
template <class T>
void check_codec(const char* name, T (*any)(Rng&), wire::Decoded<T> (*decode)(BytesView)) {
    CAPTURE(name);
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        CAPTURE(seed);
        Rng rng{seed};
        const T message = any(rng);
        const Bytes bytes = encode(message);
        const auto again = decode(bytes);
        REQUIRE(again.has_value());
        CHECK(*again == message);
        CHECK(encode(*again) == bytes);
    }
    Rng rng{1000};
    Bytes bytes = encode(any(rng));
    const std::size_t step = 1 + bytes.size() / 400;
    for (std::size_t length = 0; length < bytes.size(); length += step) {
        REQUIRE_FALSE(decode(BytesView{bytes.data(), length}).has_value());
    }
    bytes.push_back(0x20);
    CHECK(answer(decode, bytes) == "trailing_bytes");
    bytes.front() += 1;  // one pair more in the map: its key is -1
    bytes.push_back(0x00);
    CHECK(answer(decode, bytes) == "out_of_range");
}

}  // namespace

TEST_CASE("messages come back as they went; cut, prolonged and enlarged ones are refused") {
    using namespace wire;
    check_codec("birth", tests::any_birth, decode_birth);
    check_codec<Will>(
        "will", [](Rng& r) { return Will{tests::any_u64(r)}; }, decode_will);
    check_codec("batch", tests::any_batch, decode_batch);
    check_codec("want", tests::any_want, decode_want);
    check_codec<Ping>(
        "ping", [](Rng& r) { return Ping{tests::any_u64(r)}; }, decode_ping);
    check_codec<Begins>(
        "begins", [](Rng& r) { return Begins{tests::any_cursor(r)}; }, decode_begins);
    check_codec("command_reply", tests::any_reply, decode_command_reply);
    check_codec("ack", tests::any_ack, decode_ack);
    check_codec("news", tests::any_news, decode_news);
    check_codec("buckets", tests::any_buckets, decode_buckets);
    check_codec("uses", tests::any_uses, decode_uses);
    check_codec<Time>(
        "time",
        [](Rng& r) {
            return Time{tests::any_u64(r), tests::any_wall(r)};
        },
        decode_time);
}

TEST_CASE("small messages, byte by byte") {
    struct Case {
        const char* why;
        const char* hex;
        const char* expect;
    };
    const Case pings[] = {
        {"a ping", "a10105", "ok"},
        {"empty", "", "truncated"},
        {"no nonce", "a0", "wrong_type"},
        {"nonce under another key", "a10205", "wrong_type"},
        {"negative nonce", "a10120", "wrong_type"},
        {"nonce written too wide", "a1011805", "not_canonical"},
        {"indefinite map", "bf0105ff", "indefinite"},
        {"nonce twice", "a201050105", "duplicate_key"},
        {"text key", "a1616105", "wrong_type"},
        {"an array", "810105", "wrong_type"},
        {"tagged", "c0a10105", "unsupported"},
    };
    for (const Case& c : pings) {
        CAPTURE(c.why);
        CHECK(answer(wire::decode_ping, c.hex) == c.expect);
    }
    const Case replies[] = {
        {"a reply", "a30150000102030405060708090a0b0c0d0e0f02010360", "ok"},
        {"id of 15 bytes", "a3014f000102030405060708090a0b0c0d0e02010360", "out_of_range"},
        {"state 0", "a30150000102030405060708090a0b0c0d0e0f02000360", "out_of_range"},
        {"state 6", "a30150000102030405060708090a0b0c0d0e0f02060360", "out_of_range"},
        {"detail not UTF-8", "a30150000102030405060708090a0b0c0d0e0f02010361ff", "bad_utf8"},
    };
    for (const Case& c : replies) {
        CAPTURE(c.why);
        CHECK(answer(wire::decode_command_reply, c.hex) == c.expect);
    }
}

TEST_CASE("a birth names each list once") {
    Rng rng{5};
    wire::Birth birth = tests::any_birth(rng);
    birth.lists = {{wire::ListScope::tickets, {1}, 2, {}}, {wire::ListScope::tickets, {1}, 3, {}}};
    CHECK(answer(wire::decode_birth, encode(birth)) == "duplicate_key");
    wire::News news;
    news.lists = birth.lists;
    CHECK(answer(wire::decode_news, encode(news)) == "duplicate_key");
}

TEST_CASE("limits hold on decode") {
    const auto batch_of = [](std::size_t events, std::size_t event_bytes) {
        cbor::Encoder out;
        out.map(6).key(1).text("gate-1").key(2).bytes(to_be8(1)).key(3).uint(1);
        out.key(4).bytes(Digest{}).key(5).array(events);
        for (std::size_t i = 0; i < events; ++i) out.bytes(Bytes(event_bytes));
        out.key(6).bytes(crypto::Signature{});
        return answer(wire::decode_batch, out.view());
    };
    const auto uses_of = [](std::size_t items) {
        wire::Uses uses;
        const Bytes none = encode(uses);
        uses.items = {{{*DeviceId::parse("gate-1"), {1}, 1}, {}, {}, {}, {}, 0, false, {}}};
        const Bytes whole = encode(uses);
        const BytesView one = BytesView{whole}.subspan(none.size());
        cbor::Encoder out;
        out.map(6).key(1).uint(0).key(2).uint(0).key(3).uint(0).key(4).uint(0).key(5).boolean(
            false);
        out.key(6).array(items);
        for (std::size_t i = 0; i < items; ++i) out.raw(one);
        return answer(wire::decode_uses, out.view());
    };
    const auto ack_of = [](std::size_t verdicts) {
        cbor::Encoder out;
        out.map(3).key(1).uint(1).key(2).map(3).key(1).bytes(to_be8(1)).key(2).uint(1);
        out.key(3).bytes(Digest{}).key(3).array(verdicts);
        for (std::size_t i = 0; i < verdicts; ++i) out.array(2).uint(i + 1).uint(1);
        return answer(wire::decode_ack, out.view());
    };
    const auto sums_of = [](std::size_t sums) {
        cbor::Encoder out;
        out.map(6).key(1).uint(1).key(2).uint(1).key(3).uint(1).key(4).uint(1).key(5).array(sums);
        for (std::size_t i = 0; i < sums; ++i) out.bytes(Digest{});
        out.key(6).bytes({});
        return answer(wire::decode_buckets, out.view());
    };
    struct Case {
        const char* why;
        std::string_view got;
        const char* expect;
    };
    const Case cases[] = {
        {"batch without events", batch_of(0, 1), "out_of_range"},
        {"batch of one", batch_of(1, 1), "ok"},
        {"batch of the most events", batch_of(wire::batch_events_max, 1), "ok"},
        {"one event too many", batch_of(wire::batch_events_max + 1, 1), "out_of_range"},
        {"largest event", batch_of(1, journal::event_bytes_max), "ok"},
        {"event too large", batch_of(1, journal::event_bytes_max + 1), "out_of_range"},
        {"empty event", batch_of(1, 0), "out_of_range"},
        {"batch of too many bytes", batch_of(wire::batch_events_max, 1024), "out_of_range"},
        {"most uses", uses_of(wire::uses_per_message_max), "ok"},
        {"one use too many", uses_of(wire::uses_per_message_max + 1), "out_of_range"},
        {"most verdicts", ack_of(wire::ack_verdicts_max), "ok"},
        {"one verdict too many", ack_of(wire::ack_verdicts_max + 1), "out_of_range"},
        {"all sums", sums_of(wire::bucket_count), "ok"},
        {"a sum missing", sums_of(wire::bucket_count - 1), "out_of_range"},
        {"a sum too many", sums_of(wire::bucket_count + 1), "out_of_range"},
    };
    for (const Case& c : cases) {
        CAPTURE(c.why);
        CHECK(c.got == c.expect);
    }
}

TEST_CASE("uses never run backwards") {
    CHECK(answer(wire::decode_uses,
                 "a60100020103050405"
                 "05f40680") == "ok");
    CHECK(answer(wire::decode_uses,
                 "a60100020103050404"
                 "05f40680") == "out_of_range");
}

TEST_CASE("the cursor after a batch follows from its bytes") {
    Rng rng{11};
    wire::Batch batch = tests::any_batch(rng);
    batch.first_seq = 5;
    batch.events = {*from_hex("01"), *from_hex("02")};
    const Digest after_one = journal::next_head(batch.head_before, batch.events[0]);
    const journal::Cursor expect{batch.epoch, 6, journal::next_head(after_one, batch.events[1])};
    CHECK(cursor_after(batch) == expect);
}
