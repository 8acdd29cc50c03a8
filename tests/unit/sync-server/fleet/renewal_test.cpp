// How long a device stays one of ours, and how it ceases to be.
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>

#include "tests/unit/sync-server/fleet/yard.hpp"

using namespace pf;
using namespace pf::tests;
using fleet::DeviceState;
using fleet::Refusal;
using std::chrono::days;

namespace {

std::shared_ptr<BIO> memory_of(const std::string& text) {
    return {BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), BIO_free_all};
}

/// The authority's word on who is out, read by somebody else's library.
struct RevocationList {
    RevocationList(const std::string& pem, const std::string& authority_pem)
        : crl{PEM_read_bio_X509_CRL(memory_of(pem).get(), nullptr, nullptr, nullptr),
              X509_CRL_free},
          authority{PEM_read_bio_X509(memory_of(authority_pem).get(), nullptr, nullptr, nullptr),
                    X509_free} {
        REQUIRE(crl != nullptr);
        REQUIRE(authority != nullptr);
    }
    bool is_signed() const {
        return X509_CRL_verify(crl.get(), X509_get0_pubkey(authority.get())) == 1;
    }
    bool names(const std::string& certificate_pem) const {
        const std::shared_ptr<X509> certificate{
            PEM_read_bio_X509(memory_of(certificate_pem).get(), nullptr, nullptr, nullptr),
            X509_free};
        REQUIRE(certificate != nullptr);
        X509_REVOKED* entry = nullptr;
        return X509_CRL_get0_by_cert(crl.get(), &entry, certificate.get()) == 1;
    }
    bool good_at(WallTime at) const {
        const time_t seconds = static_cast<time_t>(to_ms(at) / 1000);
        return ASN1_TIME_cmp_time_t(X509_CRL_get0_lastUpdate(crl.get()), seconds) <= 0 &&
               ASN1_TIME_cmp_time_t(X509_CRL_get0_nextUpdate(crl.get()), seconds) > 0;
    }
    std::shared_ptr<X509_CRL> crl;
    std::shared_ptr<X509> authority;
};

RevocationList list_of(Yard& yard) {
    return {yard.act([&](Repositories& r, const Call&) {
                return fleet::revocation_list(r, yard.keys(), yard.now);
            }),
            yard.keys().authority_pem};
}

}  // namespace

TEST_CASE("a certificate is renewed until 18 months past its end") {
    struct Case {
        int after_days;
        Millis and_ms;
        bool renewed;
        const char* why;
    };
    const int end = fleet::certificate_days, grace = fleet::renewal_grace_days;
    const Case cases[] = {
        {0, Millis{0}, true, "at once"},
        {end * 2 / 3, Millis{0}, true, "at two thirds"},
        {end, Millis{1}, true, "expired"},
        {end + grace, Millis{-1}, true, "the last moment"},
        {end + grace, Millis{0}, false, "too late"},
        {end + 10 * grace, Millis{0}, false, "years on"},
    };
    for (const Case& c : cases) {
        CAPTURE(c.why);
        Yard yard;
        const auto gate = yard.add_device("gate-1");
        yard.now += days{c.after_days} + c.and_ms;
        const auto key = yard.new_key();
        const auto renewed =
            yard.renew(gate.identity.certificate_pem, crypto::make_request(key, "other"));
        CHECK(renewed.has_value() == c.renewed);
        if (!c.renewed) {
            CHECK(renewed.error() == Refusal::certificate_too_old);
            CHECK(yard.device("gate-1").key == gate.key.public_key());
            continue;
        }
        const auto certificate = crypto::read_certificate(renewed->certificate_pem);
        REQUIRE(certificate.has_value());
        CHECK(certificate->common_name == "gate-1");
        CHECK(certificate->key == key.public_key());
        CHECK(certificate->validity.until >= yard.now + days{end} - Millis{999});
        CHECK(renewed->certificate_pem != gate.identity.certificate_pem);
        CHECK(renewed->topic_root == gate.identity.topic_root);
        CHECK(yard.device("gate-1").key == key.public_key());
        CHECK(yard.device("gate-1").certificate_until == yard.now + days{end});
        const auto known = yard.act(
            [&](Repositories& r, const Call&) { return fleet::keys_of(r, device_id("gate-1")); });
        CHECK(known.size() == 2);
    }
}

TEST_CASE("nobody else's certificate renews anything") {
    Yard yard;
    const auto gate = yard.add_device("gate-1");
    const auto request = crypto::make_request(gate.key, "gate-1");
    crypto::Serial serial{};
    serial[0] = 0x42;
    const crypto::Validity validity{wall_from_ms(0), yard.now + days{30}};
    const auto other_key = yard.new_key();
    const auto other_authority =
        crypto::make_authority(other_key, "Paifang test", serial, validity);
    const auto key = gate.key.public_key();
    const auto usage = crypto::Usage::tls_client;
    struct Case {
        std::string certificate;
        const char* why;
    };
    const Case cases[] = {
        {"", "nothing"},
        {"no PEM", "no certificate"},
        {crypto::issue(other_key, other_authority, key, {"gate-1", {}, {}}, usage, serial,
                       validity),
         "of an authority that calls itself as ours does"},
        {crypto::issue(yard.keys().authority, yard.keys().authority_pem, key, {"gate-1", {}, {}},
                       usage, serial, validity),
         "of our authority, but not one we remember issuing"},
        {yard.keys().authority_pem, "the authority's own"},
    };
    for (const Case& c : cases) {
        CAPTURE(c.why);
        CHECK(yard.renew(c.certificate, request).error() == Refusal::certificate_bad);
    }
    CHECK(yard.renew(gate.identity.certificate_pem, "no request").error() == Refusal::request_bad);
    CHECK(yard.renew(gate.identity.certificate_pem, request).has_value());
}

TEST_CASE("a revoked device is out: no renewal, on the list, for good") {
    Yard yard;
    const auto gate = yard.add_device("gate-1");
    const auto other = yard.add_device("gate-2");
    const auto renewed =
        yard.renew(gate.identity.certificate_pem, crypto::make_request(yard.new_key(), "gate-1"));
    REQUIRE(renewed.has_value());
    CHECK_FALSE(list_of(yard).names(gate.identity.certificate_pem));

    CHECK(yard.revoke("gate-9") == Refusal::device_unknown);
    CHECK_FALSE(yard.revoke("gate-1").has_value());
    CHECK_FALSE(yard.revoke("gate-1").has_value());  // twice is the same wish twice
    CHECK(yard.device("gate-1").state == DeviceState::revoked);
    CHECK(yard.device("gate-1").key.has_value());  // its journal is still to be read
    CHECK_FALSE(yard.device("gate-1").connected);
    CHECK(yard.device("gate-2").state == DeviceState::active);
    for (const auto& pem : {gate.identity.certificate_pem, renewed->certificate_pem})
        CHECK(yard.renew(pem, crypto::make_request(yard.new_key(), "gate-1")).error() ==
              Refusal::device_revoked);

    const auto list = list_of(yard);
    CHECK(list.is_signed());
    CHECK(list.names(gate.identity.certificate_pem));
    CHECK(list.names(renewed->certificate_pem));
    CHECK_FALSE(list.names(other.identity.certificate_pem));
}

TEST_CASE("the list is good from 1970 for a year, and forgets who could not come back anyway") {
    Yard yard;
    const auto gate = yard.add_device("gate-1");
    REQUIRE_FALSE(yard.revoke("gate-1").has_value());
    const auto list = list_of(yard);
    CHECK(list.good_at(wall_from_ms(0)));
    CHECK(list.good_at(yard.now + days{364}));
    CHECK_FALSE(list.good_at(yard.now + days{366}));
    struct Case {
        int after_days;
        bool named;
        const char* why;
    };
    const Case cases[] = {
        {fleet::certificate_days + 1, true, "expired: it could still be renewed"},
        {fleet::certificate_days + fleet::renewal_grace_days - 1, true, "the last day"},
        {fleet::certificate_days + fleet::renewal_grace_days, false, "nobody takes it any more"},
    };
    const WallTime paired = yard.now;
    for (const Case& c : cases) {
        CAPTURE(c.why);
        yard.now = paired + days{c.after_days};
        CHECK(list_of(yard).names(gate.identity.certificate_pem) == c.named);
    }
}
