// Reads and checks certificates and requests. mbedtls_x509_crt_verify is not used: it asks the real
// clock, and ours is passed in.
#include <mbedtls/oid.h>
#include <mbedtls/x509_crt.h>
#include <mbedtls/x509_csr.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>

#include "common/crypto/pem.hpp"
#include "common/crypto/x509.hpp"

namespace pf::crypto {
namespace {

struct Certificate {
    Certificate() { mbedtls_x509_crt_init(&value); }
    ~Certificate() { mbedtls_x509_crt_free(&value); }
    Certificate(const Certificate&) = delete;
    Certificate& operator=(const Certificate&) = delete;

    /// Exactly one certificate, ECDSA with SHA-256.
    bool parse(std::string_view pem) {
        const auto input = pem_of(pem, "CERTIFICATE");
        return input && mbedtls_x509_crt_parse(&value, input->data(), input->size()) == 0 &&
               value.next == nullptr && value.sig_pk == MBEDTLS_PK_ECDSA &&
               value.sig_md == MBEDTLS_MD_SHA256;
    }

    mbedtls_x509_crt value;
};

struct Request {
    Request() { mbedtls_x509_csr_init(&value); }
    ~Request() { mbedtls_x509_csr_free(&value); }
    Request(const Request&) = delete;
    Request& operator=(const Request&) = delete;

    bool parse(std::string_view pem) {
        const auto input = pem_of(pem, "CERTIFICATE REQUEST");
        return input && mbedtls_x509_csr_parse(&value, input->data(), input->size()) == 0 &&
               value.sig_pk == MBEDTLS_PK_ECDSA && value.sig_md == MBEDTLS_MD_SHA256;
    }

    mbedtls_x509_csr value;
};

BytesView view(const mbedtls_x509_buf& buffer) { return {buffer.p, buffer.len}; }

bool is_signed_by(const mbedtls_pk_context& key, const mbedtls_x509_buf& body,
                  const mbedtls_x509_buf& signature) {
    const Digest digest = sha256(view(body));
    const auto public_key = public_key_in(key);
    if (!public_key) return false;
    KeyContainer own{*public_key};
    return mbedtls_pk_verify(own.get(), MBEDTLS_MD_SHA256, digest.data(), digest.size(),
                             signature.p, signature.len) == 0;
}

/// The one common name. Nothing when there are two, or when people and programs might read it
/// differently: another string type, a zero byte.
std::optional<std::string> common_name_in(const mbedtls_x509_name& names) {
    std::optional<std::string> found;
    for (const mbedtls_x509_name* name = &names; name; name = name->next) {
        if (as_text(view(name->oid)) != MBEDTLS_OID_AT_CN) continue;
        if (found) return std::nullopt;
        if (name->val.tag != MBEDTLS_ASN1_UTF8_STRING &&
            name->val.tag != MBEDTLS_ASN1_PRINTABLE_STRING) {
            return std::nullopt;
        }
        found = std::string{as_text(view(name->val))};
        if (found->find('\0') != std::string::npos) return std::nullopt;
    }
    return found;
}

WallTime wall_from(const mbedtls_x509_time& time) {
    using namespace std::chrono;
    const sys_days day = year{time.year} / month{static_cast<unsigned>(time.mon)} /
                         std::chrono::day{static_cast<unsigned>(time.day)};
    return WallTime{day + hours{time.hour} + minutes{time.min} + seconds{time.sec}};
}

std::optional<ChainFault> check_dates(const mbedtls_x509_crt& certificate, WallTime at) {
    if (at < wall_from(certificate.valid_from)) return ChainFault::not_yet_valid;
    // notAfter is the last second, not the first one after (RFC 5280 section 4.1.2.5).
    if (at >= wall_from(certificate.valid_to) + std::chrono::seconds{1}) return ChainFault::expired;
    return std::nullopt;
}

}  // namespace

std::string_view to_text(ChainFault fault) noexcept {
    switch (fault) {
        case ChainFault::unreadable:
            return "unreadable";
        case ChainFault::not_issued_here:
            return "not_issued_here";
        case ChainFault::not_yet_valid:
            return "not_yet_valid";
        case ChainFault::expired:
            return "expired";
    }
    std::abort();  // a value outside the enum means memory is corrupt
}

std::optional<CertificateInfo> read_certificate(std::string_view pem) {
    Certificate certificate;
    if (!certificate.parse(pem)) return std::nullopt;
    const mbedtls_x509_crt& value = certificate.value;
    auto common_name = common_name_in(value.subject);
    auto issuer = common_name_in(value.issuer);
    auto key = public_key_in(value.pk);
    if (!common_name || !issuer || !key) return std::nullopt;
    BytesView serial = view(value.serial);
    while (serial.size() > 1 && serial.front() == 0) serial = serial.subspan(1);
    return CertificateInfo{
        .common_name = std::move(*common_name),
        .issuer_common_name = std::move(*issuer),
        .serial = Bytes{serial.begin(), serial.end()},
        .validity = {wall_from(value.valid_from), wall_from(value.valid_to)},
        .key = std::move(*key),
        .is_authority = value.ca_istrue != 0,
    };
}

std::optional<RequestInfo> read_request(std::string_view pem) {
    Request request;
    if (!request.parse(pem)) return std::nullopt;
    const mbedtls_x509_csr& value = request.value;
    auto common_name = common_name_in(value.subject);
    auto key = public_key_in(value.pk);
    if (!common_name || !key) return std::nullopt;
    // Proof that whoever asks holds the key; mbedTLS parses requests without looking.
    if (!is_signed_by(value.pk, value.cri, value.sig)) return std::nullopt;
    return RequestInfo{std::move(*common_name), std::move(*key)};
}

std::optional<ChainFault> check_chain(std::string_view leaf_pem, std::string_view authority_pem,
                                      std::optional<WallTime> at) {
    Certificate leaf, authority;
    if (!leaf.parse(leaf_pem) || !authority.parse(authority_pem)) return ChainFault::unreadable;
    if (authority.value.ca_istrue == 0 ||
        mbedtls_x509_crt_check_key_usage(&authority.value, MBEDTLS_X509_KU_KEY_CERT_SIGN) != 0 ||
        !std::ranges::equal(view(leaf.value.issuer_raw), view(authority.value.subject_raw)) ||
        !is_signed_by(authority.value.pk, leaf.value.tbs, leaf.value.sig)) {
        return ChainFault::not_issued_here;
    }
    if (!at) return std::nullopt;
    if (const auto fault = check_dates(leaf.value, *at)) return fault;
    return check_dates(authority.value, *at);
}

}  // namespace pf::crypto
