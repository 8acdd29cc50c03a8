#include <doctest/doctest.h>

#include <optional>
#include <string>

#include "common/crypto/crypto.hpp"
#include "tests/support/fixed_entropy.hpp"

using namespace pf;
using namespace pf::crypto;

namespace {

std::string pem(const std::string& label, const std::string& body) {
    return "-----BEGIN " + label + "-----\n" + body + "-----END " + label + "-----\n";
}

const std::string sec1 = pem("EC PRIVATE KEY",
                             "MDECAQEEIMmvqdhFunUWa1whV2ex1pNOUMPbNuibEnuKYisSD2choAoGCCqGSM49\n"
                             "AwEH\n");
const std::string public_pem =
    pem("PUBLIC KEY",
        "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEYP7UuiVanTHJYet0xjVtaMBJuJI7\n"
        "Yfps5mliLmDyn7Z5A/4QCLi8maQa6elWKLxk8vGyDC1+n1F3o8KU1EYimQ==\n");

}  // namespace

TEST_CASE("keys come back from PEM as they went in") {
    tests::SeededEntropy entropy{3};
    const PrivateKey key = PrivateKey::generate(entropy);
    const auto again = PrivateKey::from_pem(key.to_pem());
    REQUIRE(again);
    CHECK(again->sign(to_bytes("x")) == key.sign(to_bytes("x")));
    CHECK(again->public_key() == key.public_key());
    const auto public_again = PublicKey::from_pem(key.public_key().to_pem());
    REQUIRE(public_again);
    CHECK(*public_again == key.public_key());
}

TEST_CASE("private keys: ours, and what else is refused") {
    struct Case {
        const char* what;
        std::string text;
        bool is_key;
    };
    const Case cases[] = {
        {"SEC 1 without the public half", sec1, true},
        {"PKCS#8",
         pem("PRIVATE KEY",
             "MEECAQAwEwYHKoZIzj0CAQYIKoZIzj0DAQcEJzAlAgEBBCDJr6nYRbp1FmtcIVdn\n"
             "sdaTTlDD2zbomxJ7imIrEg9nIQ==\n"),
         true},
        {"words around it", "a key:\n" + sec1 + "end\n", true},
        {"number zero",
         pem("EC PRIVATE KEY",
             "MDECAQEEIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAoAoGCCqGSM49\nAwEH\n"),
         false},
        {"number n",
         pem("EC PRIVATE KEY",
             "MDECAQEEIP////8AAAAA//////////+85vqtpxeehPO5ysL8YyVRoAoGCCqGSM49\nAwEH\n"),
         false},
        {"public half of another key",
         pem("EC PRIVATE KEY",
             "MHcCAQEEIMmvqdhFunUWa1whV2ex1pNOUMPbNuibEnuKYisSD2choAoGCCqGSM49\n"
             "AwEHoUQDQgAEaxfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpZP40Li/hp/\n"
             "m47n60p8D54WK84zV2sxXs7LtkBoN79R9Q==\n"),
         false},
        {"secp256k1",
         pem("EC PRIVATE KEY",
             "MHQCAQEEIKbrCfCpSnHkcbDXfpsYivC4vpXk6NgxAvMs9EJHp1m2oAcGBSuBBAAK\n"
             "oUQDQgAEyZFmj8LlfJW3F7Acg30+Ix59vD45pgsBCuB+Q0V1N/vK96GZW527UQvS\n"
             "sT9GrBjtPCubCDPIdeMR9nDRxniv9g==\n"),
         false},
        {"secp384r1",
         pem("EC PRIVATE KEY",
             "MIGkAgEBBDBs1jl5kFe6ztXMZckeg5yMSfFhp25ZM/8gmJXVa1EcSRTHR+A9tcEI\n"
             "/ygJGHEvhbegBwYFK4EEACKhZANiAATcjHAspYxhBjzpBhcReEOH0QZbN25fB3g/\n"
             "byPWpT4gsk5yxuW2WchwbZKyUsbUA2FKejawF7Gi5aZLegJFB5OIQAFzz9SLMuyJ\n"
             "hRY4F1WyiqMenaq4reb2AwL4csj4c7M=\n"),
         false},
        {"encrypted",
         pem("ENCRYPTED PRIVATE KEY",
             "MIGrMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAgZMohHPmB7UgICCAAw\n"
             "DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEED68TcRDZsuMMR5ueEgyREIEUKlW\n"
             "vpJC9PdBmwhSHYmimvMBS6aOK1Ey+qiEzRS/lWT9M+zwPHncDlhV50q6EMRgmn6T\n"
             "Djmsb1aCtsmOoPZqMRjWQv3Y9Fhf470DA+elEU2G\n"),
         false},
        {"a public key", public_pem, false},
        {"cut", sec1.substr(0, sec1.size() - 10), false},
        {"bad base64", pem("EC PRIVATE KEY", "****\n"), false},
        {"a zero byte inside", sec1 + std::string(1, '\0') + "x", false},
        {"nothing", "", false},
    };
    for (const Case& c : cases) {
        CAPTURE(c.what);
        CHECK(PrivateKey::from_pem(c.text).has_value() == c.is_key);
    }
}

TEST_CASE("public keys: ours, and what else is refused") {
    struct Case {
        const char* what;
        std::string text;
        bool is_key;
    };
    const Case cases[] = {
        {"P-256", public_pem, true},
        {"compressed",
         pem("PUBLIC KEY",
             "MDkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDIgADYP7UuiVanTHJYet0xjVtaMBJuJI7\n"
             "Yfps5mliLmDyn7Y=\n"),
         false},
        {"secp256k1",
         pem("PUBLIC KEY",
             "MFYwEAYHKoZIzj0CAQYFK4EEAAoDQgAEOMeDA90BPxi17V91u96w8mQrW99qeiAV\n"
             "eXp3SjHhT0R1S+JkmpwNr0/EIItRYR41eqfdf06drhSnbzrX/nCO2w==\n"),
         false},
        {"secp384r1",
         pem("PUBLIC KEY",
             "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEGrY9oH59QMFsvWcKA/JgDunlVSWdljyK\n"
             "0mA0Iy220jD83IXcfg/JpzQIddPWajKwvpXJeRFs1eWULtxRJJ4BovI9l99dsp/t\n"
             "jjp6BZ7RMSXNXwDMAbwmvohjPsxkNG4P\n"),
         false},
        {"RSA",
         pem("PUBLIC KEY",
             "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQC5lh6QXOPKzKcNkouRrLgvQ4E/\n"
             "efqTrJsV11k7Ji4HAn6RnshKgzFDlIj+XsZh5sMddCNeqwj+/FAAEGfkZBWlG+GV\n"
             "3xWK3TSa/sLdB3IPpadsN9vPf7l+vsUEnOfP9BWBGYKT4e3Nhz1MR/R53PlIKNzE\n"
             "DgDs+i3pEGIMul+rkwIDAQAB\n"),
         false},
        {"not on the curve",
         pem("PUBLIC KEY",
             "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEYP7UuiVanTHJYet0xjVtaMBJuJI7\n"
             "Yfps5mliLmDyn7Z5A/4QCLi8maQa6elWKLxk8vGyDC1+n1F3o8KU1EYimg==\n"),
         false},
        {"a private key", sec1, false},
        {"nothing", "", false},
    };
    for (const Case& c : cases) {
        CAPTURE(c.what);
        CHECK(PublicKey::from_pem(c.text).has_value() == c.is_key);
    }
}
