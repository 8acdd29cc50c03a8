#include "sync-server/http/target.hpp"

#include <doctest/doctest.h>

using namespace pf::server::http;

TEST_CASE("percent-decoding") {
    struct Row {
        std::string_view text;
        std::optional<std::string> decoded;
        std::string_view why;
    };
    const Row rows[] = {
        {"plain", "plain", "nothing to do"},
        {"a%20b", "a b", "space"},
        {"%E6%A3%80", "检", "UTF-8"},
        {"%2f%3F", "/?", "either case"},
        {"%", std::nullopt, "escape without digits"},
        {"%2", std::nullopt, "escape cut short"},
        {"%zz", std::nullopt, "not hexadecimal"},
        {"%00", std::nullopt, "control character"},
        {"a%0d%0ab", std::nullopt, "line break"},
        {"%ff", std::nullopt, "not UTF-8"},
        {"%C0%AF", std::nullopt, "overlong"},
        {"%ED%A0%80", std::nullopt, "surrogate"},
        {"%F4%90%80%80", std::nullopt, "beyond U+10FFFF"},
        {"%E6%A3", std::nullopt, "sequence cut short"},
    };
    for (const auto& row : rows) {
        CAPTURE(row.why);
        CHECK(percent_decoded(row.text, PlusSign::literal) == row.decoded);
    }
    CHECK(percent_decoded("a+b", PlusSign::literal) == "a+b");
    CHECK(percent_decoded("a+b", PlusSign::space) == "a b");
}

TEST_CASE("a target is a path and keys that occur once") {
    const auto read = read_target("/v1/x%2Fy?after=a%26b&limit=5&flag&&q=");
    REQUIRE(read.target);
    CHECK(read.target->path == "/v1/x%2Fy");
    CHECK(read.target->query ==
          decltype(Target::query){{"after", "a&b"}, {"flag", ""}, {"limit", "5"}, {"q", ""}});

    CHECK(read_target("http://h/x").fault == TargetFault::not_origin_form);
    CHECK(read_target("").fault == TargetFault::not_origin_form);
    CHECK(read_target("/a#b").fault == TargetFault::not_origin_form);
    CHECK(read_target("/a?x=%1").fault == TargetFault::bad_encoding);
    CHECK(read_target("/a?x=1&x=1").fault == TargetFault::repeated_key);
}
