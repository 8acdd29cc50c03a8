// What the document's examples (tests/vectors) do not say one by one.
#include "common/ticket/token.hpp"

#include <doctest/doctest.h>

#include <string>

#include "common/base/base45.hpp"
#include "tests/unit/common/ticket/tickets.hpp"

using namespace pf;
using namespace pf::ticket;
using namespace pf::tests;

namespace {

const crypto::KeyId key_name{0xb1, 0x8b, 0x86, 0xce};

std::string fault_of(std::string_view text) {
    const auto found = read(text);
    return found ? "none" : std::string{to_text(found.error())};
}

std::string fault_of_cose(const std::string& hex) {
    return fault_of(std::string{prefix} + base45_encode(*from_hex(hex)));
}

std::string head_of_bytes(std::size_t size) {
    const auto low = static_cast<Byte>(size), high = static_cast<Byte>(size >> 8U);
    return size < 24 ? to_hex(Bytes{static_cast<Byte>(0x40 + size)})
                     : to_hex(Bytes{0x59, high, low});
}

const std::string signature = "5840" + std::string(128, '1');
const std::string header = "49a2012604 44b18b86ce";
const std::string payload =
    "5821a501487c1f9d20a45be863020103010401058187190155192ee719505e00000100";

std::string without_blanks(std::string hex) {
    std::erase(hex, ' ');
    return hex;
}

}  // namespace

TEST_CASE("what is sealed opens, under its key only") {
    const auto key = example_key();
    const auto public_key = key.public_key();
    for (const Claims& claims : {typical_claims(), joint_of_three(), worst_claims()}) {
        const std::string text = seal(claims, key, key_name);
        int asked = 0;
        const auto opened = open(text, [&](const crypto::KeyId& id) {
            ++asked;
            return id == key_name ? &public_key : nullptr;
        });
        REQUIRE(opened.has_value());
        CHECK(asked == 1);
        CHECK(opened->claims == claims);
        CHECK(opened->key == key_name);
        CHECK(text.size() <= text_chars_max);

        const auto unverified = read(text);
        REQUIRE(unverified.has_value());
        CHECK(text_of(unverified->token, unverified->signature) == text);
        CHECK(prefix.size() + (unverified->cose_bytes * 3 + 1) / 2 == text.size());

        const auto unknown = open(text, [](const crypto::KeyId&) { return nullptr; });
        REQUIRE_FALSE(unknown.has_value());
        CHECK(unknown.error() == Fault::key_unknown);
    }
}

TEST_CASE("a broken text never asks for a key") {
    const auto opened = open("PF1:A", [](const crypto::KeyId&) -> const crypto::PublicKey* {
        FAIL("asked");
        return nullptr;
    });
    CHECK(opened.error() == Fault::not_base45);
}

TEST_CASE("no changed character of a ticket opens it") {
    const auto key = example_key();
    const auto public_key = key.public_key();
    const std::string text = seal(typical_claims(), key, key_name);
    for (std::size_t i = 0; i < text.size(); ++i) {
        std::string changed = text;
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        CHECK_FALSE(open(changed, [&](const crypto::KeyId&) { return &public_key; }).has_value());
        CHECK_FALSE(fault_of(text.substr(0, i)) == "none");
    }
}

TEST_CASE("the envelope, piece by piece: the first defect in reading order is named") {
    const std::string huge_payload = head_of_bytes(513) + std::string(1026, '0');
    struct Case {
        const char* why;
        std::string hex;
        const char* expect;
    };
    const Case cases[] = {
        {"whole", "84" + header + "a0" + payload + signature, "none"},
        {"empty", "", "truncated"},
        {"only its head", "84", "truncated"},
        {"no signature", "84" + header + "a0" + payload, "truncated"},
        {"signature cut", "84" + header + "a0" + payload + "5840" + std::string(126, '1'),
         "truncated"},
        {"a byte behind", "84" + header + "a0" + payload + signature + "00", "trailing_bytes"},
        {"a number", "00", "unknown_header"},
        {"a map", "a0", "unknown_header"},
        {"three parts", "83" + header + "a0" + payload, "unknown_header"},
        {"five parts", "85" + header + "a0" + payload + signature + "00", "unknown_header"},
        {"unprotected is null", "84" + header + "f6" + payload + signature, "unknown_header"},
        {"payload detached", "84" + header + "a0" + "f6" + signature, "unknown_header"},
        {"payload is text", "84" + header + "a0" + "6161" + signature, "unknown_header"},
        {"signature of 63", "84" + header + "a0" + payload + "583f" + std::string(126, '1'),
         "unknown_header"},
        {"a float", "fa47c35000", "unknown_header"},
        {"unprotected twice the same", "84" + header + "a204000400" + payload + signature,
         "duplicate_key"},
        {"long head of the payload",
         "84" + header + "a0" + "590021" + payload.substr(4) + signature, "not_canonical"},
        {"protected is empty", "84" + std::string{"40"} + "a0" + payload + signature, "truncated"},
        {"protected map is empty", "84" + std::string{"41a0"} + "a0" + payload + signature,
         "unknown_header"},
        {"protected names no key", "84" + std::string{"43a10126"} + "a0" + payload + signature,
         "unknown_header"},
        {"protected names the key as something else",
         "84" + std::string{"49a201260544b18b86ce"} + "a0" + payload + signature, "unknown_header"},
        {"protected names the algorithm as something else",
         "84" + std::string{"49a202260444b18b86ce"} + "a0" + payload + signature, "unknown_header"},
        {"protected names no algorithm",
         "84" + std::string{"47a10444b18b86ce"} + "a0" + payload + signature, "unknown_header"},
        {"protected names the algorithm twice",
         "84" + std::string{"45a201260126"} + "a0" + payload + signature, "duplicate_key"},
        {"protected with a byte behind",
         "84" + std::string{"4aa201260444b18b86ce00"} + "a0" + payload + signature,
         "trailing_bytes"},
        {"protected keys fall",
         "84" + std::string{"49a20444b18b86ce0126"} + "a0" + payload + signature, "not_canonical"},
        {"payload empty", "84" + header + "a0" + "40" + signature, "truncated"},
        {"payload with a byte behind",
         "84" + header + "a0" + "5822" + payload.substr(4) + "00" + signature, "trailing_bytes"},
        {"payload tagged", "84" + header + "a0" + "42c100" + signature, "bad_claims"},
        {"payload too long", "84" + header + "a0" + huge_payload + signature, "oversize"},
        {"payload too long, header foreign too",
         "84" + std::string{"41a0"} + "a0" + huge_payload + signature, "oversize"},
        {"header foreign and claims bad", "84" + std::string{"41a0"} + "a0" + "41a0" + signature,
         "unknown_header"},
    };
    for (const Case& c : cases) {
        CAPTURE(c.why);
        CHECK(fault_of_cose(without_blanks(c.hex)) == c.expect);
    }
}

TEST_CASE("the text before anything is decoded") {
    const std::string text = seal(typical_claims(), example_key(), key_name);
    struct Case {
        const char* why;
        std::string text;
        const char* expect;
    };
    const Case cases[] = {
        {"empty", "", "no_prefix"},
        {"half a prefix", "PF1", "no_prefix"},
        {"next version", "PF2:" + text.substr(4), "no_prefix"},
        {"lower case", "pf1:" + text.substr(4), "no_prefix"},
        {"blank before", " " + text, "no_prefix"},
        {"foreign and long: still not ours", std::string(5000, 'A'), "no_prefix"},
        {"long and not Base45: unread", "PF1:" + std::string(1021, 'a'), "oversize"},
        {"exactly the longest", "PF1:" + std::string(1020, 'a'), "not_base45"},
        {"line end behind", text + "\n", "not_base45"},
        {"a NUL inside", text.substr(0, 8) + std::string(1, '\0') + text.substr(9), "not_base45"},
        {"group above 65535", "PF1:GGW", "not_base45"},
        {"prefix alone", "PF1:", "truncated"},
    };
    for (const Case& c : cases) {
        CAPTURE(c.why);
        CHECK(fault_of(c.text) == c.expect);
    }
}
