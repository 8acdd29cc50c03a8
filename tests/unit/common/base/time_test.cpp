#include "common/base/time.hpp"

#include <doctest/doctest.h>

using namespace pf;

TEST_CASE("days of a site: China, day begins at midnight or at four in the morning") {
    const Calendar midnight{};
    const Calendar four{.utc_offset_min = 480, .day_begins_min = 240};
    struct Case {
        const char* at;
        const char* day_midnight;
        const char* day_four;
        int minute_midnight;
    };
    const Case cases[] = {
        {"2026-04-30T15:59:59.999Z", "2026-04-30", "2026-04-30", 1439},
        {"2026-04-30T16:00:00Z", "2026-05-01", "2026-04-30", 0},
        {"2026-04-30T20:00:00Z", "2026-05-01", "2026-05-01", 240},
        {"1969-12-31T15:00:00Z", "1969-12-31", "1969-12-31", 1380},
    };
    for (const Case& c : cases) {
        CAPTURE(c.at);
        const auto at = wall_from_rfc3339(c.at);
        REQUIRE(at);
        CHECK(to_text(midnight.day_of(*at)) == c.day_midnight);
        CHECK(to_text(four.day_of(*at)) == c.day_four);
        CHECK(midnight.minute_of(*at) == c.minute_midnight);
        CHECK(midnight.begin_of(midnight.day_of(*at)) <= *at);
        CHECK(*at < midnight.begin_of(midnight.day_of(*at) + 1));
    }
}

TEST_CASE("RFC 3339: what is written can be read, and what does not exist cannot") {
    CHECK(to_rfc3339(wall_from_ms(0)) == "1970-01-01T00:00:00.000Z");
    CHECK(wall_from_rfc3339("2026-05-01T08:00:00+08:00") ==
          wall_from_rfc3339("2026-05-01T00:00:00Z"));
    CHECK(wall_from_rfc3339("2026-05-01T08:00:00.5Z")->time_since_epoch().count() % 1000 == 500);
    for (const char* bad :
         {"", "2026-05-01", "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z", "2026-05-01T24:00:00Z",
          "2026-05-01T00:00:00", "2026-05-01T00:00:00.Z", "2026-05-01T00:00:00Zx"}) {
        CAPTURE(bad);
        CHECK_FALSE(wall_from_rfc3339(bad).has_value());
    }
    CHECK_FALSE(day_from("2026-2-01").has_value());
    CHECK(day_from("2024-02-29").has_value());
    CHECK_FALSE(day_from("2026-02-29").has_value());
}
