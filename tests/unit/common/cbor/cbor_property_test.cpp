// Random trees, the same ones every run: what is encoded decodes, nothing shorter does, and no item
// has a second form.
#include <cbor.h>
#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <random>

#include "common/cbor/cbor.hpp"

using namespace pf;
using namespace pf::cbor;

namespace {

constexpr int rounds = 2000;

class Trees {
public:
    Bytes next() {
        Encoder encoder;
        item(encoder, 4);
        return encoder.take();
    }

    std::uint64_t number() {  // every head form about as often
        const int bits = std::uniform_int_distribution{0, 64}(random_);
        return bits == 0 ? 0 : random_() >> (64 - bits);
    }

private:
    int below(int limit) { return std::uniform_int_distribution{0, limit - 1}(random_); }

    void item(Encoder& e, int depth) {
        switch (below(depth > 0 ? 8 : 6)) {
            case 0:
                e.uint(number());
                return;
            case 1:
                e.integer(-1 - static_cast<std::int64_t>(number() >> 1));
                return;
            case 2:
                e.bytes(Bytes(static_cast<std::size_t>(below(300)), 0xC0));
                return;
            case 3:
                text(e);
                return;
            case 4:
                e.boolean(below(2) == 1);
                return;
            case 5:
                e.null();
                return;
            case 6: {
                const int count = below(30);
                e.array(static_cast<std::size_t>(count));
                for (int i = 0; i < count; ++i) item(e, depth - 2);
                return;
            }
            case 7:
                map(e, depth);
                return;
        }
    }

    void text(Encoder& e) {
        static constexpr const char* characters[] = {"a", "é", "水", "😀"};
        std::string text;
        for (int n = below(40); n > 0; --n) text += characters[below(4)];
        e.text(text);
    }

    void map(Encoder& e, int depth) {
        std::vector<Bytes> keys;
        for (int n = below(8); n > 0; --n) {
            Encoder key;
            item(key, 0);
            keys.push_back(key.take());
        }
        std::ranges::sort(keys);
        keys.erase(std::ranges::unique(keys).begin(), keys.end());
        e.map(keys.size());
        for (const Bytes& key : keys) {
            e.raw(key);
            item(e, depth - 2);
        }
    }

    std::mt19937_64 random_{20260501};
};

/// Where each head of a canonical item begins.
void heads(BytesView input, std::size_t& at, std::vector<std::size_t>& found) {
    found.push_back(at);
    const Byte initial = input[at++];
    const int major = initial >> 5;
    const Byte info = initial & 0x1F;
    std::uint64_t value = info;
    if (info >= 24) {
        value = 0;
        for (int n = 1 << (info - 24); n > 0; --n) value = value << 8 | input[at++];
    }
    if (major == 2 || major == 3) at += static_cast<std::size_t>(value);
    const std::uint64_t items = major == 4 ? value : major == 5 ? value * 2 : 0;
    for (std::uint64_t i = 0; i < items && major < 6; ++i) heads(input, at, found);
}

/// The input with the head at `at` written in the form `info` (24 to 27), nothing when that form is
/// the one it has, or shorter, or it is no head with a value.
std::optional<Bytes> with_longer_head(BytesView input, std::size_t at, Byte info) {
    const Byte initial = input[at];
    if (initial >> 5 == 7) return std::nullopt;
    const Byte had = initial & 0x1F;
    if (info <= had) return std::nullopt;
    const std::size_t had_length = had < 24 ? 0 : std::size_t{1} << (had - 24);
    std::uint64_t value = had;
    if (had_length > 0) {
        value = 0;
        for (std::size_t i = 0; i < had_length; ++i) value = value << 8 | input[at + 1 + i];
    }
    Bytes out{input.begin(), input.begin() + static_cast<std::ptrdiff_t>(at)};
    out.push_back(static_cast<Byte>((initial & 0xE0) | info));
    for (int shift = 8 * (1 << (info - 24)) - 8; shift >= 0; shift -= 8) {
        out.push_back(static_cast<Byte>(value >> shift));
    }
    const BytesView tail = input.subspan(at + 1 + had_length);
    out.insert(out.end(), tail.begin(), tail.end());
    return out;
}

struct ReleaseItem {
    void operator()(cbor_item_t* item) const { cbor_decref(&item); }
};

}  // namespace

TEST_CASE("what is encoded is canonical, and libcbor reads the same from it") {
    Trees trees;
    for (int round = 0; round < rounds; ++round) {
        const Bytes tree = trees.next();
        CAPTURE(to_hex(tree));
        REQUIRE_FALSE(check(tree));
        CHECK_FALSE(diagnostic(tree).empty());

        cbor_load_result result{};
        const std::unique_ptr<cbor_item_t, ReleaseItem> item{
            cbor_load(tree.data(), tree.size(), &result)};
        REQUIRE(item);
        CHECK(result.read == tree.size());
        Bytes again(tree.size());
        REQUIRE(cbor_serialize(item.get(), again.data(), again.size()) == tree.size());
        CHECK(again == tree);
    }
}

TEST_CASE("no beginning of an item is an item") {
    Trees trees;
    for (int round = 0; round < rounds / 10; ++round) {
        const Bytes tree = trees.next();
        for (std::size_t size = 0; size < tree.size(); ++size) {
            const auto fault = check(BytesView{tree}.first(size));
            REQUIRE(fault);
            // A text may be cut inside a character, but then its length says so first.
            REQUIRE(*fault == Fault::truncated);
        }
    }
}

TEST_CASE("no head has a second form") {
    Trees trees;
    std::size_t tried = 0;
    for (int round = 0; round < rounds; ++round) {
        const Bytes tree = trees.next();
        std::vector<std::size_t> positions;
        std::size_t at = 0;
        heads(tree, at, positions);
        REQUIRE(at == tree.size());
        if (positions.size() > 60) positions.resize(60);
        for (const std::size_t position : positions) {
            for (Byte info = 24; info <= 27; ++info) {
                const auto longer = with_longer_head(tree, position, info);
                if (!longer) continue;
                ++tried;
                REQUIRE(check(*longer) == Fault::not_canonical);
            }
        }
    }
    CHECK(tried > 10000);
}

TEST_CASE("numbers of every size come back as they went in") {
    Trees trees;
    for (int round = 0; round < rounds; ++round) {
        const std::uint64_t number = trees.number();
        const auto negative = -1 - static_cast<std::int64_t>(number >> 1);
        const Bytes input = Encoder{}.uint(number).integer(negative).take();
        Decoder decoder{input};
        CHECK(decoder.uint() == number);
        CHECK(decoder.integer() == negative);
        decoder.finish();
        CHECK(decoder.ok());
    }
}
