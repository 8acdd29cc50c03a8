// docs/protocol/ticket-v1.md, sections 2, 3, 5 and 6. Clause numbers below are that document's.
#include "common/ticket/token.hpp"

#include <algorithm>
#include <cassert>
#include <cstdlib>

#include "common/base/base45.hpp"

namespace pf::ticket {
namespace {

// 3.2
constexpr std::int64_t header_algorithm = 1;
constexpr std::int64_t algorithm_es256 = -7;
constexpr std::int64_t header_key_id = 4;

Bytes protected_header(const crypto::KeyId& key) {
    cbor::Encoder out;
    out.map(2).key(header_algorithm).integer(algorithm_es256).key(header_key_id).bytes(key);
    return out.take();
}

/// 5.1: Sig_structure of RFC 9052 section 4.4, with an empty external_aad.
Bytes sig_structure(BytesView header, BytesView payload) {
    cbor::Encoder out;
    out.array(4).text("Signature1").bytes(header).bytes({}).bytes(payload);
    return out.take();
}

/// What a fault of form is called (6.4, 6.6, 6.7); `shape` is what anything else means in this
/// part of the token.
Fault fault_of(cbor::Fault fault, Fault shape) {
    switch (fault) {
        case cbor::Fault::truncated:
            return Fault::truncated;
        case cbor::Fault::trailing_bytes:
            return Fault::trailing_bytes;
        case cbor::Fault::duplicate_key:
            return Fault::duplicate_key;
        case cbor::Fault::not_canonical:
        case cbor::Fault::indefinite:
            return Fault::not_canonical;
        case cbor::Fault::unsupported:
        case cbor::Fault::wrong_type:
        case cbor::Fault::out_of_range:
        case cbor::Fault::too_deep:
        case cbor::Fault::bad_utf8:
            return shape;
    }
    std::abort();
}

/// The parts of a COSE_Sign1; views into what was read.
struct Envelope {
    BytesView header;
    BytesView payload;
    crypto::Signature signature{};
};

Result<Envelope, Fault> read_envelope(BytesView cose) {
    // The form of the whole comes before the meaning of any part of it (6.4), so that a torn or
    // doubled reading is named as what it is.
    if (const auto fault = cbor::check(cose)) return fault_of(*fault, Fault::unknown_header);

    cbor::Decoder in{cose};
    Envelope out;
    in.array_of(4);
    out.header = in.bytes(0, SIZE_MAX);
    in.map(0);  // 3.3: nothing is unprotected
    in.leave();
    out.payload = in.bytes(0, SIZE_MAX);
    const BytesView signature = in.bytes(out.signature.size(), out.signature.size());
    in.finish();
    if (!in.ok()) return Fault::unknown_header;
    std::copy(signature.begin(), signature.end(), out.signature.begin());
    if (out.payload.size() > payload_bytes_max) return Fault::oversize;
    return out;
}

Result<crypto::KeyId, Fault> read_header(BytesView header) {
    if (const auto fault = cbor::check(header)) return fault_of(*fault, Fault::unknown_header);

    cbor::Decoder in{header};
    crypto::KeyId key{};
    in.map(2);
    const bool is_es256 = in.key() == header_algorithm &&
                          in.integer(algorithm_es256, algorithm_es256) == algorithm_es256;
    const bool names_key = in.key() == header_key_id;
    const BytesView id = in.bytes(key.size(), key.size());
    if (!in.ok() || !is_es256 || !names_key) return Fault::unknown_header;
    std::copy(id.begin(), id.end(), key.begin());
    return key;
}

Result<Claims, Fault> read_claims(BytesView payload) {
    if (const auto fault = cbor::check(payload)) return fault_of(*fault, Fault::bad_claims);
    cbor::Decoder in{payload};
    Claims claims = decode_claims(in);
    in.finish();
    if (!in.ok()) return Fault::bad_claims;
    return claims;
}

}  // namespace

std::string_view to_text(Fault fault) noexcept {
    switch (fault) {
        case Fault::no_prefix:
            return "no_prefix";
        case Fault::oversize:
            return "oversize";
        case Fault::not_base45:
            return "not_base45";
        case Fault::truncated:
            return "truncated";
        case Fault::trailing_bytes:
            return "trailing_bytes";
        case Fault::duplicate_key:
            return "duplicate_key";
        case Fault::not_canonical:
            return "not_canonical";
        case Fault::unknown_header:
            return "unknown_header";
        case Fault::bad_claims:
            return "bad_claims";
        case Fault::key_unknown:
            return "key_unknown";
        case Fault::bad_signature:
            return "bad_signature";
    }
    std::abort();  // a value outside the enum: memory is corrupt
}

// The order of these steps is section 6: the first that fails gives the reason.
Result<Unverified, Fault> read(std::string_view text) {
    if (!text.starts_with(prefix)) return Fault::no_prefix;
    if (text.size() > text_chars_max) return Fault::oversize;
    const auto cose = base45_decode(text.substr(prefix.size()));
    if (!cose) return Fault::not_base45;
    const auto envelope = read_envelope(*cose);
    if (!envelope) return envelope.error();
    const auto key = read_header(envelope->header);
    if (!key) return key.error();
    auto claims = read_claims(envelope->payload);
    if (!claims) return claims.error();
    return Unverified{.token = {.key = *key, .claims = std::move(*claims)},
                      .signed_bytes = sig_structure(envelope->header, envelope->payload),
                      .signature = envelope->signature,
                      .cose_bytes = cose->size()};
}

Result<Token, Fault> open(std::string_view text, const FindKey& find_key) {
    auto unverified = read(text);
    if (!unverified) return unverified.error();
    const crypto::PublicKey* key = find_key(unverified->token.key);
    if (key == nullptr) return Fault::key_unknown;
    if (!key->verify(unverified->signed_bytes, unverified->signature)) {
        return Fault::bad_signature;
    }
    return std::move(unverified->token);
}

std::string text_of(const Token& token, const crypto::Signature& signature) {
    const Bytes payload = encode(token.claims);
    assert(payload.size() <= payload_bytes_max);
    cbor::Encoder out;
    out.array(4).bytes(protected_header(token.key)).map(0).bytes(payload).bytes(signature);
    return std::string{prefix} + base45_encode(out.take());
}

std::string seal(const Claims& claims, const crypto::PrivateKey& key, const crypto::KeyId& id) {
    const Bytes to_sign = sig_structure(protected_header(id), encode(claims));
    return text_of({.key = id, .claims = claims}, key.sign(to_sign));
}

}  // namespace pf::ticket
