#include "tests/support/mqtt/authority.hpp"

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace pf::tests {

namespace {

using std::chrono::sys_days;
using namespace std::chrono_literals;

WallTime day(std::chrono::year_month_day date) { return WallTime{sys_days{date}}; }

crypto::Validity these_years() {
    return {.from = day(2020y / 1 / 1), .until = day(2049y / 12 / 31)};
}

crypto::Validity for_ever() {
    return {.from = WallTime{}, .until = day(9999y / 12 / 31) + 24h - 1s};
}

void write(const std::string& path, const std::string& text) { std::ofstream{path} << text; }

std::string read(const std::string& path) {
    std::ifstream file{path};
    return {std::istreambuf_iterator<char>{file}, {}};
}

}  // namespace

Authority::Authority(std::uint64_t seed, std::string name)
    : entropy_{seed}, key_{crypto::PrivateKey::generate(entropy_)} {
    pem_ = crypto::make_authority(key_, name, serial(), for_ever());
    write(directory_ / "ca.pem", pem_);
    write(directory_ / "ca.key", key_.to_pem());
    write(directory_ / "index", "");
    write(directory_ / "number", "01\n");
    write(directory_ / "ca.cnf",
          "[ca]\ndefault_ca=here\n[here]\ndatabase=" + (directory_ / "index") +
              "\ncrlnumber=" + (directory_ / "number") +
              "\ndefault_md=sha256\ndefault_crl_days=365\nunique_subject=no\n");
}

Authority::Identity Authority::client(const std::string& common_name) {
    return issue({.common_name = common_name, .dns_names = {}, .ip_addresses = {}},
                 crypto::Usage::tls_client, these_years());
}

Authority::Identity Authority::server(const std::string& common_name) {
    return server(common_name, for_ever());
}

Authority::Identity Authority::server(const std::string& common_name, crypto::Validity validity) {
    return issue(
        {.common_name = common_name, .dns_names = {"localhost"}, .ip_addresses = {"127.0.0.1"}},
        crypto::Usage::tls_server, validity);
}

Authority::Identity Authority::issue(const crypto::Subject& subject, crypto::Usage usage,
                                     crypto::Validity validity) {
    const auto key = crypto::PrivateKey::generate(entropy_);
    return {.certificate_pem =
                crypto::issue(key_, pem_, key.public_key(), subject, usage, serial(), validity),
            .key_pem = key.to_pem()};
}

crypto::Serial Authority::serial() {
    crypto::Serial serial{};
    entropy_.fill(serial);
    serial[0] = static_cast<Byte>(serial[0] & 0x7fU) | 1U;
    return serial;
}

void Authority::revoke(const std::string& certificate_pem) {
    write(directory_ / "revoked.pem", certificate_pem);
    openssl_ca("-revoke " + (directory_ / "revoked.pem"));
}

std::string Authority::crl() {
    openssl_ca("-gencrl -out " + (directory_ / "crl.pem"));
    return read(directory_ / "crl.pem");
}

void Authority::openssl_ca(const std::string& arguments) {
    const std::string command = "openssl ca -config " + (directory_ / "ca.cnf") + " -keyfile " +
                                (directory_ / "ca.key") + " -cert " + (directory_ / "ca.pem") +
                                " " + arguments + " 2>" + (directory_ / "errors");
    if (std::system(command.c_str()) != 0) throw std::runtime_error{read(directory_ / "errors")};
}

}  // namespace pf::tests
