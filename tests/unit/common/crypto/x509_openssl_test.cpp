// OpenSSL as second opinion on what we write, and as the maker of what we must refuse.
#include <doctest/doctest.h>
#include <stdio.h>

#include <fstream>
#include <sstream>

#include "common/crypto/x509.hpp"
#include "tests/support/fixed_entropy.hpp"
#include "tests/support/temp_dir.hpp"

using namespace pf;
using namespace pf::crypto;

namespace {

class OpenSsl {
public:
    struct Answer {
        int status;
        std::string text;
        bool has(std::string_view part) const { return text.find(part) != std::string::npos; }
    };

    Answer run(const std::string& arguments) const {
        const std::string command =
            "cd '" + dir_.path().string() + "' && openssl " + arguments + " 2>&1 </dev/null";
        FILE* const pipe = ::popen(command.c_str(), "r");
        REQUIRE(pipe != nullptr);
        Answer answer{};
        char buffer[4096];
        for (std::size_t n = 0; (n = ::fread(buffer, 1, sizeof buffer, pipe)) > 0;) {
            answer.text.append(buffer, n);
        }
        answer.status = ::pclose(pipe);
        return answer;
    }

    void put(const std::string& name, const std::string& text) const {
        std::ofstream{dir_ / name} << text;
    }

    std::string get(const std::string& name) const {
        std::stringstream text;
        text << std::ifstream{dir_ / name}.rdbuf();
        return text.str();
    }

private:
    tests::TempDir dir_;
};

PrivateKey key_of(std::uint64_t seed) {
    tests::SeededEntropy entropy{seed};
    return PrivateKey::generate(entropy);
}

const Validity ten_years{wall_from_ms(1767225600000), wall_from_ms(2082758399000)};
const Validity beyond_2049{wall_from_ms(1767225600000), wall_from_ms(2556057600000)};
const Serial serial = *array_from_hex<16>("00ff0000000000000000000000000001");

}  // namespace

TEST_CASE("OpenSSL accepts our chain, names and purposes") {
    const OpenSsl openssl;
    const PrivateKey authority_key = key_of(1);
    const std::string authority = make_authority(authority_key, "Paifang 县", serial, beyond_2049);
    const Subject server{"server", {"sync.example.cn", "localhost"}, {"127.0.0.1", "10.0.0.255"}};
    openssl.put("authority.pem", authority);
    openssl.put("server.pem", issue(authority_key, authority, key_of(2).public_key(), server,
                                    Usage::tls_server, serial, ten_years));
    openssl.put("gate.pem", issue(authority_key, authority, key_of(3).public_key(),
                                  {"gate-1", {}, {}}, Usage::tls_client, serial, ten_years));
    struct Case {
        const char* options;
        bool is_good;
    };
    const Case cases[] = {
        {"-purpose sslserver server.pem", true},
        {"-purpose sslserver -verify_hostname sync.example.cn server.pem", true},
        {"-purpose sslserver -verify_hostname localhost server.pem", true},
        {"-purpose sslserver -verify_hostname server server.pem", false},
        {"-purpose sslserver -verify_ip 127.0.0.1 server.pem", true},
        {"-purpose sslserver -verify_ip 10.0.0.255 server.pem", true},
        {"-purpose sslserver -verify_ip 10.0.0.1 server.pem", false},
        {"-purpose sslclient server.pem", false},
        {"-purpose sslclient gate.pem", true},
        {"-purpose sslserver gate.pem", false},
        {"-purpose crlsign authority.pem", true},
    };
    for (const Case& c : cases) {
        CAPTURE(c.options);
        const auto answer = openssl.run(
            std::string{"verify -x509_strict -attime 1790000000 -CAfile authority.pem "} +
            c.options);
        CAPTURE(answer.text);
        CHECK((answer.status == 0) == c.is_good);
    }
    const auto late = openssl.run("verify -attime 2082758401 -CAfile authority.pem gate.pem");
    CHECK(late.status != 0);
    CHECK(late.has("certificate has expired"));

    const auto text = openssl.run("x509 -in server.pem -noout -text -certopt ext_parse");
    CAPTURE(text.text);
    CHECK(
        text.has("DNS:sync.example.cn, DNS:localhost, IP Address:127.0.0.1, "
                 "IP Address:10.0.0.255"));
    CHECK(text.has("TLS Web Server Authentication"));
    CHECK(text.has("Digital Signature"));
    CHECK(text.has("CA:FALSE"));
    CHECK(text.has("ecdsa-with-SHA256"));
    const auto top = openssl.run("x509 -in authority.pem -noout -text");
    CHECK(top.has("X509v3 Basic Constraints: critical\n                CA:TRUE, pathlen:0"));
    CHECK(top.has("Certificate Sign, CRL Sign"));
    CHECK(top.has("Not After : Dec 31 00:00:00 2050 GMT"));
}

TEST_CASE("OpenSSL accepts our request and our keys, and we accept its") {
    const OpenSsl openssl;
    const PrivateKey key = key_of(4);
    openssl.put("ours.csr", make_request(key, "gate-1"));
    openssl.put("ours.key", key.to_pem());
    openssl.put("ours.pub", key.public_key().to_pem());
    const auto verified = openssl.run("req -in ours.csr -noout -verify -subject");
    CAPTURE(verified.text);
    CHECK(verified.status == 0);
    CHECK(verified.has("verify OK"));
    CHECK(verified.has("CN = gate-1"));
    CHECK(openssl.run("pkey -in ours.key -pubout").text == key.public_key().to_pem());
    CHECK(openssl.run("pkey -pubin -in ours.pub -pubout").text == key.public_key().to_pem());

    REQUIRE(openssl.run("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out k").status ==
            0);
    REQUIRE(openssl.run("req -new -key k -subj /O=x/CN=gate-9 -out r").status == 0);
    const auto theirs = PrivateKey::from_pem(openssl.get("k"));
    REQUIRE(theirs);
    const auto request = read_request(openssl.get("r"));
    REQUIRE(request);
    CHECK(request->common_name == "gate-9");
    CHECK(request->key == theirs->public_key());
}

TEST_CASE("certificates and requests of another kind are refused") {
    const OpenSsl openssl;
    struct Case {
        const char* what;
        const char* key;
        const char* options;
        bool is_read;
    };
    constexpr const char* p256 = "EC -pkeyopt ec_paramgen_curve:P-256";
    const Case cases[] = {
        {"P-256", p256, "-subj /CN=a", true},
        {"more in the name", p256, "-subj /C=CN/O=x/CN=a", true},
        {"two common names", p256, "-subj /CN=a/CN=b", false},
        {"no common name", p256, "-subj /O=x", false},
        {"SHA-384", p256, "-sha384 -subj /CN=a", false},
        {"SHA-1", p256, "-sha1 -subj /CN=a", false},
        {"P-384", "EC -pkeyopt ec_paramgen_curve:P-384", "-subj /CN=a", false},
        {"secp256k1", "EC -pkeyopt ec_paramgen_curve:secp256k1", "-subj /CN=a", false},
        {"RSA", "RSA -pkeyopt rsa_keygen_bits:2048", "-subj /CN=a", false},
        {"Ed25519", "ED25519", "-subj /CN=a", false},
    };
    for (const Case& c : cases) {
        CAPTURE(c.what);
        REQUIRE(openssl.run(std::string{"genpkey -out k -algorithm "} + c.key).status == 0);
        REQUIRE(openssl.run(std::string{"req -new -x509 -key k -out c "} + c.options).status == 0);
        REQUIRE(openssl.run(std::string{"req -new -key k -out r "} + c.options).status == 0);
        CHECK(read_certificate(openssl.get("c")).has_value() == c.is_read);
        CHECK(read_request(openssl.get("r")).has_value() == c.is_read);
    }
}

TEST_CASE("the right name and key do not make an authority") {
    const OpenSsl openssl;
    const PrivateKey key = key_of(1);
    const std::string authority = make_authority(key, "office", serial, ten_years);
    const std::string leaf = issue(key, authority, key_of(2).public_key(), {"gate-1", {}, {}},
                                   Usage::tls_client, serial, ten_years);
    openssl.put("k", key.to_pem());
    struct Case {
        const char* what;
        const char* extensions;
        bool is_authority;
    };
    const Case cases[] = {
        {"an authority",
         "-addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign", true},
        {"may sign, is none",
         "-addext basicConstraints=critical,CA:FALSE -addext keyUsage=critical,keyCertSign", false},
        {"is one, may not sign",
         "-addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,cRLSign", false},
    };
    openssl.put("empty.cnf", "[req]\ndistinguished_name=dn\n[dn]\n");
    for (const Case& c : cases) {
        CAPTURE(c.what);
        const auto made = openssl.run(
            std::string{"req -config empty.cnf -new -x509 -key k -out c -subj /CN=office "} +
            c.extensions);
        CAPTURE(made.text);
        REQUIRE(made.status == 0);
        const auto fault = check_chain(leaf, openssl.get("c"), std::nullopt);
        CHECK(fault.has_value() != c.is_authority);
    }
}
