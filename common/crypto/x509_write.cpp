// Writes certificates and requests. What mbedTLS 2.28 can't say (subjectAltName, extKeyUsage) or
// does not mark critical (basicConstraints) is given to it as DER.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <mbedtls/asn1write.h>
#include <mbedtls/oid.h>
#include <mbedtls/x509_crt.h>
#include <mbedtls/x509_csr.h>

#include <algorithm>
#include <cassert>
#include <chrono>
#include <new>

#include "common/crypto/pem.hpp"
#include "common/crypto/x509.hpp"

namespace pf::crypto {
namespace {

constexpr std::string_view oid_common_name{MBEDTLS_OID_AT_CN};
constexpr std::string_view oid_basic_constraints{MBEDTLS_OID_BASIC_CONSTRAINTS};
constexpr std::string_view oid_alternative_name{MBEDTLS_OID_SUBJECT_ALT_NAME};
constexpr std::string_view oid_extended_usage{MBEDTLS_OID_EXTENDED_KEY_USAGE};
constexpr std::string_view oid_server{MBEDTLS_OID_SERVER_AUTH};
constexpr std::string_view oid_client{MBEDTLS_OID_CLIENT_AUTH};

constexpr Byte tag_boolean = 0x01, tag_integer = 0x02, tag_oid = 0x06, tag_sequence = 0x30;
constexpr Byte tag_dns_name = 0x82, tag_ip_address = 0x87;  // GeneralName, RFC 5280 4.2.1.6

constexpr std::size_t common_name_chars_max = 64;  // ub-common-name, RFC 5280 appendix A.1
constexpr std::size_t dns_name_chars_max = 253;
constexpr std::size_t names_max = 32;  // keeps a certificate below pem_bytes_max

/// Tag, length, value (X.690 section 8.1), for values below 64 KiB.
Bytes der(Byte tag, BytesView value) {
    assert(value.size() <= 0xFFFF);
    Bytes out{tag};
    if (value.size() > 0xFF) {
        out.push_back(0x82);
        out.push_back(static_cast<Byte>(value.size() >> 8));
    } else if (value.size() > 0x7F) {
        out.push_back(0x81);
    }
    out.push_back(static_cast<Byte>(value.size()));
    out.insert(out.end(), value.begin(), value.end());
    return out;
}

void append(Bytes& out, BytesView more) { out.insert(out.end(), more.begin(), more.end()); }

Bytes authority_constraints() {
    Bytes value = der(tag_boolean, std::array<Byte, 1>{0xFF});
    append(value, der(tag_integer, std::array<Byte, 1>{0}));  // pathLenConstraint
    return der(tag_sequence, value);
}

Bytes extended_usage(std::string_view oid) {
    return der(tag_sequence, der(tag_oid, as_bytes(oid)));
}

Bytes alternative_names(const Subject& subject) {
    Bytes names;
    for (const std::string& name : subject.dns_names) {
        assert(!name.empty() && name.size() <= dns_name_chars_max);
        assert(std::ranges::all_of(name, [](char c) { return c > ' ' && c < 0x7F; }));
        append(names, der(tag_dns_name, as_bytes(name)));
    }
    for (const std::string& text : subject.ip_addresses) {
        std::array<Byte, 4> address{};
        [[maybe_unused]] const int found = inet_pton(AF_INET, text.c_str(), address.data());
        assert(found == 1 && "an address in dotted quad");
        append(names, der(tag_ip_address, address));
    }
    return der(tag_sequence, names);
}

void set_common_name(mbedtls_asn1_named_data** names, std::string_view common_name) {
    assert(!common_name.empty() && common_name.size() <= common_name_chars_max);
    // Not mbedtls_x509_string_to_names: in its "CN=…" a comma or a backslash has a meaning.
    mbedtls_asn1_named_data* name =
        mbedtls_asn1_store_named_data(names, oid_common_name.data(), oid_common_name.size(),
                                      as_bytes(common_name).data(), common_name.size());
    if (!name) throw std::bad_alloc{};
    name->val.tag = MBEDTLS_ASN1_UTF8_STRING;
}

/// "YYYYMMDDhhmmss".
std::string time_text(WallTime at) {
    using namespace std::chrono;
    const auto whole = floor<seconds>(at);
    const auto day = floor<days>(whole);
    const year_month_day date{day};
    const hh_mm_ss clock{whole - day};
    const int year = static_cast<int>(date.year());
    assert(year >= 1970 && year <= 9999);
    return fmt::format("{:04}{:02}{:02}{:02}{:02}{:02}", year, static_cast<unsigned>(date.month()),
                       static_cast<unsigned>(date.day()), clock.hours().count(),
                       clock.minutes().count(), clock.seconds().count());
}

class CertificateWriter {
public:
    CertificateWriter(const PrivateKey& issuer, const PublicKey& subject)
        : secret_{issuer}, issuer_{issuer}, subject_{subject} {
        mbedtls_x509write_crt_init(&value_);
        mbedtls_x509write_crt_set_version(&value_, MBEDTLS_X509_CRT_VERSION_3);
        mbedtls_x509write_crt_set_md_alg(&value_, MBEDTLS_MD_SHA256);
        mbedtls_x509write_crt_set_issuer_key(&value_, issuer_.get());
        mbedtls_x509write_crt_set_subject_key(&value_, subject_.get());
    }
    ~CertificateWriter() { mbedtls_x509write_crt_free(&value_); }
    CertificateWriter(const CertificateWriter&) = delete;
    CertificateWriter& operator=(const CertificateWriter&) = delete;

    void names(std::string_view issuer, std::string_view subject) {
        set_common_name(&value_.issuer, issuer);
        set_common_name(&value_.subject, subject);
    }

    void serial(const Serial& serial) {
        assert((serial[0] & 0x80) == 0 && serial != Serial{});
        serial_ = serial;
        Number number;
        must(mbedtls_mpi_read_binary(&number.value, serial.data(), serial.size()));
        must(mbedtls_x509write_crt_set_serial(&value_, &number.value));
    }

    void validity(Validity validity) {
        assert(validity.from <= validity.until);
        must(mbedtls_x509write_crt_set_validity(&value_, time_text(validity.from).c_str(),
                                                time_text(validity.until).c_str()));
    }

    void key_usage(unsigned usage) { must(mbedtls_x509write_crt_set_key_usage(&value_, usage)); }

    void extension(std::string_view oid, bool is_critical, const Bytes& value) {
        must(mbedtls_x509write_crt_set_extension(&value_, oid.data(), oid.size(),
                                                 is_critical ? 1 : 0, value.data(), value.size()));
    }

    std::string write() {
        must(mbedtls_x509write_crt_set_subject_key_identifier(&value_));
        must(mbedtls_x509write_crt_set_authority_key_identifier(&value_));
        Blinding blinding{secret_.impl().d.value, serial_};
        std::string out(pem_bytes_max, '\0');
        must(mbedtls_x509write_crt_pem(&value_, reinterpret_cast<Byte*>(out.data()), out.size(),
                                       mbedtls_hmac_drbg_random, blinding.context()));
        out.resize(out.find('\0'));
        return out;
    }

private:
    PrivateKey secret_;
    KeyContainer issuer_, subject_;
    Serial serial_{};
    mbedtls_x509write_cert value_;
};

}  // namespace

std::string make_request(const PrivateKey& key, std::string_view common_name) {
    KeyContainer container{key};
    mbedtls_x509write_csr request;
    mbedtls_x509write_csr_init(&request);
    const std::unique_ptr<mbedtls_x509write_csr, void (*)(mbedtls_x509write_csr*)> release{
        &request, mbedtls_x509write_csr_free};
    mbedtls_x509write_csr_set_md_alg(&request, MBEDTLS_MD_SHA256);
    mbedtls_x509write_csr_set_key(&request, container.get());
    set_common_name(&request.subject, common_name);
    Blinding blinding{key.impl().d.value, as_bytes(common_name)};
    std::string out(pem_bytes_max, '\0');
    must(mbedtls_x509write_csr_pem(&request, reinterpret_cast<Byte*>(out.data()), out.size(),
                                   mbedtls_hmac_drbg_random, blinding.context()));
    out.resize(out.find('\0'));
    return out;
}

std::string make_authority(const PrivateKey& key, std::string_view common_name,
                           const Serial& serial, Validity validity) {
    CertificateWriter writer{key, key.public_key()};
    writer.names(common_name, common_name);
    writer.serial(serial);
    writer.validity(validity);
    writer.extension(oid_basic_constraints, true, authority_constraints());
    writer.key_usage(MBEDTLS_X509_KU_KEY_CERT_SIGN | MBEDTLS_X509_KU_CRL_SIGN);
    return writer.write();
}

std::string issue(const PrivateKey& authority_key, std::string_view authority_pem,
                  const PublicKey& leaf, const Subject& subject, Usage usage, const Serial& serial,
                  Validity validity) {
    assert(usage != Usage::authority && "an authority issues leaves: its path length is 0");
    assert(subject.dns_names.size() + subject.ip_addresses.size() <= names_max);
    const auto authority = read_certificate(authority_pem);
    assert(authority && authority->is_authority);
    assert(authority->key == authority_key.public_key());

    CertificateWriter writer{authority_key, leaf};
    writer.names(authority->common_name, subject.common_name);
    writer.serial(serial);
    writer.validity(validity);
    writer.extension(oid_basic_constraints, true, der(tag_sequence, {}));
    writer.key_usage(MBEDTLS_X509_KU_DIGITAL_SIGNATURE);
    writer.extension(oid_extended_usage, false,
                     extended_usage(usage == Usage::tls_server ? oid_server : oid_client));
    if (!subject.dns_names.empty() || !subject.ip_addresses.empty()) {
        writer.extension(oid_alternative_name, false, alternative_names(subject));
    }
    std::string pem = writer.write();
    // Catches an authority whose name we can't reproduce byte for byte.
    assert(!check_chain(pem, authority_pem, std::nullopt));
    return pem;
}

}  // namespace pf::crypto
