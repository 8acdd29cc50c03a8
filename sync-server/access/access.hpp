#pragma once
// Who asks, may they, what did they do, and did they ask before. Pure: repositories in, rows out.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/base/result.hpp"
#include "common/base/time.hpp"
#include "sync-server/access/permissions.hpp"
#include "sync-server/store/transaction.hpp"

namespace pf::server::access {

// --- keys
// --------------------------------------------------------------------------------------------

struct Key {
    std::string id;    // 16 hexadecimal digits: names the key in logs and in the audit
    std::string name;  // who acts with it: the actor of every call
    Permissions permissions;
    std::string created_by;
    WallTime created_at;
    std::optional<WallTime> revoked_at;
};

enum class Refusal : std::uint8_t {
    key_invalid = 1,  // unreadable, unknown, wrong secret or revoked: one word for all four
    key_unknown,
    name_bad,
    name_taken,  // by a key that is not revoked: one name, one actor
    permissions_empty,
};
std::string_view to_text(Refusal refusal) noexcept;

/// A name is 1 to name_chars_max characters of [a-z0-9._-]: it is the issuer in signed commands.
inline constexpr std::size_t name_chars_max = 32;

struct NewKey {
    Key key;
    /// "pfk_<id>_<secret>", shown once. The secret is 256 random bits, so a plain SHA-256 keeps it:
    /// a slow hash (argon2id) protects what people can guess, and here it would only cost 50 ms a
    /// request.
    std::string text;
};
Result<NewKey, Refusal> create_key(Repositories& r, const Call& call, std::string_view name,
                                   Permissions permissions);
std::vector<Key> keys(Repositories& r);
/// Revoking twice is the same wish twice.
std::optional<Refusal> revoke_key(Repositories& r, const Call& call, std::string_view id);
/// The key of a text; the secrets' hashes are compared in constant time.
Result<Key, Refusal> authenticate(Repositories& r, std::string_view text);
/// Whether a key of that id is there and not revoked: for those who were let in by it and stay.
bool stands(Repositories& r, std::string_view id);
inline constexpr std::size_t key_text_chars = 4 + 16 + 1 + 64;

// --- audit
// -------------------------------------------------------------------------------------------

/// One act of somebody, done or refused. Never a secret, a code or a document in it.
struct Audit {
    std::uint64_t number = 0;  // given by the repository, rises
    WallTime at{};
    std::string actor = {};
    std::string action = {};  // "POST /v1/tickets/{ticket}/revoke"
    std::string target =
        {};  // "ticket 00c0ffee00c0ffee", "device gate-1"; empty: nothing was named
    std::string outcome = {};  // "done", or the code of the refusal
    std::string request_id = {};
};
void record(Repositories& r, const Call& call, Audit audit);
/// Newest first, with numbers below `before` (0: from the newest).
std::vector<Audit> audits(Repositories& r, std::uint64_t before, std::size_t limit);

// --- idempotency
// -------------------------------------------------------------------------------------

/// A client that did not hear the answer asks again with the same Idempotency-Key and gets the
/// answer of the first time. Key and answer are written in the transaction of the act, so both are
/// there or neither; two at once queue behind each other, and the second finds the first's answer.
inline constexpr std::size_t idempotency_key_chars_max = 128;
inline constexpr Millis idempotency_kept_ms{24LL * 60 * 60 * 1000};

enum class IdempotencyFault : std::uint8_t {
    key_reused = 1,  // the same key with another request
};
std::string_view to_text(IdempotencyFault fault) noexcept;

struct Question {
    std::string actor;   // key id, or what else identifies who asks
    std::string key;     // of the header
    Digest fingerprint;  // of method, path, query and body
};
/// The answer of the first time; nothing: this is the first time.
Result<std::optional<std::string>, IdempotencyFault> answered(Repositories& r, const Call& call,
                                                              BytesView master,
                                                              const Question& question);
/// Keeps an answer for idempotency_kept_ms, sealed under the master key: it may hold a code or a
/// key.
void remember(Repositories& r, const Call& call, BytesView master, const Question& question,
              std::string_view answer);

}  // namespace pf::server::access
