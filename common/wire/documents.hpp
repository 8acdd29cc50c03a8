#pragma once
// What the site authority signs: manifests, key rings, product tables, configuration, commands.
// docs/protocol/sync-v1.md, section 6.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/admission/decide.hpp"
#include "common/wire/messages.hpp"

namespace pf::wire {

enum class DocumentType : std::uint8_t {
    list_manifest = 1,
    key_ring = 2,
    product_table = 3,
    configuration = 4,
    secrets = 5,  // only ever sent to the device it names
    command = 6,
};
/// Those a device keeps one of and is told the newest version of (News, Birth).
inline constexpr DocumentType kept_documents[] = {
    DocumentType::key_ring, DocumentType::product_table, DocumentType::configuration,
    DocumentType::secrets};

/// The envelope every signed document shares.
struct Document {
    DocumentType type = DocumentType::key_ring;
    SiteId site;
    std::optional<DeviceId> device;  // only for that device
    Generation generation;
    std::uint64_t version = 0;  // rises; orders documents of one type within a generation
    WallTime issued_at;
    Bytes body;
    friend bool operator==(const Document&, const Document&) = default;
};

enum class DocumentFault : std::uint8_t {
    malformed = 1,
    key_unknown,
    bad_signature,
    other_site,
    other_device,
    other_type
};
std::string_view to_text(DocumentFault fault) noexcept;

/// CBOR [type, key id, payload, signature]; the signature covers ["paifang/document/1", type,
/// payload].
Bytes sign(const Document& document, const crypto::PrivateKey& authority);
/// Checks shape and signature; the caller checks site, device, version and generation against its
/// own.
Result<Document, DocumentFault> open_document(BytesView bytes, const crypto::PublicKey& authority);

struct ListManifest {
    ListScope scope = ListScope::revoked;
    Digest root{};  // list_root() of the 256 bucket sums
    std::uint64_t rows = 0;
    WallTime fresh_until;
    friend bool operator==(const ListManifest&, const ListManifest&) = default;
};

struct KeyRing {
    std::vector<crypto::PublicKey> tickets;  // keys that sign tickets, by crypto::key_id
    friend bool operator==(const KeyRing&, const KeyRing&) = default;
};

struct LaneSettings {
    std::uint32_t pulse_ms = 200;
    std::uint32_t passage_wait_ms = 5'000;
    friend bool operator==(const LaneSettings&, const LaneSettings&) = default;
};

/// Remote coding 远程编码: what this device stands for.
struct Configuration {
    std::string number;  // the device's number as people say it
    std::string name_zh;
    std::string name_en;
    DeviceKind kind = DeviceKind::gate;
    SpotId spot;
    PointId point;
    std::vector<ProductId> products;  // it may check; empty: every product of its site
    LaneSettings lane;
    std::uint32_t online_within_ms = 60'000;  // the server was heard this recently: "online"
    friend bool operator==(const Configuration&, const Configuration&) = default;
};

struct SiteKey {
    std::uint16_t id = 0;
    std::array<Byte, 32> key{};
    friend bool operator==(const SiteKey&, const SiteKey&) = default;
};

/// Keys for carriers (codes, documents, cards) and holders; two of each during rotation, newest
/// first.
struct Secrets {
    std::vector<SiteKey> carrier_keys;
    std::vector<SiteKey> holder_keys;
    friend bool operator==(const Secrets&, const Secrets&) = default;
};

/// Invariant 8: does nothing at or after `expires_at`, or when the device can't tell the time.
struct Command {
    std::array<Byte, 16> id{};
    CommandKind kind = CommandKind::open;
    WallTime expires_at;
    std::string issuer;          // staff number
    std::uint16_t persons = 1;   // open
    std::string text;            // test_scan: the code; open: the reason given
    std::uint64_t from_seq = 0;  // resend
    friend bool operator==(const Command&, const Command&) = default;
};

Bytes encode(const ListManifest&);
Bytes encode(const KeyRing&);
Bytes encode(const admission::ProductTable&);  // site and version travel in the envelope
/// What encode() would have, also beyond document_bytes_max; lists within their limits.
std::size_t encoded_bytes(const admission::ProductTable&);
Bytes encode(const Configuration&);
Bytes encode(const Secrets&);
Bytes encode(const Command&);
Decoded<ListManifest> decode_list_manifest(BytesView);
Decoded<KeyRing> decode_key_ring(BytesView);
Decoded<admission::ProductTable> decode_product_table(BytesView);
Decoded<Configuration> decode_configuration(BytesView);
Decoded<Secrets> decode_secrets(BytesView);
Decoded<Command> decode_command(BytesView);

}  // namespace pf::wire
