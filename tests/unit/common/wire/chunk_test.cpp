#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>

#include "tests/unit/common/wire/any_message.hpp"

using namespace pf;

namespace {

std::string_view answer(BytesView bytes) {
    const auto chunk = wire::decode_chunk(bytes);
    return chunk ? std::string_view{"ok"} : cbor::to_text(chunk.error());
}

struct Row {
    std::uint64_t key;
    std::optional<std::uint64_t> body;
};

/// A page of `revoked` with the bodies and rows as told, right or not.
Bytes page_of(std::vector<Bytes> bodies, const std::vector<Row>& rows, std::uint64_t what = 1,
              std::uint64_t scope = 1) {
    cbor::Encoder out;
    out.map(12).key(1).uint(1).key(2).uint(what).key(3).uint(scope).key(4).uint(1);
    out.key(5).uint(1).key(6).uint(2).key(7).uint(0).key(8).boolean(true);
    out.key(9).array(bodies.size());
    for (const Bytes& body : bodies) out.bytes(body);
    out.key(10).array(2 * rows.size());
    for (const Row& row : rows) {
        out.bytes(to_be8(row.key));
        if (row.body) {
            out.uint(*row.body);
        } else {
            out.null();
        }
    }
    out.key(11).bytes({}).key(12).boolean(false);
    return out.take();
}

}  // namespace

TEST_CASE("chunks come back as they went; cut ones are refused") {
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        CAPTURE(seed);
        tests::Rng rng{seed};
        const wire::Chunk chunk = tests::any_chunk(rng);
        const Bytes bytes = encode(chunk);
        const auto again = wire::decode_chunk(bytes);
        REQUIRE(again.has_value());
        CHECK(*again == chunk);
        CHECK(encode(*again) == bytes);
    }
    tests::Rng rng{201};
    const Bytes bytes = encode(tests::any_chunk(rng));
    for (std::size_t length = 0; length < bytes.size(); length += 1 + bytes.size() / 300) {
        REQUIRE_FALSE(wire::decode_chunk(BytesView{bytes.data(), length}).has_value());
    }
}

TEST_CASE("a page has one spelling") {
    const Bytes a{1}, b{2};
    struct Case {
        const char* why;
        Bytes page;
        const char* expect;
    };
    const Case cases[] = {
        {"two rows, one body", page_of({a}, {{1, 0}, {2, 0}}), "ok"},
        {"two bodies in order of use", page_of({a, b}, {{1, 0}, {2, 1}, {3, 0}}), "ok"},
        {"no rows", page_of({}, {}), "ok"},
        {"only a deletion", page_of({}, {{1, {}}}), "ok"},
        {"bodies out of order of use", page_of({a, b}, {{1, 1}, {2, 0}}), "out_of_range"},
        {"a body nobody uses", page_of({a, b}, {{1, 0}}), "not_canonical"},
        {"a body twice", page_of({a, a}, {{1, 0}, {2, 1}}), "duplicate_key"},
        {"an index without body", page_of({a}, {{1, 0}, {2, 1}}), "out_of_range"},
        {"keys out of order", page_of({a}, {{2, 0}, {1, 0}}), "not_canonical"},
        {"a key twice", page_of({a}, {{1, 0}, {1, 0}}), "duplicate_key"},
        {"a key of the other list", page_of({a}, {{1, 0}}, 1, 2), "out_of_range"},
        {"a deletion in a snapshot", page_of({}, {{1, {}}}, 2), "wrong_type"},
        {"a deletion in a bucket", page_of({}, {{1, {}}}, 4), "wrong_type"},
        {"uses are no page", page_of({}, {}, 5), "out_of_range"},
        {"a body at its limit", page_of({Bytes(512)}, {{1, 0}}), "ok"},
        {"a body beyond its limit", page_of({Bytes(513)}, {{1, 0}}), "out_of_range"},
    };
    for (const Case& c : cases) {
        CAPTURE(c.why);
        CHECK(answer(c.page) == c.expect);
    }
}

TEST_CASE("a page's last row is whole") {
    Bytes page = page_of({}, {{1, {}}});
    // The rows are [key, null]; cut the null out and count one item less.
    const auto null = std::find(page.rbegin(), page.rend(), 0xf6);
    REQUIRE(null != page.rend());
    const auto at = std::prev(null.base());
    *(at - 10) = 0x81;  // the array's head, before the key's head and its eight bytes
    page.erase(at);
    CHECK(answer(page) == "out_of_range");
}

TEST_CASE("two thousand typical tickets cost at most 30 bytes a row") {
    // A busy day: two thousand tickets of four products over five days, four person types.
    tests::Rng rng{42};
    std::map<Bytes, wire::ListRow> rows;
    while (rows.size() < wire::chunk_rows_max) {
        const Day first{20'574 + static_cast<int>(rng.below(5))};
        wire::Carried carried{admission::CarrierKind::code, tests::any_array<16>(rng), {}};
        carried.claims.id = {rng.next()};
        carried.claims.person_type = tests::any_enum(rng, ticket::PersonType::student);
        carried.claims.entitlements = {{.site = {7},
                                        .product = {static_cast<std::uint32_t>(rng.below(4)) + 1},
                                        .first_day = first,
                                        .last_day = first,
                                        .window = {}}};
        wire::ListRow row = row_of(carried);
        rows.emplace(row.key, row);
    }
    wire::Chunk chunk;
    chunk.what = wire::Want::What::snapshot;
    chunk.scope = wire::ListScope::tickets;
    wire::ChunkRoom room;
    for (const auto& [key, row] : rows) {
        REQUIRE(room.take(row));
        chunk.rows.push_back(row);
    }
    const Bytes bytes = encode(chunk);
    CHECK(bytes.size() <= 30 * chunk.rows.size());
    const auto again = wire::decode_chunk(bytes);
    REQUIRE(again.has_value());
    CHECK(*again == chunk);
    CHECK_FALSE(room.take(chunk.rows.front()));  // full by count

    // One row more is refused, however few bytes it has.
    std::vector<Row> many;
    for (std::uint64_t i = 0; i <= wire::chunk_rows_max; ++i) many.push_back({i, 0});
    CHECK(answer(page_of({Bytes{1}}, many)) == "out_of_range");
    many.pop_back();
    CHECK(answer(page_of({Bytes{1}}, many)) == "ok");
}

TEST_CASE("what has room in a page fits into its bytes") {
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        CAPTURE(seed);
        tests::Rng rng{seed};
        wire::Chunk chunk;
        chunk.scope = wire::ListScope::tickets;
        chunk.request = chunk.from_version = chunk.to_version = INT64_MAX;
        chunk.generation = {UINT64_MAX};
        chunk.manifest = Bytes(wire::manifest_bytes_max);
        wire::ChunkRoom room;
        std::set<Bytes> keys;
        while (keys.size() < wire::chunk_rows_max) keys.insert(tests::any_bytes(rng, 25, 25));
        for (const Bytes& key : keys) {
            wire::ListRow row{key, Bytes(40 + rng.below(400))};
            row.body->front() = static_cast<Byte>(rng.below(seed == 1 ? 1 : 256));
            if (!room.take(row)) break;
            chunk.rows.push_back(row);
        }
        const std::size_t bytes = encode(chunk).size();
        CHECK(bytes <= wire::chunk_bytes_max);
        if (seed > 1) CHECK(bytes > wire::chunk_bytes_max * 9 / 10);
        CHECK(wire::decode_chunk(encode(chunk)).has_value());
    }
    Bytes large = page_of({}, {});
    large.resize(wire::chunk_bytes_max + 1);
    CHECK(answer(large) == "out_of_range");
}
