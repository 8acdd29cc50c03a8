// Medians, quartiles and ratios: what a figure is made of.
#include "tests/bench/measure.hpp"

#include <doctest/doctest.h>

#include <deque>

using namespace pf;

namespace {

/// Work that says itself how long it took.
struct Script {
    std::deque<double> times;
    double operator()() {
        const double next = times.front();
        times.pop_front();
        return next;
    }
};

}  // namespace

TEST_CASE("quartiles of nine rounds are the third, the fifth and the seventh") {
    const auto q = bench::quartiles({9, 1, 8, 2, 7, 3, 6, 4, 5});
    CHECK(q.lower == 3);
    CHECK(q.median == 5);
    CHECK(q.upper == 7);
}

TEST_CASE("between two values the share counts") {
    const auto q = bench::quartiles({1, 2, 3, 4});
    CHECK(q.lower == doctest::Approx(1.75));
    CHECK(q.median == doctest::Approx(2.5));
    CHECK(q.upper == doctest::Approx(3.25));
    CHECK(bench::quartiles({7}).upper == 7);
    CHECK(std::isnan(bench::quartiles({}).median));
}

TEST_CASE("a figure is the median of the rounds' ratios, each of two medians") {
    // Three rounds of three calls. One slow call a round changes no median.
    Script subject{{10, 10, 900, 22, 22, 22, 33, 900, 33}};
    Script floor{{10, 10, 10, 20, 800, 20, 10, 10, 10}};
    const auto figure = bench::alternate(
        {3, 3}, [&] { return subject(); }, [&] { return floor(); });
    CHECK(figure.ratio.median == doctest::Approx(1.1));
    CHECK(figure.ratio.lower == doctest::Approx(1.05));
    CHECK(figure.ratio.upper == doctest::Approx(2.2));
    CHECK(figure.subject == 22);
    CHECK(figure.floor == 10);
    CHECK(figure.subject_p99 == doctest::Approx(900));
    CHECK(subject.times.empty());
    CHECK(floor.times.empty());
}

TEST_CASE("floor and subject take turns, call by call") {
    std::string order;
    (void)bench::alternate(
        {2, 2}, [&] { order += 's'; }, [&] { order += 'f'; });
    CHECK(order == "fsfsfsfs");
}
