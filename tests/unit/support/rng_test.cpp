#include "tests/support/rng.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "tests/support/fixed_entropy.hpp"

using pf::tests::Rng;

TEST_CASE("the numbers of a seed are the published SplitMix64 ones, so seeds travel") {
    Rng rng(1234567);  // reference output of Vigna's splitmix64.c
    CHECK(rng.next() == 6457827717110365317U);
    CHECK(rng.next() == 3203168211198807973U);
    CHECK(rng.next() == 9817491932198370423U);
}

TEST_CASE("ranges are kept and both ends are reached") {
    Rng rng(1);
    std::vector<int> seen(5, 0);
    for (int i = 0; i < 1000; ++i) {
        const std::int64_t value = rng.between(-2, 2);
        REQUIRE(value >= -2);
        REQUIRE(value <= 2);
        ++seen[static_cast<std::size_t>(value + 2)];
    }
    for (const int count : seen) CHECK(count > 100);
    CHECK(rng.below(1) == 0);
    CHECK(rng.percent(0) == false);
    CHECK(rng.percent(100) == true);
    CHECK_NOTHROW(rng.between(INT64_MIN, INT64_MAX));
}

TEST_CASE("a shuffle loses nothing") {
    Rng rng(7);
    std::vector<int> cards(52);
    std::iota(cards.begin(), cards.end(), 0);
    rng.shuffle(cards);
    CHECK_FALSE(std::is_sorted(cards.begin(), cards.end()));
    std::sort(cards.begin(), cards.end());
    CHECK(cards.front() == 0);
    CHECK(cards.back() == 51);
    CHECK(std::adjacent_find(cards.begin(), cards.end()) == cards.end());
}

TEST_CASE("a fork does not depend on later draws of its parent, and streams differ") {
    const Rng parent(3);
    CHECK(parent.fork(1).next() == Rng(3).fork(1).next());
    CHECK(parent.fork(1).next() != parent.fork(2).next());
}

TEST_CASE("seeded entropy repeats, and cutting a read differently changes nothing within it") {
    pf::tests::SeededEntropy one(9);
    pf::tests::SeededEntropy same(9);
    pf::tests::SeededEntropy other(10);
    pf::Bytes a(21), b(21), c(21);
    one.fill(a);
    same.fill(b);
    other.fill(c);
    CHECK(a == b);
    CHECK(a != c);
}
