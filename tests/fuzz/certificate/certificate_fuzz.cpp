// Whatever comes as a certificate: a device's at its renewal, a server's answer to a pairing. The
// input is a PEM as it comes, or the body of a certificate in DER, which the target signs as the
// authority and as a stranger. What our authority issued is issued to another library too; what the
// stranger signed is never taken for ours.
#include <openssl/x509.h>

#include <memory>

#include "common/crypto/x509.hpp"
#include "tests/fuzz/x509_signing/x509_signing.hpp"

namespace {

using namespace pf;
using fuzz::require;

template <class T, void (*release)(T*)>
using Owned = std::unique_ptr<T, decltype([](T* thing) { release(thing); })>;

const std::string& authority_pem() {
    static const std::string pem = crypto::make_authority(
        fuzz::example_key(), "Paifang authority", crypto::Serial{0x41},
        {*wall_from_rfc3339("1970-01-01T00:00:00Z"), *wall_from_rfc3339("9999-12-31T23:59:59Z")});
    return pem;
}

EVP_PKEY* authority_key() {
    static const auto key = [] {
        const auto point = fuzz::example_key().public_key().point();
        EVP_PKEY* made = EVP_EC_gen("P-256");
        require(made != nullptr &&
                    EVP_PKEY_set1_encoded_public_key(made, point.data(), point.size()) == 1,
                "OpenSSL takes the target's own key");
        return made;
    }();
    return key;
}

void check(const std::string& pem) {
    const auto info = crypto::read_certificate(pem);
    const auto fault = crypto::check_chain(pem, authority_pem(), std::nullopt);
    // A chain may hold without a name we read; callers ask for both.
    if (!info) return;
    require(info->common_name.find('\0') == std::string::npos, "a name ends where it ends");
    require(!info->serial.empty(), "a certificate has a number");
    const auto middle = info->validity.from + (info->validity.until - info->validity.from) / 2;
    if (!fault && info->validity.from <= info->validity.until)
        require(!crypto::check_chain(pem, authority_pem(), middle), "in its time it is valid");
    if (!fault)
        require(crypto::check_chain(pem, authority_pem(),
                                    info->validity.until + std::chrono::seconds{2})
                    .has_value(),
                "after its time it is not");
}

void check_against_openssl(const Bytes& der) {
    const unsigned char* at = der.data();
    const Owned<X509, X509_free> certificate{d2i_X509(nullptr, &at, static_cast<long>(der.size()))};
    // It also reads what we do not look at, and refuses a name of no UTF-8 there.
    if (certificate == nullptr) return;
    require(X509_verify(certificate.get(), authority_key()) == 1,
            "its signature is good to OpenSSL");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(reinterpret_cast<const char*>(data), size);
    check(text);
    const Bytes ours = fuzz::signed_der({data, size}, fuzz::example_key());
    const std::string pem = fuzz::to_pem(ours, "CERTIFICATE");
    check(pem);
    if (!crypto::check_chain(pem, authority_pem(), std::nullopt)) check_against_openssl(ours);
    const Bytes strange = fuzz::signed_der({data, size}, fuzz::strange_key());
    require(crypto::check_chain(fuzz::to_pem(strange, "CERTIFICATE"), authority_pem(), std::nullopt)
                .has_value(),
            "what a stranger signed is not issued here");
    return 0;
}
