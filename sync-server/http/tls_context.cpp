#include "sync-server/http/tls_context.hpp"

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <boost/asio/buffer.hpp>

namespace pf::server::http {
namespace {

namespace ssl = boost::asio::ssl;
using boost::system::error_code;

/// Past its end and nothing else: OpenSSL has checked the leaf's signature by then, and goes on
/// with what is left to check. An authority past its end stays refused.
int accept_expired_leaf(int verified, X509_STORE_CTX* store) {
    if (verified == 1) return 1;
    if (X509_STORE_CTX_get_error(store) != X509_V_ERR_CERT_HAS_EXPIRED) return 0;
    if (X509_STORE_CTX_get_error_depth(store) != 0) return 0;
    X509_STORE_CTX_set_error(store, X509_V_OK);
    return 1;
}

/// Trusts the certificates of the bundle, and names them to clients that choose among several of
/// their own. False when there is none or one can't be read.
bool trust_bundle(SSL_CTX* context, const std::string& pem) {
    const std::unique_ptr<BIO, decltype(&BIO_free)> memory{
        BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free};
    if (!memory) return false;
    int count = 0;
    for (;;) {
        const std::unique_ptr<X509, decltype(&X509_free)> authority{
            PEM_read_bio_X509(memory.get(), nullptr, nullptr, nullptr), X509_free};
        if (!authority) break;
        if (X509_STORE_add_cert(SSL_CTX_get_cert_store(context), authority.get()) != 1)
            return false;
        if (SSL_CTX_add_client_CA(context, authority.get()) != 1) return false;
        ++count;
    }
    const auto reason = ERR_GET_REASON(ERR_peek_last_error());
    ERR_clear_error();
    return count > 0 && reason == PEM_R_NO_START_LINE;
}

StartError error(StartFault fault, const std::string& listener, std::string_view what) {
    ERR_clear_error();
    return {fault, "listener '" + listener + "': " + std::string{what}};
}

}  // namespace

Result<std::shared_ptr<ssl::context>, StartError> make_tls_context(const TlsOptions& options,
                                                                   const std::string& listener) {
    auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
    auto* native = context->native_handle();
    SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
    SSL_CTX_set_session_cache_mode(native, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_options(native, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_num_tickets(native, 0);

    error_code failed;
    // Without this OpenSSL would ask the terminal for the password of an encrypted key.
    context->set_password_callback(
        [](std::size_t, ssl::context::password_purpose) { return std::string{}; }, failed);
    context->use_certificate_chain(boost::asio::buffer(options.certificate_chain_pem), failed);
    if (failed)
        return error(StartFault::bad_certificate, listener,
                     "certificate_chain_pem is not a PEM certificate: " + failed.message());
    context->use_private_key(boost::asio::buffer(options.private_key_pem), ssl::context::pem,
                             failed);
    if (failed || SSL_CTX_check_private_key(native) != 1)
        return error(StartFault::bad_private_key, listener,
                     "private_key_pem is unreadable or not the certificate's key");

    if (options.client_certificate == ClientCertificate::none) return context;
    if (!trust_bundle(native, options.client_ca_pem))
        return error(StartFault::bad_client_ca, listener,
                     "client_ca_pem must hold the PEM certificates client certificates are "
                     "checked against");
    int mode = SSL_VERIFY_PEER;
    if (options.client_certificate == ClientCertificate::required)
        mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    SSL_CTX_set_verify(native, mode,
                       options.accept_expired_client_certificates ? accept_expired_leaf : nullptr);
    return context;
}

}  // namespace pf::server::http
