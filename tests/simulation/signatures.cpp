// ECDSA once per signature. It is a pure function and most of what a seed would cost: every batch,
// list and document is signed by one party of this process and verified by others of it. The linker
// sends calls of the three functions here (--wrap in CMakeLists.txt); each answer is the shipped
// function's own, or what it must be because that function made the signature.
#include <functional>
#include <map>
#include <set>
#include <string>
#include <tuple>

#include "common/crypto/crypto.hpp"

#define PF_VERIFY \
    "_ZNK2pf6crypto9PublicKey6verifyESt4spanIKhLm18446744073709551615EERKSt5arrayIhLm64EE"
#define PF_SIGN "_ZNK2pf6crypto10PrivateKey4signESt4spanIKhLm18446744073709551615EE"
#define PF_FROM_PEM "_ZN2pf6crypto10PrivateKey8from_pemESt17basic_string_viewIcSt11char_traitsIcEE"

namespace pf::simulation {

using crypto::PrivateKey;
using crypto::PublicKey;
using crypto::Signature;

// The shipped functions, and what is called in their place.
bool real_verify(const PublicKey* key, BytesView message,
                 const Signature& signature) __asm__("__real_" PF_VERIFY);
bool verify_once(const PublicKey* key, BytesView message,
                 const Signature& signature) __asm__("__wrap_" PF_VERIFY);
Signature real_sign(const PrivateKey* key, BytesView message) __asm__("__real_" PF_SIGN);
Signature sign_and_remember(const PrivateKey* key, BytesView message) __asm__("__wrap_" PF_SIGN);
std::optional<PrivateKey> real_from_pem(std::string_view pem) __asm__("__real_" PF_FROM_PEM);
std::optional<PrivateKey> from_pem_once(std::string_view pem) __asm__("__wrap_" PF_FROM_PEM);

namespace {

using Proof = std::tuple<std::array<Byte, 65>, Digest, Signature>;
constexpr std::size_t kept_max = 30'000;

std::set<Proof>& good() {
    static std::set<Proof> known;
    if (known.size() > kept_max) known.clear();
    return known;
}

}  // namespace

bool verify_once(const PublicKey* key, BytesView message, const Signature& signature) {
    Proof proof{key->point(), crypto::sha256(message), signature};
    if (good().contains(proof)) return true;
    const bool valid = real_verify(key, message, signature);
    if (valid) good().insert(std::move(proof));
    return valid;
}

Signature sign_and_remember(const PrivateKey* key, BytesView message) {
    const Signature signature = real_sign(key, message);
    good().emplace(key->public_key().point(), crypto::sha256(message), signature);
    return signature;
}

std::optional<PrivateKey> from_pem_once(std::string_view pem) {
    static std::map<std::string, PrivateKey, std::less<>> read;
    if (read.size() > kept_max) read.clear();
    if (const auto known = read.find(pem); known != read.end()) return known->second;
    auto key = real_from_pem(pem);
    if (key) read.emplace(pem, *key);
    return key;
}

}  // namespace pf::simulation
