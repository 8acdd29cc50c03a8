#include "common/wire/documents.hpp"

#include <doctest/doctest.h>

#include "tests/support/fixed_entropy.hpp"
#include "tests/unit/common/wire/any_message.hpp"

using namespace pf;
using tests::Rng;

namespace {

template <class T>
void check_body(const char* name, T (*any)(Rng&), wire::Decoded<T> (*decode)(BytesView)) {
    CAPTURE(name);
    using wire::encode;  // a product table is not of this namespace
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        CAPTURE(seed);
        Rng rng{seed};
        const T body = any(rng);
        const Bytes bytes = encode(body);
        const auto again = decode(bytes);
        REQUIRE(again.has_value());
        CHECK(*again == body);
        CHECK(encode(*again) == bytes);
    }
    Rng rng{1000};
    Bytes bytes = encode(any(rng));
    for (std::size_t length = 0; length < bytes.size(); ++length) {
        REQUIRE_FALSE(decode(BytesView{bytes.data(), length}).has_value());
    }
    bytes.front() += 1;
    bytes.push_back(0x20);
    bytes.push_back(0x00);
    REQUIRE_FALSE(decode(bytes).has_value());
}

struct Fixture {
    tests::SeededEntropy entropy{77};
    crypto::PrivateKey authority = crypto::PrivateKey::generate(entropy);
    crypto::PrivateKey stranger = crypto::PrivateKey::generate(entropy);
    Rng rng{5};
    wire::Document document = tests::any_document(rng);
    Bytes bytes = sign(document, authority);

    std::string_view answer(BytesView of) const {
        const auto opened = wire::open_document(of, authority.public_key());
        return opened ? std::string_view{"ok"} : to_text(opened.error());
    }
};

/// The four parts of a document, to put together again.
struct Parts {
    std::uint64_t type;
    Bytes key, payload, signature;

    static Parts of(BytesView bytes) {
        cbor::Decoder in{bytes};
        in.array_of(4);
        const auto copy = [&] {
            const BytesView view = in.bytes(0, bytes.size());
            return Bytes(view.begin(), view.end());
        };
        const std::uint64_t type = in.uint();
        Bytes key = copy();
        Bytes payload = copy();
        return {type, key, payload, copy()};
    }
    Bytes joined() const {
        cbor::Encoder out;
        out.array(4).uint(type).bytes(key).bytes(payload).bytes(signature);
        return out.take();
    }
};

}  // namespace

TEST_CASE("document bodies come back as they went; cut and enlarged ones are refused") {
    check_body("list_manifest", tests::any_manifest, wire::decode_list_manifest);
    check_body("product_table", tests::any_product_table, wire::decode_product_table);
    check_body("configuration", tests::any_configuration, wire::decode_configuration);
    check_body("secrets", tests::any_secrets, wire::decode_secrets);
    check_body("command", tests::any_command, wire::decode_command);
}

TEST_CASE("a key ring holds keys, not any 65 bytes") {
    tests::SeededEntropy entropy{3};
    wire::KeyRing ring;
    for (int i = 0; i < 2; ++i) {
        ring.tickets.push_back(crypto::PrivateKey::generate(entropy).public_key());
    }
    const Bytes bytes = encode(ring);
    const auto again = wire::decode_key_ring(bytes);
    REQUIRE(again.has_value());
    CHECK(*again == ring);
    CHECK(wire::decode_key_ring(*from_hex("a10180")).has_value());

    Bytes off_curve = bytes;
    off_curve.back() ^= 1;
    CHECK(wire::decode_key_ring(off_curve).error() == cbor::Fault::out_of_range);
}

TEST_CASE("a product table's windows begin before they end") {
    const auto table = [](std::uint16_t from, std::uint16_t until) {
        cbor::Encoder out;
        out.map(3).key(1).map(2).key(1).integer(480).key(2).integer(0);
        out.key(2).array(1).map(3).key(1).uint(1).key(2).uint(from).key(3).uint(until);
        out.key(3).array(0);
        return wire::decode_product_table(out.view()).has_value();
    };
    CHECK(table(0, 1440));
    CHECK(table(600, 601));
    CHECK_FALSE(table(600, 600));
    CHECK_FALSE(table(601, 600));
    CHECK_FALSE(table(0, 1441));
}

TEST_CASE("a signed document opens with its authority's key and as it was") {
    Fixture f;
    for (std::uint64_t seed = 1; seed <= 8; ++seed) {
        CAPTURE(seed);
        Rng rng{seed};
        const wire::Document document = tests::any_document(rng);
        const auto opened =
            wire::open_document(sign(document, f.authority), f.authority.public_key());
        REQUIRE(opened.has_value());
        CHECK(*opened == document);
    }
}

TEST_CASE("a document that was touched does not open") {
    Fixture f;
    const Parts good = Parts::of(f.bytes);
    const auto with = [&](auto change) {
        Parts parts = good;
        change(parts);
        return f.answer(parts.joined());
    };
    CHECK(with([](Parts&) {}) == "ok");
    CHECK(f.answer(sign(f.document, f.stranger)) == "key_unknown");
    CHECK(with([](Parts& p) { p.payload.back() ^= 1; }) == "bad_signature");
    CHECK(with([](Parts& p) { p.signature.back() ^= 1; }) == "bad_signature");
    CHECK(with([](Parts& p) { p.type = p.type % 6 + 1; }) == "bad_signature");
    CHECK(with([](Parts& p) { p.type = 7; }) == "malformed");
    CHECK(with([](Parts& p) { p.key.pop_back(); }) == "malformed");
    CHECK(with([](Parts& p) { p.signature.pop_back(); }) == "malformed");
    CHECK(with([](Parts& p) { p.payload.clear(); }) == "malformed");
    // A stranger who names the authority's key gets no further than the signature.
    CHECK(with([&](Parts& p) {
              p.signature = Parts::of(sign(f.document, f.stranger)).signature;
          }) == "bad_signature");
    for (std::size_t length = 0; length < f.bytes.size(); ++length) {
        REQUIRE(f.answer(BytesView{f.bytes.data(), length}) == "malformed");
    }
    Bytes longer = f.bytes;
    longer.push_back(0);
    CHECK(f.answer(longer) == "malformed");
    CHECK(f.answer(Bytes(wire::document_bytes_max + 1)) == "malformed");
}

TEST_CASE("a payload that is no document is malformed even when signed") {
    Fixture f;
    const auto seal = [&](BytesView payload) {
        cbor::Encoder to_sign;
        to_sign.array(3).text("paifang/document/1").uint(2).bytes(payload);
        const auto signature = f.authority.sign(to_sign.view());
        Parts parts{2, {}, Bytes(payload.begin(), payload.end()), {}};
        const auto id = crypto::key_id(f.authority.public_key());
        parts.key.assign(id.begin(), id.end());
        parts.signature.assign(signature.begin(), signature.end());
        return f.answer(parts.joined());
    };
    CHECK(seal(*from_hex("a50107030104020500064101")) == "ok");
    CHECK(seal(*from_hex("a601070301040205000641010700")) == "malformed");
    CHECK(seal(*from_hex("a4010703010402064101")) == "malformed");
    CHECK(seal(*from_hex("01")) == "malformed");
}
