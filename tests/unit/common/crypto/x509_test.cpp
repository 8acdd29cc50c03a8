#include "common/crypto/x509.hpp"

#include <doctest/doctest.h>

#include "tests/support/fixed_entropy.hpp"

using namespace pf;
using namespace pf::crypto;

namespace {

WallTime at(std::string_view text) {
    const auto time = wall_from_rfc3339(text);
    REQUIRE(time);
    return *time;
}

PrivateKey key_of(std::uint64_t seed) {
    tests::SeededEntropy entropy{seed};
    return PrivateKey::generate(entropy);
}

std::string text_of(const std::optional<ChainFault>& fault) {
    return fault ? std::string{to_text(*fault)} : "none";
}

const Validity ten_years{wall_from_ms(1767225600000), wall_from_ms(2082758399000)};
const Validity one_year{wall_from_ms(1777593600000), wall_from_ms(1809129600000)};
const Serial first = *array_from_hex<16>("00000000000000000000000000000001");
const Serial second = *array_from_hex<16>("7fffffffffffffffffffffffffffffff");

/// One authority and a gate's certificate, as the server makes them.
struct Chain {
    PrivateKey authority_key = key_of(1);
    PrivateKey gate_key = key_of(2);
    std::string authority = make_authority(authority_key, "Paifang 县, office", first, ten_years);
    std::string gate = issue(authority_key, authority, gate_key.public_key(), {"gate-1", {}, {}},
                             Usage::tls_client, second, one_year);
};

/// Every text that differs in one character of the PEM's body, except in its last line, where
/// Base64 leaves bits unused.
template <class Check>
void for_each_change(const std::string& pem, Check check) {
    const std::size_t begin = pem.find('\n') + 1;
    const std::size_t end = pem.rfind('\n', pem.find("\n-----END") - 1);
    for (std::size_t i = begin; i < end; ++i) {
        if (pem[i] == '\n') continue;
        std::string changed = pem;
        changed[i] = pem[i] == 'A' ? 'B' : 'A';
        CAPTURE(i);
        check(changed);
    }
}

}  // namespace

TEST_CASE("a request says who asks and proves the key") {
    const PrivateKey key = key_of(3);
    const std::string request = make_request(key, "gate-17");
    const auto info = read_request(request);
    REQUIRE(info);
    CHECK(info->common_name == "gate-17");
    CHECK(info->key == key.public_key());
    CHECK(request == make_request(key, "gate-17"));  // nothing random in it
    // Two bytes of a request are not signed: the absent parameters of the outer algorithm name. So
    // a change is refused or changes nothing.
    int accepted = 0;
    for_each_change(request, [&](const std::string& changed) {
        const auto read = read_request(changed);
        if (!read) return;
        ++accepted;
        CHECK(read->common_name == info->common_name);
        CHECK(read->key == info->key);
    });
    CHECK(accepted <= 4);
    CHECK_FALSE(read_request(""));
    CHECK_FALSE(read_request(key.to_pem()));
    CHECK_FALSE(read_request(Chain{}.gate));
}

TEST_CASE("names are taken letter by letter") {
    const PrivateKey key = key_of(3);
    for (const std::string name : {"a", "CN=x, O=y", "a\\b", " a ", "牌坊", "a/b+c"}) {
        CAPTURE(name);
        const auto info = read_request(make_request(key, name));
        REQUIRE(info);
        CHECK(info->common_name == name);
    }
    CHECK(read_request(make_request(key, std::string(64, 'x'))));
    CHECK_FALSE(read_request(make_request(key, std::string("a\0b", 3))));
}

TEST_CASE("certificates say what was put into them") {
    const Chain chain;
    const auto authority = read_certificate(chain.authority);
    REQUIRE(authority);
    CHECK(authority->common_name == "Paifang 县, office");
    CHECK(authority->issuer_common_name == authority->common_name);
    CHECK(to_hex(authority->serial) == "01");
    CHECK(authority->key == chain.authority_key.public_key());
    CHECK(authority->is_authority);
    CHECK(authority->validity.from == ten_years.from);
    CHECK(authority->validity.until == ten_years.until);

    const auto gate = read_certificate(chain.gate);
    REQUIRE(gate);
    CHECK(gate->common_name == "gate-1");
    CHECK(gate->issuer_common_name == "Paifang 县, office");
    CHECK(to_hex(gate->serial) == "7fffffffffffffffffffffffffffffff");
    CHECK(gate->key == chain.gate_key.public_key());
    CHECK_FALSE(gate->is_authority);
    CHECK(gate->validity.from == one_year.from);
    CHECK(gate->validity.until == one_year.until);
}

TEST_CASE("dates on both sides of 2050 and of 1970 come back") {
    const PrivateKey key = key_of(1);
    struct Case {
        const char* from;
        const char* until;
    };
    const Case cases[] = {
        {"1970-01-01T00:00:00.000Z", "2049-12-31T23:59:59.000Z"},
        {"2049-12-31T23:59:59.000Z", "2050-01-01T00:00:00.000Z"},
        {"2026-02-28T23:59:59.000Z", "9999-12-31T23:59:59.000Z"},
    };
    for (const Case& c : cases) {
        CAPTURE(c.from);
        const auto info =
            read_certificate(make_authority(key, "x", first, {at(c.from), at(c.until)}));
        REQUIRE(info);
        CHECK(to_rfc3339(info->validity.from) == c.from);
        CHECK(to_rfc3339(info->validity.until) == c.until);
    }
    const WallTime with_ms = at("2026-05-01T08:00:00.999Z");
    const auto info = read_certificate(make_authority(key, "x", first, {with_ms, with_ms}));
    REQUIRE(info);
    CHECK(to_rfc3339(info->validity.until) == "2026-05-01T08:00:00.000Z");
}

TEST_CASE("who issued what, and when it holds") {
    const Chain chain;
    const PrivateKey other_key = key_of(9);
    const auto authority = [](const PrivateKey& key, const char* name, Validity validity) {
        return make_authority(key, name, first, validity);
    };
    const char* name = "Paifang 县, office";
    const std::string same_name = authority(other_key, name, ten_years);
    const std::string same_key = authority(chain.authority_key, "another office", ten_years);
    const std::string short_lived =
        authority(chain.authority_key, name, {one_year.from, at("2026-06-01T00:00:00.000Z")});
    struct Case {
        const char* what;
        std::string leaf, authority;
        const char* at;  // nothing: dates are ignored
        const char* fault;
    };
    const Case cases[] = {
        {"dates ignored", chain.gate, chain.authority, "", "none"},
        {"in its time", chain.gate, chain.authority, "2026-07-01T00:00:00.000Z", "none"},
        {"first second", chain.gate, chain.authority, "2026-05-01T00:00:00.000Z", "none"},
        {"before", chain.gate, chain.authority, "2026-04-30T23:59:59.999Z", "not_yet_valid"},
        {"unset clock", chain.gate, chain.authority, "1970-01-01T00:00:00.000Z", "not_yet_valid"},
        {"last second", chain.gate, chain.authority, "2027-05-01T00:00:00.999Z", "none"},
        {"after", chain.gate, chain.authority, "2027-05-01T00:00:01.000Z", "expired"},
        {"its authority has expired", chain.gate, short_lived, "2026-07-01T00:00:00.000Z",
         "expired"},
        {"an authority of the same name", chain.gate, same_name, "", "not_issued_here"},
        {"another name of the same key", chain.gate, same_key, "", "not_issued_here"},
        {"a leaf is no authority", chain.gate, chain.gate, "", "not_issued_here"},
        {"no leaf", "", chain.authority, "", "unreadable"},
        {"no authority", chain.gate, "", "", "unreadable"},
        {"two leaves", chain.gate + chain.gate, chain.authority, "", "unreadable"},
        {"a key", chain.gate_key.to_pem(), chain.authority, "", "unreadable"},
    };
    for (const Case& c : cases) {
        CAPTURE(c.what);
        std::optional<WallTime> when;
        if (*c.at) when = at(c.at);
        CHECK(text_of(check_chain(c.leaf, c.authority, when)) == c.fault);
    }
}

TEST_CASE("a leaf signed by another leaf is not ours") {
    // The gate's own certificate as an authority: right name, right key, but no authority.
    const Chain chain;
    const std::string self_made = make_authority(chain.gate_key, "gate-1", first, ten_years);
    const std::string child = issue(chain.gate_key, self_made, key_of(4).public_key(),
                                    {"gate-2", {}, {}}, Usage::tls_client, second, one_year);
    CHECK(text_of(check_chain(child, self_made, std::nullopt)) == "none");
    CHECK(text_of(check_chain(child, chain.gate, std::nullopt)) == "not_issued_here");
    CHECK(text_of(check_chain(child, chain.authority, std::nullopt)) == "not_issued_here");
}

TEST_CASE("no certificate survives a change") {
    const Chain chain;
    for_each_change(chain.gate, [&](const std::string& changed) {
        CHECK(check_chain(changed, chain.authority, std::nullopt).has_value());
    });
}
