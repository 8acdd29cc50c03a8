#include "common/admission/reason.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string>

using namespace pf;
using namespace pf::admission;

namespace {

/// U+4E00 to U+9FFF begin with E4 to E9 in UTF-8.
bool has_han(std::string_view text) {
    return std::ranges::any_of(text, [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte >= 0xE4 && byte <= 0xE9;
    });
}

bool is_ascii(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

bool is_key(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
    });
}

constexpr std::size_t spoken_bytes_max = 48;  // 16 Han characters: about three seconds of speech

}  // namespace

TEST_CASE("every reason has words, each its own") {
    std::set<std::string_view> keys, zh, en;
    std::set<Reason> reasons;
    for (const Words& w : all_words()) {
        CAPTURE(w.key);
        CHECK(is_key(w.key));
        CHECK(keys.insert(w.key).second);
        CHECK(reasons.insert(w.reason).second);
        CHECK(has_han(w.zh));
        CHECK(w.zh.size() <= spoken_bytes_max);
        CHECK(zh.insert(w.zh).second);
        CHECK_FALSE(w.en.empty());
        CHECK(is_ascii(w.en));
        CHECK(en.insert(w.en).second);
        CHECK(has_han(w.do_zh));
        CHECK_FALSE(w.do_en.empty());
        CHECK(is_ascii(w.do_en));
        CHECK(&words(w.reason) == &w);
        CHECK(reason_from(static_cast<std::uint64_t>(w.reason)) == w.reason);
    }
    CHECK(reasons.size() == 35);  // a new reason is a new row of ticket-v1.md section 7
    CHECK_FALSE(reason_from(0));
    CHECK_FALSE(reason_from(9));
    CHECK_FALSE(reason_from(257));
}

TEST_CASE("what opens is green, what only staff can open is never red") {
    CHECK(words(Reason::ok).light == Light::green);
    CHECK(words(Reason::ok).sound == Sound::chime);
    CHECK(words(Reason::ok_group_part).light == Light::green);
    for (const Reason asks : {Reason::unknown_code, Reason::product_not_here_yet,
                              Reason::list_stale, Reason::clock_unsure, Reason::ambiguous,
                              Reason::show_certificate, Reason::outcome_unknown}) {
        CAPTURE(words(asks).key);
        CHECK(words(asks).light == Light::yellow);
        CHECK(words(asks).sound == Sound::attention);
    }
}

TEST_CASE("nobody hears 'invalid' when the truth is that something has not arrived") {
    for (const Words& w : all_words()) {
        CAPTURE(w.key);
        CHECK(w.zh.find("无效") == std::string_view::npos);
        CHECK(w.en.find("invalid") == std::string_view::npos);
    }
}

TEST_CASE("every fault of a ticket is a reason at the gate") {
    struct Case {
        ticket::Fault fault;
        const char* expect;
    };
    const Case cases[] = {
        {ticket::Fault::no_prefix, "unknown_code"},
        {ticket::Fault::oversize, "code_oversize"},
        {ticket::Fault::not_base45, "code_not_base45"},
        {ticket::Fault::truncated, "code_truncated"},
        {ticket::Fault::trailing_bytes, "code_trailing_bytes"},
        {ticket::Fault::duplicate_key, "code_duplicate_key"},
        {ticket::Fault::not_canonical, "code_not_canonical"},
        {ticket::Fault::unknown_header, "code_unknown_header"},
        {ticket::Fault::bad_claims, "code_bad_claims"},
        {ticket::Fault::key_unknown, "key_unknown"},
        {ticket::Fault::bad_signature, "bad_signature"},
    };
    for (const Case& c : cases) {
        CAPTURE(c.expect);
        CHECK(words(reason_of(c.fault)).key == c.expect);
    }
}

TEST_CASE("person types are shown with a light that tells a concession") {
    std::set<std::string_view> zh, en;
    for (std::uint64_t number = 1; number <= 9; ++number) {
        const auto type = ticket::person_type_from(number);
        REQUIRE(type);
        const PersonWords& shown = words(*type);
        CAPTURE(shown.en);
        CHECK(shown.type == *type);
        CHECK(has_han(shown.zh));
        CHECK(zh.insert(shown.zh).second);
        CHECK(en.insert(shown.en).second);
        CHECK((shown.light == Light::green) == (*type == ticket::PersonType::adult));
    }
    CHECK(words(ticket::PersonType::child).light == Light::blue);
}
