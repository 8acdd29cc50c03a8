#include "common/mqtt/backoff.hpp"

#include <doctest/doctest.h>

#include <limits>

#include "tests/support/fixed_entropy.hpp"

using pf::mqtt::Backoff;
using pf::tests::ConstantEntropy;
using pf::tests::SeededEntropy;

TEST_CASE("waits double up to the ceiling and begin anew after a reset") {
    ConstantEntropy lowest{0};
    Backoff backoff{100, 1'000};
    for (const unsigned expected : {50U, 100U, 200U, 400U, 500U, 500U}) {
        CHECK(backoff.next_ms(lowest) == expected);
    }
    backoff.reset();
    CHECK(backoff.next_ms(lowest) == 50);
}

TEST_CASE("a wait lies in the upper half of its step and uses all of it") {
    SeededEntropy entropy{3};
    unsigned smallest = 1'000;
    unsigned largest = 0;
    for (int i = 0; i < 2'000; ++i) {
        Backoff backoff{100, 100};
        const unsigned wait = backoff.next_ms(entropy);
        smallest = std::min(smallest, wait);
        largest = std::max(largest, wait);
    }
    CHECK(smallest == 50);
    CHECK(largest == 100);
}

TEST_CASE("a ceiling at the end of the type does not wrap") {
    constexpr auto most = std::numeric_limits<std::uint32_t>::max();
    ConstantEntropy lowest{0};
    Backoff backoff{most, most};
    CHECK(backoff.next_ms(lowest) == most / 2);
    CHECK(backoff.next_ms(lowest) == most / 2);
    Backoff smallest{1, 1};
    CHECK(smallest.next_ms(lowest) == 0);
}
