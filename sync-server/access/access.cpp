#include "sync-server/access/access.hpp"

#include <algorithm>
#include <cstdlib>

#include "common/base/ids.hpp"
#include "common/crypto/crypto.hpp"
#include "sync-server/access/repository.hpp"

namespace pf::server::access {
namespace {

constexpr std::string_view key_prefix = "pfk_";
constexpr std::size_t id_chars = 16;
constexpr std::size_t secret_bytes = 32;

bool name_ok(std::string_view name) {
    constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyz0123456789._-";
    return !name.empty() && name.size() <= name_chars_max &&
           name.find_first_not_of(allowed) == std::string_view::npos;
}

/// Sealing needs a nonce; like everything random in a transaction it comes from the call.
class CallEntropy final : public Entropy {
public:
    CallEntropy(const Call& call, std::string label) : call_{call}, label_{std::move(label)} {}
    void fill(std::span<Byte> out) override {
        const Bytes bytes = derive(call_, label_ + std::to_string(used_++), out.size());
        std::ranges::copy(bytes, out.begin());
    }

private:
    const Call& call_;
    std::string label_;
    int used_ = 0;
};

/// An answer can't be moved to another actor or key.
std::string context_of(const Question& question) {
    return "idempotency/" + question.actor + "/" + question.key;
}

}  // namespace

std::string_view to_text(Refusal refusal) noexcept {
    switch (refusal) {
        case Refusal::key_invalid:
            return "key_invalid";
        case Refusal::key_unknown:
            return "key_unknown";
        case Refusal::name_bad:
            return "name_bad";
        case Refusal::name_taken:
            return "name_taken";
        case Refusal::permissions_empty:
            return "permissions_empty";
    }
    std::abort();
}

std::string_view to_text(IdempotencyFault fault) noexcept {
    switch (fault) {
        case IdempotencyFault::key_reused:
            return "idempotency_key_reused";
    }
    std::abort();
}

Result<NewKey, Refusal> create_key(Repositories& r, const Call& call, std::string_view name,
                                   Permissions permissions) {
    if (!name_ok(name)) return Refusal::name_bad;
    if (permissions.empty()) return Refusal::permissions_empty;
    for (const KeyRow& row : r.access.keys())
        if (row.key.name == name && !row.key.revoked_at) return Refusal::name_taken;
    NewKey out;
    out.key = {.id = to_hex(derive(call, "access/key-id", id_chars / 2)),
               .name = std::string{name},
               .permissions = permissions,
               .created_by = call.actor,
               .created_at = call.now,
               .revoked_at = std::nullopt};
    const Bytes secret = derive(call, "access/key-secret", secret_bytes);
    out.text = std::string{key_prefix} + out.key.id + "_" + to_hex(secret);
    r.access.put_key({out.key, crypto::sha256(secret)});
    return out;
}

std::vector<Key> keys(Repositories& r) {
    std::vector<Key> out;
    for (KeyRow& row : r.access.keys()) out.push_back(std::move(row.key));
    return out;
}

std::optional<Refusal> revoke_key(Repositories& r, const Call& call, std::string_view id) {
    auto row = r.access.key(id);
    if (!row) return Refusal::key_unknown;
    if (row->key.revoked_at) return std::nullopt;
    row->key.revoked_at = call.now;
    r.access.put_key(*row);
    return std::nullopt;
}

bool stands(Repositories& r, std::string_view id) {
    const auto row = r.access.key(id);
    return row && !row->key.revoked_at;
}

Result<Key, Refusal> authenticate(Repositories& r, std::string_view text) {
    if (text.size() != key_text_chars || !text.starts_with(key_prefix)) return Refusal::key_invalid;
    const std::string_view id = text.substr(key_prefix.size(), id_chars);
    const auto secret = from_hex(text.substr(key_prefix.size() + id_chars + 1));
    if (text[key_prefix.size() + id_chars] != '_' || !secret) return Refusal::key_invalid;
    const auto row = r.access.key(id);
    // An unknown id is compared too, so that the time does not tell which ids exist.
    const Digest expected = row ? row->secret_hash : Digest{};
    const bool same = equal_in_constant_time(crypto::sha256(*secret), expected);
    if (!row || !same || row->key.revoked_at) return Refusal::key_invalid;
    return row->key;
}

void record(Repositories& r, const Call& call, Audit audit) {
    audit.at = call.now;
    if (audit.actor.empty()) audit.actor = call.actor;
    r.access.add_audit(audit);
}

std::vector<Audit> audits(Repositories& r, std::uint64_t before, std::size_t limit) {
    return r.access.audits(before == 0 ? INT64_MAX : before, limit);
}

Result<std::optional<std::string>, IdempotencyFault> answered(Repositories& r, const Call& call,
                                                              BytesView master,
                                                              const Question& question) {
    const auto row = r.access.answer(question.actor, question.key);
    if (!row || call.now - row->at >= idempotency_kept_ms) return std::optional<std::string>{};
    if (row->fingerprint != question.fingerprint) return IdempotencyFault::key_reused;
    const auto plain = crypto::unseal(master, row->sealed, as_bytes(context_of(question)));
    if (!plain)
        throw std::runtime_error{
            "a kept answer can't be opened: wrong master key, or a damaged row"};
    return std::optional{std::string{as_text(*plain)}};
}

void remember(Repositories& r, const Call& call, BytesView master, const Question& question,
              std::string_view answer) {
    r.access.forget_answers(call.now - idempotency_kept_ms);
    CallEntropy entropy{call, "access/answer/"};
    r.access.put_answer(
        question.actor, question.key,
        {question.fingerprint,
         crypto::seal(master, as_bytes(answer), as_bytes(context_of(question)), entropy),
         call.now});
}

}  // namespace pf::server::access
