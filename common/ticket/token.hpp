#pragma once
// The signed ticket a tourist carries: "PF1:" + Base45 of a COSE_Sign1. docs/protocol/ticket-v1.md.
#include <functional>
#include <string>
#include <string_view>

#include "common/base/result.hpp"
#include "common/crypto/crypto.hpp"
#include "common/ticket/claims.hpp"

namespace pf::ticket {

inline constexpr std::string_view prefix = "PF1:";
inline constexpr std::size_t text_chars_max = 1024;  // longer texts are refused unread
inline constexpr std::size_t payload_bytes_max = 512;

/// Why a text is not a ticket of ours that we can trust. Each has its own reason at the gate
/// (admission::Reason) and its own clause in ticket-v1.md section 6. Append, never reuse.
enum class Fault : std::uint8_t {
    no_prefix = 1,       // does not begin with "PF1:": ask the other carriers
    oversize = 2,        // text or payload longer than allowed
    not_base45 = 3,      // a character or a length RFC 9285 does not allow
    truncated = 4,       // the CBOR ends inside an item
    trailing_bytes = 5,  // two readings glued together
    duplicate_key = 6,
    not_canonical = 7,   // decodes, but would not encode to the same bytes
    unknown_header = 8,  // another algorithm, a header we do not know, anything unprotected
    bad_claims = 9,      // claims of another shape, or outside their ranges
    key_unknown = 10,    // our key ring is old or the ticket is foreign: a sync may cure it
    bad_signature = 11,
};
std::string_view to_text(Fault fault) noexcept;

struct Token {
    crypto::KeyId key;
    Claims claims;
};

/// Everything open() can tell without a key. `signed_bytes` is the Sig_structure of RFC 9052
/// section 4.4.
struct Unverified {
    Token token;
    Bytes signed_bytes;
    crypto::Signature signature;
    std::size_t cose_bytes;
};

/// Reads a scanned text, trusting nothing. Lower-case letters are refused (ticket-v1.md 2.3).
Result<Unverified, Fault> read(std::string_view text);

/// The key of that id, or null. Called at most once by open().
using FindKey = std::function<const crypto::PublicKey*(const crypto::KeyId&)>;

/// read(), then the signature.
Result<Token, Fault> open(std::string_view text, const FindKey& find_key);

/// The one text of a token with its signature: what read() took apart. The signature is not
/// checked.
std::string text_of(const Token& token, const crypto::Signature& signature);

/// Signs claims. The text to put into the QR code (alphanumeric mode).
std::string seal(const Claims& claims, const crypto::PrivateKey& key, const crypto::KeyId& id);

}  // namespace pf::ticket
