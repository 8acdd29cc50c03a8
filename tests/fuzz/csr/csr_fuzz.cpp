// Whatever a board sends to be certified. The input is a PEM as it comes, or the body of a request
// in DER, which the target signs so that mutations get past the signature. What is accepted has
// the same name, key and good signature to another library, if that reads it at all; and one whose
// body is signed by another key than its own is never accepted.
#include <openssl/x509.h>

#include <memory>
#include <optional>

#include "common/crypto/x509.hpp"
#include "tests/fuzz/x509_signing/x509_signing.hpp"

namespace {

using namespace pf;
using fuzz::require;

template <class T, void (*release)(T*)>
using Owned = std::unique_ptr<T, decltype([](T* thing) { release(thing); })>;

/// The only common name, as the other library reads it.
std::optional<std::string> common_name(X509_NAME* names) {
    const int at = X509_NAME_get_index_by_NID(names, NID_commonName, -1);
    if (at < 0 || X509_NAME_get_index_by_NID(names, NID_commonName, at) >= 0) return std::nullopt;
    const ASN1_STRING* text = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(names, at));
    return std::string{reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                       static_cast<std::size_t>(ASN1_STRING_length(text))};
}

void check_against_openssl(const Bytes& der, const crypto::RequestInfo& info) {
    const unsigned char* at = der.data();
    const Owned<X509_REQ, X509_REQ_free> request{
        d2i_X509_REQ(nullptr, &at, static_cast<long>(der.size()))};
    // It also reads what we do not look at, and refuses a name of no UTF-8 there.
    if (request == nullptr) return;
    EVP_PKEY* key = X509_REQ_get0_pubkey(request.get());
    require(key != nullptr, "its key is one to OpenSSL");
    require(X509_REQ_verify(request.get(), key) == 1, "its signature is good to OpenSSL");
    require(common_name(X509_REQ_get_subject_name(request.get())) == info.common_name,
            "its name is the same to OpenSSL");
    unsigned char* point = nullptr;
    const std::size_t length = EVP_PKEY_get1_encoded_public_key(key, &point);
    const Bytes theirs(point, point + length);
    OPENSSL_free(point);
    const auto ours = info.key.point();
    require(std::ranges::equal(theirs, ours), "its key is the same to OpenSSL");
}

void check(const crypto::RequestInfo& info) {
    require(info.common_name.find('\0') == std::string::npos, "a name ends where it ends");
    require(crypto::PublicKey::from_point(info.key.point()).has_value(), "a key is on its curve");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(reinterpret_cast<const char*>(data), size);
    if (const auto info = crypto::read_request(text)) check(*info);
    const Bytes der = fuzz::signed_der({data, size}, fuzz::example_key());
    if (const auto info = crypto::read_request(fuzz::to_pem(der, "CERTIFICATE REQUEST"))) {
        check(*info);
        check_against_openssl(der, *info);
        require(info->key == fuzz::example_key().public_key(), "only the key's owner signs for it");
    }
    const Bytes stolen = fuzz::signed_der({data, size}, fuzz::strange_key());
    if (const auto info = crypto::read_request(fuzz::to_pem(stolen, "CERTIFICATE REQUEST")))
        require(info->key == fuzz::strange_key().public_key(), "only the key's owner signs for it");
    return 0;
}
