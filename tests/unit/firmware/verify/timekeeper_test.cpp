// What the device believes of its clocks (docs/adr/0007).
#include <doctest/doctest.h>

#include <string>
#include <variant>
#include <vector>

#include "tests/unit/firmware/verify/gate.hpp"

namespace {

using namespace pf;
using namespace pf::tests;

constexpr std::int64_t second = 1'000;
constexpr std::int64_t day = 86'400'000;

// Wall times below are milliseconds after the floor; steady times run beside them.
const WallTime floor_at = noon - std::chrono::hours{24 * 30};

fv::Reading at(std::int64_t wall_ms, std::int64_t steady_ms) {
    return reading(floor_at + Millis{wall_ms}, steady_ms);
}

/// The clocks are read.
struct Look {
    std::int64_t wall_ms;
    std::int64_t steady_ms;
};
/// The server answers: what it says, when it was asked, and the clocks at the answer.
struct Server {
    std::int64_t says_ms;
    std::int64_t asked_ms;
    Look answered;
};
using Happening = std::variant<Look, Server>;

std::string text_of(ClockQuality quality) {
    switch (quality) {
        case ClockQuality::unset:
            return "unset";
        case ClockQuality::unsure:
            return "unsure";
        case ClockQuality::unconfirmed:
            return "unconfirmed";
        case ClockQuality::confirmed:
            return "confirmed";
    }
    return "?";
}

std::string text_of(const std::optional<pf::journal::ClockChanged>& change) {
    using Source = pf::journal::ClockChanged::Source;
    if (!change) return "";
    return (change->source == Source::server ? "server " : "stepped ") +
           std::to_string(change->moved_ms);
}

struct Expected {
    std::string change;  // what the last happening is worth
    std::string quality;
    std::int64_t earliest_ms;
    std::int64_t latest_ms;
};

struct Story {
    std::string what;
    Look boot;
    std::vector<Happening> happenings;
    Expected expected;
};

constexpr std::int64_t ten_years = 1000LL * 60 * 60 * 24 * 365 * 10;

const std::vector<Story> stories = {
    {"a good clock, nobody confirmed it",
     {day, 0},
     {Look{day + second, second}},
     {"", "unconfirmed", day + second, day + second}},
    {"first boot, the clock says 1970",
     {-20'000 * day, 0},
     {Look{-20'000 * day + second, second}},
     {"", "unset", 0, ten_years}},
    {"then the server says what time it is",
     {-20'000 * day, 0},
     {Server{day, 900, {-20'000 * day + second, second}}},
     {"server 86400050", "confirmed", day + 50, day + 50}},
    {"then somebody sets the clock instead",
     {-20'000 * day, 0},
     {Look{day, second}},
     {"stepped 1728086399000", "unconfirmed", day, day}},
    {"a day ahead at boot, then the server says so",
     {2 * day, 0},
     {Server{day, second, {2 * day + second, second}}},
     {"server -86401000", "confirmed", day, day}},
    {"a day behind at boot, then the server says so",
     {day, 0},
     {Server{2 * day, second, {day + second, second}}},
     {"server 86399000", "confirmed", 2 * day, 2 * day}},
    {"the server's word is carried on by the steady clock, whatever the wall clock does",
     {day, 0},
     {Server{day, 0, {day, 0}}, Look{5 * day, 10 * second}},
     {"stepped 345590000", "confirmed", day + 10 * second, day + 10 * second}},
    {"the server agrees: the first word is worth an event",
     {day, 0},
     {Server{day, 0, {day, 0}}},
     {"server 0", "confirmed", day, day}},
    {"the second agreement is not",
     {day, 0},
     {Server{day, 0, {day, 0}}, Server{day + second, second, {day + second, second}}},
     {"", "confirmed", day + second, day + second}},
    {"half of the round trip has gone by when the answer comes",
     {day, 0},
     {Server{day, 0, {day + 4 * second, 4 * second}}},
     {"server -2000", "confirmed", day + 2 * second, day + 2 * second}},
    {"a slow answer teaches nothing",
     {day, 0},
     {Server{3 * day, 0, {day + 5'001, 5'001}}},
     {"", "unconfirmed", day + 5'001, day + 5'001}},
    {"an answer from before the question teaches nothing",
     {day, 0},
     {Server{3 * day, 2'000, {day + 1'000, 1'000}}},
     {"", "unconfirmed", day + 1'000, day + 1'000}},
    {"nor does a server that says what can't be",
     {day, 0},
     {Server{-1, second, {day + second, second}}},
     {"", "unconfirmed", day + second, day + second}},
    {"small drift is tolerated",
     {day, 0},
     {Look{day + 2 * second, 0}},
     {"", "unconfirmed", day + 2 * second, day + 2 * second}},
    {"slewing adds up to no step",
     {day, 0},
     {Look{day + second, 0}, Look{day + 2 * second, 0}, Look{day + 3 * second, 0}},
     {"", "unconfirmed", day + 3 * second, day + 3 * second}},
    {"a step forward: both readings are possible",
     {day, 0},
     {Look{day + 10 * second, 5 * second}},
     {"stepped 5000", "unsure", day + 5 * second, day + 10 * second}},
    {"a step back: both readings are possible",
     {2 * day, 0},
     {Look{day, second}},
     {"stepped -86401000", "unsure", day, 2 * day + second}},
    {"the first doubt is kept over later ones",
     {day, 0},
     {Look{2 * day, 0}, Look{3 * day, 0}},
     {"stepped 86400000", "unsure", day, 3 * day}},
    {"the server ends a doubt",
     {day, 0},
     {Look{2 * day, 0}, Server{day, second, {2 * day + second, second}}},
     {"server -86401000", "confirmed", day, day}},
    {"the battery dies while running",
     {day, 0},
     {Look{-20'000 * day, second}},
     {"stepped -1728086401000", "unset", 0, ten_years}},
    {"from 1970 back to what was: nobody knows what happened between",
     {day, 0},
     {Look{-20'000 * day, second}, Look{day + 2 * second, 2 * second}},
     {"stepped 1728086401000", "unsure", day + 2 * second, day + 2 * second}},
    {"by way of 1970 to another day: the first plausible reading is still a doubt",
     {day, 0},
     {Look{-20'000 * day, 0}, Look{3 * day, 0}},
     {"stepped 1728259200000", "unsure", day, 3 * day}},
    {"the floor itself is possible",
     {0, 0},
     {Look{second, second}},
     {"", "unconfirmed", second, second}},
    {"a step below the floor",
     {second, 0},
     {Look{-5 * second, 0}},
     {"stepped -6000", "unset", 0, ten_years}},
};

TEST_CASE("stories of two clocks") {
    for (const Story& story : stories) {
        CAPTURE(story.what);
        fv::Timekeeper clock{floor_at, at(story.boot.wall_ms, story.boot.steady_ms)};
        fv::Reading now = at(story.boot.wall_ms, story.boot.steady_ms);
        std::optional<pf::journal::ClockChanged> change;
        for (const Happening& happening : story.happenings) {
            if (const auto* look = std::get_if<Look>(&happening)) {
                now = at(look->wall_ms, look->steady_ms);
                change = clock.observe(now);
            } else {
                const auto& server = std::get<Server>(happening);
                now = at(server.answered.wall_ms, server.answered.steady_ms);
                change = clock.server_said(floor_at + Millis{server.says_ms},
                                           SteadyTime{Millis{server.asked_ms}}, now);
            }
        }
        CHECK(text_of(change) == story.expected.change);
        CHECK(text_of(clock.quality()) == story.expected.quality);
        const auto range = clock.range(now);
        CHECK((range.earliest - floor_at).count() == story.expected.earliest_ms);
        CHECK((range.latest - floor_at).count() == story.expected.latest_ms);
        CHECK(range.earliest <= range.latest);
        CHECK(clock.best(now) >= floor_at);
    }
}

TEST_CASE("a floor that a wrong clock made gives way to the server, the build time does not") {
    // Yesterday's boot was a day ahead and wrote its events so; today's clock is right.
    const WallTime build = floor_at - std::chrono::hours{24 * 100};
    const fv::Reading now = at(-day, second);
    struct Row {
        WallTime server;
        std::string quality;
        WallTime floor;
    };
    const Row rows[] = {
        {now.wall, "confirmed", now.wall},
        {build, "confirmed", build},
        {build - Millis{1}, "unset", floor_at},
    };
    for (const Row& row : rows) {
        fv::Timekeeper clock{floor_at, now, build};
        CHECK(text_of(clock.quality()) == "unset");
        (void)clock.server_said(row.server, now.steady, now);
        CHECK(text_of(clock.quality()) == row.quality);
        CHECK(clock.floor() == row.floor);
        if (clock.quality() == ClockQuality::confirmed)
            CHECK(clock.range(now).earliest == row.server);
    }
}

TEST_CASE("ten seconds of scans with a clock that steps once in between") {
    fv::Timekeeper clock{floor_at, at(day, 0)};
    int changes = 0;
    for (std::int64_t ms = 100; ms <= 10'000; ms += 100) {
        const std::int64_t stepped = ms > 5'000 ? day : 0;
        if (clock.observe(at(day + ms + stepped, ms))) ++changes;
    }
    CHECK(changes == 1);
    CHECK(text_of(clock.quality()) == "unsure");
}

}  // namespace
