// The one file of this room that speaks OpenSSL: mbedTLS 2.28 can't write a CRL (RFC 5280 section
// 5).
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <stdexcept>

#include "sync-server/fleet/repository.hpp"

namespace pf::server::fleet {
namespace {

template <class T, void (*free_it)(T*)>
struct Freed {
    void operator()(T* object) const { free_it(object); }
};
template <class T, void (*free_it)(T*)>
using Owned = std::unique_ptr<T, Freed<T, free_it>>;

void free_bio(BIO* bio) { BIO_free_all(bio); }
using Bio = Owned<BIO, free_bio>;

Bio memory_of(std::string_view text) {
    return Bio{BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))};
}

/// OpenSSL failing on our own authority's key is a bug or no memory, never an answer to somebody.
void must(bool ok, const char* what) {
    if (!ok) throw std::runtime_error{std::string{"OpenSSL: "} + what};
}

Owned<ASN1_TIME, ASN1_TIME_free> time_of(WallTime at) {
    return Owned<ASN1_TIME, ASN1_TIME_free>{
        ASN1_TIME_set(nullptr, static_cast<time_t>(to_ms(at) / 1000))};
}

constexpr int next_update_days =
    365;  // a CRL past its date must harm nobody: reissued daily, valid a year

void add_revoked(X509_CRL* crl, const CertificateRow& row) {
    Owned<X509_REVOKED, X509_REVOKED_free> revoked{X509_REVOKED_new()};
    Owned<BIGNUM, BN_free> number{
        BN_bin2bn(row.serial.data(), static_cast<int>(row.serial.size()), nullptr)};
    Owned<ASN1_INTEGER, ASN1_INTEGER_free> serial{BN_to_ASN1_INTEGER(number.get(), nullptr)};
    must(revoked && serial && X509_REVOKED_set_serialNumber(revoked.get(), serial.get()) == 1,
         "serial");
    must(X509_REVOKED_set_revocationDate(revoked.get(), time_of(*row.revoked_at).get()) == 1,
         "date");
    must(X509_CRL_add0_revoked(crl, revoked.get()) == 1, "entry");
    (void)revoked.release();  // the list owns it now
}

}  // namespace

std::string revocation_list(Repositories& r, const Keys& keys, WallTime now) {
    const std::string key_pem = keys.authority.to_pem();
    Owned<X509, X509_free> authority{
        PEM_read_bio_X509(memory_of(keys.authority_pem).get(), nullptr, nullptr, nullptr)};
    Owned<EVP_PKEY, EVP_PKEY_free> key{
        PEM_read_bio_PrivateKey(memory_of(key_pem).get(), nullptr, nullptr, nullptr)};
    must(authority && key, "authority");

    Owned<X509_CRL, X509_CRL_free> crl{X509_CRL_new()};
    must(crl && X509_CRL_set_version(crl.get(), X509_CRL_VERSION_2) == 1, "version");
    must(X509_CRL_set_issuer_name(crl.get(), X509_get_subject_name(authority.get())) == 1,
         "issuer");
    // From long ago: a broker whose clock is unset must not think the list is of the future.
    must(X509_CRL_set1_lastUpdate(crl.get(), time_of(wall_from_ms(0)).get()) == 1, "last update");
    must(X509_CRL_set1_nextUpdate(crl.get(),
                                  time_of(now + std::chrono::days{next_update_days}).get()) == 1,
         "next");
    const WallTime forgotten = now - std::chrono::days{renewal_grace_days};
    for (const CertificateRow& row : r.fleet.revoked_certificates(forgotten))
        add_revoked(crl.get(), row);
    must(X509_CRL_sort(crl.get()) == 1 && X509_CRL_sign(crl.get(), key.get(), EVP_sha256()) > 0,
         "signature");

    Bio out{BIO_new(BIO_s_mem())};
    must(PEM_write_bio_X509_CRL(out.get(), crl.get()) == 1, "PEM");
    char* data = nullptr;
    const long size = BIO_get_mem_data(out.get(), &data);
    return {data, static_cast<std::size_t>(size)};
}

Digest certificate_fingerprint(std::string_view pem) {
    Owned<X509, X509_free> certificate{
        PEM_read_bio_X509(memory_of(pem).get(), nullptr, nullptr, nullptr)};
    must(certificate != nullptr, "certificate");
    unsigned char* der = nullptr;
    const int size = i2d_X509(certificate.get(), &der);
    must(size > 0, "DER");
    const Digest digest = crypto::sha256({der, static_cast<std::size_t>(size)});
    OPENSSL_free(der);
    return digest;
}

}  // namespace pf::server::fleet
