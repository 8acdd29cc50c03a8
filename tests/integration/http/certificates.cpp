#include "tests/integration/http/certificates.hpp"

#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>

#include "tests/support/fixed_entropy.hpp"

namespace pf::tests {
namespace {

crypto::PrivateKey make_key(std::uint64_t seed) {
    SeededEntropy entropy{seed};
    return crypto::PrivateKey::generate(entropy);
}

crypto::Serial make_serial(std::uint64_t seed) {
    SeededEntropy entropy{seed ^ 0x5e71a1};
    crypto::Serial serial{};
    entropy.fill(serial);
    serial[0] = static_cast<Byte>((serial[0] & 0x7F) | 1);
    return serial;
}

crypto::Validity around_now(int from_days, int until_days) {
    const auto now = std::chrono::time_point_cast<Millis>(std::chrono::system_clock::now());
    const std::chrono::hours day{24};
    return {now + from_days * day, now + until_days * day};
}

}  // namespace

TestAuthority::TestAuthority(std::uint64_t seed, std::string name, int from_days, int until_days)
    : seed_(seed * 1000), key_(make_key(seed_)) {
    pem_ =
        crypto::make_authority(key_, name, make_serial(seed_), around_now(from_days, until_days));
}

Digest TestAuthority::fingerprint() const {
    const std::unique_ptr<BIO, decltype(&BIO_free)> memory{
        BIO_new_mem_buf(pem_.data(), static_cast<int>(pem_.size())), BIO_free};
    const std::unique_ptr<X509, decltype(&X509_free)> certificate{
        PEM_read_bio_X509(memory.get(), nullptr, nullptr, nullptr), X509_free};
    Digest digest{};
    unsigned length = 0;
    X509_digest(certificate.get(), EVP_sha256(), digest.data(), &length);
    return digest;
}

Identity TestAuthority::issue(const crypto::Subject& subject, crypto::Usage usage, int from_days,
                              int until_days) {
    const auto key = make_key(++seed_);
    return {crypto::issue(key_, pem_, key.public_key(), subject, usage, make_serial(seed_),
                          around_now(from_days, until_days)),
            key.to_pem()};
}

Identity TestAuthority::server(std::string dns_name, std::string address) {
    return issue({dns_name, {dns_name}, {address}}, crypto::Usage::tls_server, -1, 90);
}

Identity TestAuthority::server(int from_days, int until_days) {
    return issue({"localhost", {"localhost"}, {"127.0.0.1"}}, crypto::Usage::tls_server, from_days,
                 until_days);
}

Identity TestAuthority::device(std::string name) { return device(std::move(name), -1, 90); }

Identity TestAuthority::device(std::string name, int from_days, int until_days) {
    return issue({std::move(name), {}, {}}, crypto::Usage::tls_client, from_days, until_days);
}

}  // namespace pf::tests
