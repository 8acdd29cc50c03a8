#include "firmware/https/tls.hpp"

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ssl/error.hpp>

namespace pf::firmware::https {
namespace {

namespace ssl = boost::asio::ssl;
using boost::system::error_code;

bool bears_pin(const X509* certificate, const Digest& pin) {
    Digest digest{};
    unsigned length = 0;
    return X509_digest(certificate, EVP_sha256(), digest.data(), &length) == 1 &&
           length == digest.size() && equal_in_constant_time(digest, pin);
}

/// Verification when only a fingerprint is known: the authority must be among the certificates the
/// server sent; then it alone is trusted and the ordinary rules apply.
int verify_by_pin(X509_STORE_CTX* store, void* argument) {
    const auto& trust = *static_cast<const Trust*>(argument);
    const STACK_OF(X509)* sent = X509_STORE_CTX_get0_untrusted(store);
    for (int i = 0; i < sk_X509_num(sent); ++i) {
        X509* candidate = sk_X509_value(sent, i);
        if (!bears_pin(candidate, *trust.pin) || X509_check_ca(candidate) != 1) continue;
        const std::unique_ptr<STACK_OF(X509), void (*)(STACK_OF(X509)*)> trusted{
            sk_X509_new_null(), [](STACK_OF(X509) * stack) { sk_X509_free(stack); }};
        if (!trusted || sk_X509_push(trusted.get(), candidate) == 0) break;
        X509_STORE_CTX_set0_trusted_stack(store, trusted.get());
        return X509_verify_cert(store) == 1 ? 1 : 0;
    }
    X509_STORE_CTX_set_error(store, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
    return 0;
}

std::string to_pem(X509* certificate) {
    const std::unique_ptr<BIO, decltype(&BIO_free)> memory{BIO_new(BIO_s_mem()), BIO_free};
    if (!memory || PEM_write_bio_X509(memory.get(), certificate) != 1) return {};
    char* text = nullptr;
    const auto length = BIO_get_mem_data(memory.get(), &text);
    return {text, static_cast<std::size_t>(length)};
}

bool about_our_certificate(int reason) {
    switch (reason) {
        case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
        case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
        case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
        case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
        case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
        case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
        case SSL_R_TLSV1_ALERT_ACCESS_DENIED:
        case SSL_R_TLSV1_ALERT_DECRYPT_ERROR:  // its signature is wrong
        case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
        case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:  // TLS 1.2 without a certificate
            return true;
    }
    return false;
}

}  // namespace

Trust::Trust(const Options& options) : context(ssl::context::tls_client), pin(options.pin_sha256) {
    configure(options);
}

void Trust::refuse(Fault what, std::string words) {
    fault = what;
    why = std::move(words);
    ERR_clear_error();
}

void Trust::configure(const Options& options) {
    auto* native = context.native_handle();
    SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
    SSL_CTX_set_session_cache_mode(native, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_verify(native, SSL_VERIFY_PEER, nullptr);
    error_code failed;
    context.set_password_callback(
        [](std::size_t, ssl::context::password_purpose) { return std::string{}; }, failed);
    if (pin) {
        SSL_CTX_set_cert_verify_callback(native, verify_by_pin, this);
    } else if (options.ca_pem.empty()) {
        return refuse(Fault::no_authority, "neither ca_pem nor pin_sha256 is set");
    } else {
        context.add_certificate_authority(boost::asio::buffer(options.ca_pem), failed);
        if (failed ||
            sk_X509_OBJECT_num(X509_STORE_get0_objects(SSL_CTX_get_cert_store(native))) == 0)
            return refuse(Fault::bad_credentials, "ca_pem holds no certificate");
    }
    if (options.certificate_pem.empty() && options.private_key_pem.empty()) return;
    context.use_certificate_chain(boost::asio::buffer(options.certificate_pem), failed);
    if (failed) return refuse(Fault::bad_credentials, "certificate_pem is no PEM certificate");
    context.use_private_key(boost::asio::buffer(options.private_key_pem), ssl::context::pem,
                            failed);
    if (failed || SSL_CTX_check_private_key(native) != 1)
        return refuse(Fault::bad_credentials,
                      "private_key_pem is unreadable or not the certificate's key");
}

bool expect_server(SSL* connection, const std::string& name, bool ignore_dates) {
    auto* rules = SSL_get0_param(connection);
    if (ignore_dates) X509_VERIFY_PARAM_set_flags(rules, X509_V_FLAG_NO_CHECK_TIME);
    error_code not_numeric;
    boost::asio::ip::make_address(name, not_numeric);
    if (!not_numeric) return X509_VERIFY_PARAM_set1_ip_asc(rules, name.c_str()) == 1;
    return X509_VERIFY_PARAM_set1_host(rules, name.c_str(), name.size()) == 1 &&
           SSL_ctrl(connection, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                    const_cast<char*>(name.c_str())) == 1;  // SSL_ctrl copies it
}

std::string authority_of(SSL* connection) {
    const STACK_OF(X509)* chain = SSL_get0_verified_chain(connection);
    const int length = chain ? sk_X509_num(chain) : 0;
    return length > 0 ? to_pem(sk_X509_value(chain, length - 1)) : std::string{};
}

Fault tls_fault(SSL* connection, const error_code& error) {
    if (SSL_get_verify_result(connection) != X509_V_OK) return Fault::tls_untrusted;
    if (error.category() == boost::asio::error::get_ssl_category() &&
        about_our_certificate(ERR_GET_REASON(static_cast<unsigned long>(error.value()))))
        return Fault::certificate_refused;
    return Fault::tls_failed;
}

std::string tls_words(SSL* connection, const error_code& error) {
    const auto verified = SSL_get_verify_result(connection);
    if (verified != X509_V_OK) return X509_verify_cert_error_string(verified);
    return error.message();
}

}  // namespace pf::firmware::https
