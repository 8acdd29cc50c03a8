// The envelope of what the site authority signs. docs/protocol/sync-v1.md, section 6.
#include "common/wire/documents.hpp"

#include "common/wire/payload.hpp"

namespace pf::wire {

namespace {

constexpr std::string_view signature_context = "paifang/document/1";
constexpr Upto type_shape{DocumentType::command};

/// CBOR ["paifang/document/1", type, payload]
Bytes bytes_to_sign(DocumentType type, BytesView payload) {
    cbor::Encoder out;
    out.array(3).text(signature_context).uint(static_cast<std::uint64_t>(type)).bytes(payload);
    return out.take();
}

}  // namespace

/// The type travels outside, where the signature covers it too.
void fields(auto& io, Of<Document> auto& v) {
    io(1, v.site);
    io.maybe(2, v.device);
    io(3, v.generation);
    io(4, v.version, counter_shape);
    io(5, v.issued_at);
    io(6, v.body, Blob{0, document_bytes_max});
}

std::string_view to_text(DocumentFault fault) noexcept {
    switch (fault) {
        case DocumentFault::malformed:
            return "malformed";
        case DocumentFault::key_unknown:
            return "key_unknown";
        case DocumentFault::bad_signature:
            return "bad_signature";
        case DocumentFault::other_site:
            return "other_site";
        case DocumentFault::other_device:
            return "other_device";
        case DocumentFault::other_type:
            return "other_type";
    }
    return "unknown_fault";
}

Bytes sign(const Document& document, const crypto::PrivateKey& authority) {
    const Bytes payload = payload_of(document, document_bytes_max);
    cbor::Encoder out;
    out.array(4);
    type_shape.put(out, document.type);
    out.bytes(crypto::key_id(authority.public_key())).bytes(payload);
    out.bytes(authority.sign(bytes_to_sign(document.type, payload)));
    assert(out.view().size() <= document_bytes_max);
    return out.take();
}

Result<Document, DocumentFault> open_document(BytesView bytes, const crypto::PublicKey& authority) {
    if (bytes.size() > document_bytes_max) return DocumentFault::malformed;
    cbor::Decoder in{bytes};
    DocumentType type{};
    crypto::KeyId key{};
    crypto::Signature signature{};
    in.array_of(4);
    type_shape.get(in, type);
    Plain{}.get(in, key);
    const BytesView payload = in.bytes(1, document_bytes_max);
    Plain{}.get(in, signature);
    in.leave();
    in.finish();
    if (!in.ok()) return DocumentFault::malformed;
    if (key != crypto::key_id(authority)) return DocumentFault::key_unknown;
    if (!authority.verify(bytes_to_sign(type, payload), signature)) {
        return DocumentFault::bad_signature;
    }
    auto document = message_from<Document>(payload, document_bytes_max);
    if (!document) return DocumentFault::malformed;
    document->type = type;
    return std::move(*document);
}

}  // namespace pf::wire
