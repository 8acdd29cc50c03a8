// The reader itself: a check that reads nothing would be green for ever.
#include "tests/vectors/vectors.hpp"

#include <doctest/doctest.h>

using namespace pf;
using namespace pf::tests;

namespace {

std::string refusal_of(std::string_view text) {
    try {
        vectors_in(text, "d.md");
    } catch (const Malformed& malformed) {
        return malformed.what();
    }
    return "none";
}

}  // namespace

TEST_CASE("vectors are read with their fields, other fences are passed over") {
    const auto vectors = vectors_in(
        "# Title\n"
        "```cddl\n```vector inside another fence is text\n```\n"
        "```vector ticket.good typical\n"
        "# a remark\n"
        "cbor: a1 02\n"
        "  03\n"
        "text: \"AB \"\n"
        "  \" C\"\n"
        "diag: {1: 2,\n"
        "  3: 4}\n"
        "count: 12\n"
        "```\n"
        "```vector ticket.bad empty\n"
        "cbor:\n"
        "```\n",
        "d.md");
    REQUIRE(vectors.size() == 2);
    const Vector& first = vectors[0];
    CHECK(first.kind() == "ticket.good");
    CHECK(first.where() == "d.md:5 typical");
    CHECK(first.bytes("cbor") == Bytes{0xa1, 0x02, 0x03});
    CHECK(first.array<3>("cbor")[2] == 3);
    CHECK(first.quoted("text") == "AB  C");
    CHECK(first.unread() == std::vector<std::string>{"count", "diag"});
    CHECK(first.text("diag") == "{1: 2, 3: 4}");
    CHECK(first.number("count") == 12);
    CHECK(first.unread().empty());
    CHECK(vectors[1].bytes("cbor").empty());
}

TEST_CASE("a vector's field of another form is refused") {
    const auto vectors = vectors_in("```vector k n\na: xyz\n```\n", "d.md");
    CHECK_THROWS_AS(vectors[0].bytes("a"), Malformed);
    CHECK_THROWS_AS(vectors[0].quoted("a"), Malformed);
    CHECK_THROWS_AS(vectors[0].number("a"), Malformed);
    CHECK_THROWS_AS(vectors[0].text("b"), Malformed);
}

TEST_CASE("a malformed document is refused with its line") {
    struct Case {
        const char* why;
        const char* text;
        const char* expect;
    };
    const Case cases[] = {
        {"sound", "```vector k n\na: 1\n```\n", "none"},
        {"no name", "```vector k\n```\n", "d.md:1: the fence reads ```vector <kind> <name>"},
        {"capitals", "```vector K n\n```\n", "d.md:1: the fence reads ```vector <kind> <name>"},
        {"same name", "```vector k n\n```\n```vector j n\n```\n",
         "d.md:3: a second vector named n"},
        {"field twice", "```vector k n\na: 1\na: 2\n```\n", "d.md:3: field given twice: a"},
        {"no colon", "```vector k n\nabc\n```\n", "d.md:2: neither a field nor a continuation"},
        {"nothing before", "```vector k n\n  12\n```\n", "d.md:2: a continuation of nothing"},
        {"open at the end", "```vector k n\na: 1\n", "d.md:2: the last vector is not closed"},
    };
    for (const Case& c : cases) {
        CAPTURE(c.why);
        CHECK(refusal_of(c.text) == c.expect);
    }
}

TEST_CASE("a table is read under its heading") {
    const std::string text =
        "## 6\n| a |\n|---|\n| x |\n\n## 7\nWords.\n\n"
        "| n | key |\n|---|---|\n| 1 | `ok` |\n| 2 | no  |\n\n| other |\n";
    const auto rows = table_in(text, "## 7");
    REQUIRE(rows.size() == 2);
    CHECK(rows[0] == std::vector<std::string>{"1", "ok"});
    CHECK(rows[1] == std::vector<std::string>{"2", "no"});
    CHECK_THROWS_AS(table_in(text, "## 8"), Malformed);
}
