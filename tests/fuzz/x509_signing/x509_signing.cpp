#include "tests/fuzz/x509_signing/x509_signing.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace pf::fuzz {
namespace {

/// Tag, length, value (X.690 section 8.1), of any length below 16 MiB.
Bytes der(Byte tag, BytesView value) {
    Bytes out{tag};
    if (value.size() > 0x7F) {
        Bytes length;
        for (std::size_t left = value.size(); left > 0; left >>= 8U)
            length.insert(length.begin(), static_cast<Byte>(left & 0xFFU));
        out.push_back(static_cast<Byte>(0x80U | length.size()));
        out.insert(out.end(), length.begin(), length.end());
    } else {
        out.push_back(static_cast<Byte>(value.size()));
    }
    out.insert(out.end(), value.begin(), value.end());
    return out;
}

Bytes integer(BytesView big_endian) {
    while (big_endian.size() > 1 && big_endian.front() == 0) big_endian = big_endian.subspan(1);
    Bytes value(big_endian.begin(), big_endian.end());
    if ((value.front() & 0x80U) != 0) value.insert(value.begin(), 0);
    return der(0x02, value);
}

void append(Bytes& out, const Bytes& more) { out.insert(out.end(), more.begin(), more.end()); }

const crypto::PrivateKey& kept(const char* pem) {
    const auto key = crypto::PrivateKey::from_pem(pem);
    require(key.has_value(), "the target's own key is read");
    return *new crypto::PrivateKey{*key};
}

}  // namespace

void require(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "property: %s\n", what);
    std::abort();
}

const crypto::PrivateKey& example_key() {
    static const crypto::PrivateKey& key = kept(
        "-----BEGIN EC PRIVATE KEY-----\n"
        "MHcCAQEEIMmvqdhFunUWa1whV2ex1pNOUMPbNuibEnuKYisSD2choAoGCCqGSM49\n"
        "AwEHoUQDQgAEYP7UuiVanTHJYet0xjVtaMBJuJI7Yfps5mliLmDyn7Z5A/4QCLi8\n"
        "maQa6elWKLxk8vGyDC1+n1F3o8KU1EYimQ==\n"
        "-----END EC PRIVATE KEY-----\n");
    return key;
}

const crypto::PrivateKey& strange_key() {
    static const crypto::PrivateKey& key = kept(
        "-----BEGIN EC PRIVATE KEY-----\n"
        "MHcCAQEEIIkKyUKW8da5zgB6663BnnLbEN9c7QPGVVkYBhCATqjpoAoGCCqGSM49\n"
        "AwEHoUQDQgAEqd9b9Yrz9IrhZRdLTZ2wIzIBjtt6iy2ZTc38XQKf23/ISyT5pxDi\n"
        "pQg8ar694gStfr609GKTVzsxiEwuHKt+ew==\n"
        "-----END EC PRIVATE KEY-----\n");
    return key;
}

Bytes signed_der(BytesView body, const crypto::PrivateKey& key) {
    // 1.2.840.10045.4.3.2
    static const Bytes algorithm{0x30, 0x0A, 0x06, 0x08, 0x2A, 0x86,
                                 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02};
    const crypto::Signature signature = key.sign(body);
    const BytesView both{signature};
    Bytes numbers = integer(both.first(32));
    append(numbers, integer(both.subspan(32)));
    Bytes bits{0};
    append(bits, der(0x30, numbers));
    Bytes out(body.begin(), body.end());
    append(out, algorithm);
    append(out, der(0x03, bits));
    return der(0x30, out);
}

std::string to_pem(BytesView bytes, const std::string& label) {
    std::string base64(bytes.size() / 3 * 4 + 5, '\0');
    const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(base64.data()),
                                       bytes.data(), static_cast<int>(bytes.size()));
    base64.resize(static_cast<std::size_t>(length));
    constexpr std::size_t line = 64;
    std::string out = "-----BEGIN " + label + "-----\n";
    for (std::size_t at = 0; at < base64.size(); at += line) out += base64.substr(at, line) + '\n';
    return out + "-----END " + label + "-----\n";
}

}  // namespace pf::fuzz
