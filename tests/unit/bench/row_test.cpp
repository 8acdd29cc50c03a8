// When a target is met, and how a row is said.
#include "tests/bench/row.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

using namespace pf;
using bench::Row;

TEST_CASE("met is judged by the upper quartile, and by the value where there is no floor") {
    const bench::Quartiles ratio{1.0, 1.1, 1.3};
    Row row{.name = "a", .unit = "us", .measured = 50, .floor = 40, .ratio = ratio};
    CHECK_FALSE(row.met().has_value());
    row.target = bench::Target{1.2};
    CHECK(row.met() == false);
    row.target = bench::Target{1.3};
    CHECK(row.met() == true);

    Row bytes{.name = "b", .unit = "bytes", .measured = 144, .target = bench::Target{144}};
    CHECK(bytes.met() == true);
    bytes.measured = 145;
    CHECK(bytes.met() == false);
}

TEST_CASE("a row has every key of the protocol, null where it has nothing to say") {
    const auto bare = bench::to_json({.name = "b", .unit = "bytes", .measured = 7});
    for (const char* key :
         {"name", "unit", "measured", "floor", "ratio", "q1", "q3", "target", "met"})
        CHECK(bare.contains(key));
    CHECK(bare["met"].is_null());
    CHECK(bare["ratio"].is_null());

    const bench::Compared compared{.ratio = {1.0, 1.1, 1.3},
                                   .subject = 55,
                                   .floor = 50,
                                   .subject_p99 = 90,
                                   .floor_p99 = 80};
    const auto full = bench::to_json(bench::row_of("a", "us", compared, bench::Target{1.2}));
    CHECK(full["ratio"] == 1.1);
    CHECK(full["q1"] == 1.0);
    CHECK(full["q3"] == 1.3);
    CHECK(full["target"] == "<= 1.2");
    CHECK(full["met"] == false);
    CHECK(full["details"]["p99"] == 90);
    CHECK(full["details"]["p99_floor"] == 80);
}

TEST_CASE("a program takes the rows it is asked for, and says when it failed") {
    std::vector<std::string> taken;
    const auto part = [&](const std::string& name) {
        return bench::Part{name, [&taken, name](const bench::Asked& asked) -> std::vector<Row> {
                               taken.push_back(name + (asked.quick ? " quick" : ""));
                               bench::require(name != "bad", "it works");
                               return {};
                           }};
    };
    const auto run = [&](std::vector<std::string> words) {
        words.insert(words.begin(), "bench_test");
        std::vector<char*> argv;
        for (std::string& word : words) argv.push_back(word.data());
        return bench::run(static_cast<int>(argv.size()), argv.data(),
                          {part("one"), part("bad"), part("two")});
    };
    CHECK(run({"--json", "--rows", "two"}) == 0);
    CHECK(run({"--quick", "--rows", "one,two"}) == 0);
    CHECK(taken == std::vector<std::string>{"two", "one quick", "two quick"});
    CHECK(run({}) == 1);
    CHECK(taken.size() == 6);  // what comes after the failure is taken all the same
}
