// How a machine becomes one of ours: a code that works once, for a day, for the key that brings it.
#include <set>

#include "common/crypto/crypto.hpp"
#include "tests/unit/sync-server/fleet/yard.hpp"

using namespace pf;
using namespace pf::tests;
using fleet::DeviceState;
using fleet::Refusal;

namespace {

std::string typed(const std::string& code) { return code.substr(0, code.find('.')); }

std::string request_of(Yard& yard, const std::string& name = "anything") {
    return crypto::make_request(yard.new_key(), name);
}

}  // namespace

TEST_CASE("a code is taken as people type it, and nothing else is") {
    struct Case {
        std::string (*type)(const std::string& code);
        std::optional<Refusal> refusal;
        const char* why;
    };
    const Case cases[] = {
        {[](const std::string& code) { return code; }, {}, "with the fingerprint behind it"},
        {[](const std::string& code) { return typed(code); }, {}, "only the part that is typed"},
        {[](const std::string& code) {
             std::string out;
             for (const char c : typed(code))
                 out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
             return out;
         },
         {},
         "small letters"},
        {[](const std::string& code) {
             const auto text = typed(code);
             return " " + text.substr(0, 4) + "-" + text.substr(4, 3) + " " + text.substr(7) + " ";
         },
         {},
         "in groups"},
        {[](const std::string&) { return std::string{}; }, Refusal::code_unknown, "nothing"},
        {[](const std::string& code) { return typed(code).substr(1); }, Refusal::code_unknown,
         "a part"},
        {[](const std::string& code) { return typed(code) + "2"; }, Refusal::code_unknown,
         "and more"},
        {[](const std::string& code) {
             auto text = typed(code);
             text[3] = text[3] == '7' ? '8' : '7';
             return text;
         },
         Refusal::code_unknown, "one letter wrong"},
        {[](const std::string& code) { return code.substr(code.find('.')); }, Refusal::code_unknown,
         "only the fingerprint"},
    };
    for (const Case& c : cases) {
        CAPTURE(c.why);
        Yard yard;
        const auto code = yard.invite("gate-1");
        REQUIRE(code.has_value());
        const auto paired = yard.pair(c.type(code->text), request_of(yard));
        CHECK(paired.has_error() == c.refusal.has_value());
        if (c.refusal) CHECK(paired.error() == *c.refusal);
        CHECK(yard.device("gate-1").state ==
              (c.refusal ? DeviceState::invited : DeviceState::active));
    }
}

TEST_CASE("a code works once, for a day, and only the newest of a device") {
    Yard yard;
    const auto first = yard.invite("gate-1");
    const auto second = yard.invite("gate-1");
    REQUIRE(first.has_value());
    REQUIRE(second.has_value());
    CHECK(first->text != second->text);
    CHECK(second->device == device_id("gate-1"));
    CHECK(second->expires_at == yard.now + fleet::pairing_span_ms);
    CHECK(yard.pair(first->text, request_of(yard)).error() == Refusal::code_unknown);
    CHECK(yard.pair(second->text, request_of(yard)).has_value());
    CHECK(yard.pair(second->text, request_of(yard)).error() == Refusal::code_unknown);

    struct Case {
        Millis later;
        bool taken;
        const char* why;
    };
    const Case cases[] = {
        {fleet::pairing_span_ms - Millis{1}, true, "the last moment"},
        {fleet::pairing_span_ms, false, "the moment it ends"},
        {fleet::pairing_span_ms * 30, false, "a month on"},
    };
    for (const Case& c : cases) {
        CAPTURE(c.why);
        Yard other;
        const auto code = other.invite("gate-1");
        REQUIRE(code.has_value());
        other.now += c.later;
        const auto paired = other.pair(code->text, request_of(other));
        CHECK(paired.has_value() == c.taken);
        if (!c.taken) CHECK(paired.error() == Refusal::code_expired);
    }
}

TEST_CASE("a request that is none leaves the code good") {
    Yard yard;
    const auto code = yard.invite("gate-1");
    REQUIRE(code.has_value());
    const std::string good = request_of(yard);
    std::string tampered = good;
    const auto middle = good.size() / 2;
    tampered[middle] = tampered[middle] == 'A' ? 'B' : 'A';
    const auto key = yard.new_key();
    const std::string requests[] = {"",       "no PEM",     good.substr(0, good.size() / 2),
                                    tampered, key.to_pem(), yard.keys().authority_pem};
    for (const std::string& request : requests) {
        CAPTURE(request);
        CHECK(yard.pair(code->text, request).error() == Refusal::request_bad);
        CHECK_FALSE(yard.device("gate-1").key.has_value());
    }
    CHECK(yard.pair(code->text, good).has_value());
}

TEST_CASE("the code says whom to trust, and whoever reads the database can't use it") {
    Yard yard;
    const auto code = yard.invite("gate-1");
    REQUIRE(code.has_value());
    const auto dot = code->text.find('.');
    REQUIRE(dot == 10);
    CHECK(code->text.substr(dot + 1) ==
          to_hex(fleet::certificate_fingerprint(yard.keys().authority_pem)));
    CHECK(yard.at_rest("gate-1"));  // the files are the ones looked at
    CHECK_FALSE(yard.at_rest(typed(code->text)));
}

TEST_CASE("a paired device gets a certificate of our authority for its own key") {
    Yard yard;
    const auto code = yard.invite("gate-1", SiteId{2});
    REQUIRE(code.has_value());
    const auto key = yard.new_key();
    // What it calls itself says nothing: the code names it.
    const auto identity = yard.pair(code->text, crypto::make_request(key, "somebody-else"));
    REQUIRE(identity.has_value());
    const auto certificate = crypto::read_certificate(identity->certificate_pem);
    REQUIRE(certificate.has_value());
    CHECK(certificate->common_name == "gate-1");
    CHECK(certificate->key == key.public_key());
    CHECK_FALSE(certificate->is_authority);
    CHECK(certificate->validity.from == wall_from_ms(0));  // its clock may stand at 1970
    CHECK(certificate->validity.until == yard.now + std::chrono::days{fleet::certificate_days});
    const auto& authority = yard.keys().authority_pem;
    CHECK_FALSE(crypto::check_chain(identity->certificate_pem, authority, yard.now).has_value());
    CHECK(identity->authority_pem == authority);
    CHECK(identity->device == device_id("gate-1"));
    CHECK(identity->site == SiteId{2});
    CHECK(identity->site_authority == yard.act([&](Repositories& r, const Call&) {
        return fleet::site_authority(r, yard.keys(), SiteId{2}).public_key().point();
    }));
    const auto device = yard.device("gate-1");
    CHECK(device.state == DeviceState::active);
    CHECK(device.key == key.public_key());
    CHECK(device.certificate_until == certificate->validity.until);
    CHECK(device.partition < wire::partition_count);
    CHECK(identity->topic_root == wire::device_root(device.partition, device.id));
    CHECK(yard.add_device("gate-2").identity.certificate_pem != identity->certificate_pem);
}

TEST_CASE("who may be invited") {
    struct Case {
        const char* name;
        SiteId site;
        std::optional<Refusal> refusal;
        const char* why;
    };
    const Case cases[] = {
        {"gate-9", SiteId{1}, {}, "a new one"},
        {"gate-9", SiteId{7}, Refusal::site_unknown, "nowhere"},
        {"gate-1", SiteId{1}, {}, "a replacement for one that works"},
        {"gate-1", SiteId{2}, Refusal::device_exists, "another site's name"},
        {"gate-2", SiteId{1}, Refusal::device_revoked, "a revoked name"},
        {"gate-2", SiteId{2}, Refusal::device_exists, "another site's revoked name"},
    };
    for (const Case& c : cases) {
        CAPTURE(c.why);
        Yard yard;
        yard.add_device("gate-1");
        yard.add_device("gate-2");
        REQUIRE_FALSE(yard.revoke("gate-2").has_value());
        const auto code = yard.invite(c.name, c.site);
        CHECK(code.has_error() == c.refusal.has_value());
        if (c.refusal) CHECK(code.error() == *c.refusal);
    }
}

TEST_CASE("a replacement puts the old board out the moment it is paired, not before") {
    Yard yard;
    const auto old = yard.add_device("gate-1");
    const auto code = yard.invite("gate-1");
    REQUIRE(code.has_value());
    CHECK(yard.device("gate-1").key == old.key.public_key());
    CHECK(yard.renew(old.identity.certificate_pem, crypto::make_request(old.key, "x")).has_value());

    yard.now += Millis{60'000};
    const auto key = yard.new_key();
    REQUIRE(yard.pair(code->text, crypto::make_request(key, "x")).has_value());
    CHECK(yard.device("gate-1").key == key.public_key());
    CHECK(yard.renew(old.identity.certificate_pem, crypto::make_request(old.key, "x")).error() ==
          Refusal::device_revoked);
    // Its journal is still to be read: under the key it was written with.
    const auto known = yard.act(
        [&](Repositories& r, const Call&) { return fleet::keys_of(r, device_id("gate-1")); });
    CHECK(known == std::vector{key.public_key(), old.key.public_key()});
}

TEST_CASE("a device revoked while its code waits is not paired") {
    Yard yard;
    const auto code = yard.invite("gate-1");
    REQUIRE(code.has_value());
    REQUIRE_FALSE(yard.revoke("gate-1").has_value());
    CHECK(yard.pair(code->text, request_of(yard)).error() == Refusal::device_revoked);
    CHECK_FALSE(yard.device("gate-1").key.has_value());
}

TEST_CASE("every refusal has a word of its own") {
    std::set<std::string_view> words;
    for (int i = 1; i <= static_cast<int>(Refusal::device_revoked); ++i)
        words.insert(fleet::to_text(static_cast<Refusal>(i)));
    CHECK(words.size() == static_cast<std::size_t>(Refusal::device_revoked));
}

TEST_CASE("inviting the name of a device in service changes nothing until the code is used") {
    Yard yard;
    yard.add_device("gate-1");
    const auto before = yard.device("gate-1").configuration;
    const auto invite_as = [&](const std::string& number) {
        return yard.attempt([&](Repositories& r, const Call& call) {
            return fleet::invite(r, call, yard.keys(), SiteId{1}, device_id("gate-1"),
                                 Yard::configuration(number));
        });
    };
    const auto versions = [&] {
        return yard.act([&](Repositories& r, const Call&) {
            return fleet::document_versions(r, *fleet::device(r, device_id("gate-1")));
        });
    };
    const auto known = versions();
    const auto first = invite_as("forgotten");
    const auto code = invite_as("17");
    REQUIRE(code.has_value());
    CHECK(yard.device("gate-1").configuration == before);
    CHECK(versions() == known);
    CHECK(yard.pair(first->text, crypto::make_request(yard.new_key(), "gate-1")).has_error());
    REQUIRE(yard.pair(code->text, crypto::make_request(yard.new_key(), "gate-1")).has_value());
    CHECK(yard.device("gate-1").configuration == Yard::configuration("17"));
    CHECK(versions() != known);
    CHECK(yard.device("gate-1").state == fleet::DeviceState::active);
}
