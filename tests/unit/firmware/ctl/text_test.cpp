#include "firmware/ctl/text.hpp"

#include <doctest/doctest.h>

#include "firmware/ctl/hours.hpp"

using namespace pf::firmware::ctl;

TEST_CASE("columns of a terminal") {
    struct Row {
        std::string_view text;
        std::size_t columns;
        const char* because;
    };
    const Row rows[] = {
        {"", 0, "nothing"},
        {"gate-1", 6, "one each"},
        {"南门", 4, "Chinese takes two"},
        {"南门A1", 6, "mixed"},
        {"（）", 4, "full width forms"},
        {"é", 1, "two bytes, one column"},
        {"…", 1, "punctuation below the wide ranges"},
        {"😀", 2, "beyond the first plane"},
    };
    for (const Row& row : rows) CHECK_MESSAGE(columns_of(row.text) == row.columns, row.because);
}

TEST_CASE("a table lines up in both languages") {
    Table table{{"设备", "STATE"}};
    table.row({"gate-1", "active"});
    table.row({"南门闸机", "revoked"});
    CHECK(table.text() ==
          "设备      STATE\n"
          "gate-1    active\n"
          "南门闸机  revoked\n");
}

TEST_CASE("what others wrote does not steer the terminal") {
    CHECK(harmless("a\033[2Jb") == "a\\x1b[2Jb");
    CHECK(harmless("two\nlines") == "two\\x0alines");
    CHECK(harmless("\xc2\x9b"
                   "2J") == "\\u009b2J");
    CHECK(harmless("南门 ©") == "南门 ©");
}

TEST_CASE("language") {
    CHECK(language_of_locale("zh_CN.UTF-8") == Language::chinese);
    CHECK(language_of_locale("en_GB.UTF-8") == Language::english);
    CHECK(language_of_locale("C") == Language::english);
}

TEST_CASE("times of day") {
    CHECK(minutes_from("09:00") == 540);
    CHECK(minutes_from("00:00") == 0);
    CHECK(minutes_from("24:00") == 1440);
    for (const char* wrong : {"9:00", "09:60", "24:01", "09-00", "", "09:000", "ab:cd"})
        CHECK_MESSAGE(!minutes_from(wrong).has_value(), wrong);
    CHECK(hours_of(540) == "09:00");
}
