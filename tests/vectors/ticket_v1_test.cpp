// docs/protocol/ticket-v1.md says what the code does: its examples and its tables.
#include <doctest/doctest.h>
#include <qrencode.h>

#include <map>
#include <memory>
#include <optional>
#include <set>

#include "common/admission/reason.hpp"
#include "common/ticket/token.hpp"
#include "tests/vectors/vectors.hpp"

using namespace pf;
using namespace pf::ticket;
using pf::tests::Vector;

namespace {

const char* const document = "ticket-v1.md";

Entitlement entitlement(std::uint32_t site, std::uint32_t product, const char* first, int days) {
    const Day first_day = *day_from(first);
    return {.site = {site},
            .product = {product},
            .first_day = first_day,
            .last_day = first_day + (days - 1),
            .window = {0},
            .entries = 1,
            .scope = Scope::validity};
}

/// What the examples mean. Bytes alone would not notice two claims exchanged.
std::map<std::string, Claims> meanings() {
    std::map<std::string, Claims> out;
    Claims typical{.id = *ticket_id_from("7c1f9d20a45be863"),
                   .generation = 1,
                   .person_type = PersonType::adult,
                   .persons = 1,
                   .holder = std::nullopt,
                   .entitlements = {entitlement(341, 12007, "2026-05-01", 1)}};
    out["typical"] = typical;

    Claims group{.id = *ticket_id_from("03d2b7f1580c96ae"),
                 .generation = 2,
                 .person_type = PersonType::student,
                 .persons = 5,
                 .holder = Holder{.key = 3, .hash = *array_from_hex<8>("a1b2c3d4e5f60718")},
                 .entitlements = {entitlement(341, 12040, "2026-10-01", 2)}};
    group.entitlements[0].window = {2};
    group.entitlements[0].entries = 2;
    group.entitlements[0].scope = Scope::day;
    out["group-with-holder"] = group;

    Claims joint = typical;
    joint.id = *ticket_id_from("e95a10c7443d2fb8");
    joint.entitlements = {entitlement(341, 12101, "2026-05-01", 3),
                          entitlement(342, 12101, "2026-05-01", 3),
                          entitlement(350, 12101, "2026-05-01", 3)};
    joint.entitlements[2].window = {7};
    out["joint-of-three"] = joint;

    Claims worst{.id = {UINT64_MAX},
                 .generation = UINT32_MAX,
                 .person_type = PersonType::free,
                 .persons = persons_max,
                 .holder = Holder{.key = UINT16_MAX, .hash = to_be8(UINT64_MAX)},
                 .entitlements = {}};
    for (std::uint32_t i = 0; i < entitlements_max; ++i) {
        Entitlement e = entitlement(UINT32_MAX - i, UINT32_MAX, "2149-06-06", validity_days_max);
        e.window = {UINT32_MAX};
        e.entries = entries_max;
        e.scope = Scope::day;
        worst.entitlements.push_back(e);
    }
    out["worst"] = worst;
    return out;
}

struct Key {
    crypto::PrivateKey secret;
    crypto::PublicKey open;
    crypto::KeyId id;
};

Key example_key() {
    for (const Vector& vector : tests::read_vectors(document)) {
        if (vector.kind() != "ticket.key") continue;
        const auto secret = crypto::PrivateKey::from_pem(vector.block("pem"));
        REQUIRE(secret);
        return {*secret, secret->public_key(), vector.array<4>("key_id")};
    }
    throw tests::Malformed{"no example key"};
}

std::string opened(const Key& key, const std::string& text) {
    const auto token =
        open(text, [&key](const crypto::KeyId& id) { return id == key.id ? &key.open : nullptr; });
    return token ? "none" : std::string{to_text(token.error())};
}

int qr_version(const std::string& text) {
    const std::unique_ptr<QRcode, decltype(&QRcode_free)> code{
        QRcode_encodeString(text.c_str(), 0, QR_ECLEVEL_M, QR_MODE_8, 1), &QRcode_free};
    return code ? code->version : 0;
}

void check_key(const Vector& vector) {
    const Key key = example_key();
    const auto pem = crypto::PrivateKey::from_pem(vector.block("pem"));
    REQUIRE(pem);
    CHECK(to_hex(pem->public_key().point()) == to_hex(vector.bytes("point")));
    CHECK(crypto::key_id(key.open) == vector.array<4>("key_id"));
    CHECK(vector.bytes("scalar").size() == 32);
}

void check_good(const Vector& vector, const Key& key) {
    const std::string text = vector.quoted("text");
    const auto meaning = meanings();
    const auto expected = meaning.find(vector.name());
    REQUIRE(expected != meaning.end());

    const auto found = read(text);
    REQUIRE(found.has_value());
    CHECK(opened(key, text) == "none");
    CHECK(found->token.claims == expected->second);
    CHECK(to_hex(encode(expected->second)) == to_hex(vector.bytes("payload")));
    CHECK(cbor::diagnostic(vector.bytes("payload")) == vector.text("diag"));
    CHECK(to_hex(found->signed_bytes) == to_hex(vector.bytes("signed")));
    CHECK(found->cose_bytes == vector.bytes("cose").size());
    CHECK(found->cose_bytes == vector.number("cose_bytes"));
    CHECK(text.size() == vector.number("characters"));
    CHECK(qr_version(text) == static_cast<int>(vector.number("qr_version")));
    CHECK(seal(expected->second, key.secret, key.id) == text);  // 5.2
}

}  // namespace

TEST_CASE("ticket-v1: every example is what the code reads and writes") {
    const Key key = example_key();
    std::set<std::string> faults;
    std::size_t good = 0;
    tests::for_each_vector(document, {{"ticket.key", check_key},
                                      {"ticket.good",
                                       [&](const Vector& vector) {
                                           ++good;
                                           check_good(vector, key);
                                       }},
                                      {"ticket.bad", [&](const Vector& vector) {
                                           std::string text = vector.quoted("text");
                                           if (vector.has("zeros"))
                                               text.append(vector.number("zeros"), '0');
                                           CHECK_FALSE(vector.text("why").empty());
                                           const std::string fault = vector.text("fault");
                                           CHECK(opened(key, text) == fault);
                                           faults.insert(fault);
                                       }}});
    CHECK(good == meanings().size());
    for (unsigned number = 1; number <= static_cast<unsigned>(Fault::bad_signature); ++number) {
        const std::string name{to_text(static_cast<Fault>(number))};
        CAPTURE(name);
        CHECK(faults.contains(name));
    }
}

TEST_CASE("ticket-v1 section 7: the table of reasons is the one in the code") {
    const std::map<admission::Light, std::string> lights{{admission::Light::green, "green"},
                                                         {admission::Light::yellow, "yellow"},
                                                         {admission::Light::red, "red"},
                                                         {admission::Light::blue, "blue"}};
    const std::map<admission::Sound, std::string> sounds{{admission::Sound::chime, "chime"},
                                                         {admission::Sound::attention, "attention"},
                                                         {admission::Sound::buzz, "buzz"}};
    const auto rows = tests::read_table(document, "## 7. Reasons");
    const auto all = admission::all_words();
    REQUIRE(rows.size() == all.size());
    for (std::size_t i = 0; i < all.size(); ++i) {
        const admission::Words& w = all[i];
        CAPTURE(w.key);
        using Cells = std::vector<std::string>;
        CHECK(rows[i] == Cells{std::to_string(static_cast<int>(w.reason)), std::string{w.key},
                               std::string{w.zh}, std::string{w.en}, std::string{w.do_zh},
                               std::string{w.do_en}, lights.at(w.light), sounds.at(w.sound)});
    }
}
