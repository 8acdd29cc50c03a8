#pragma once
// How a figure is taken: floor and subject alternate in one process, a round's figure is the ratio
// of its two medians, and what is printed is the median of the rounds with its quartiles.
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <vector>

namespace pf::bench {

struct Quartiles {
    double lower, median, upper;
};

inline Quartiles quartiles(std::vector<double> values) {
    std::ranges::sort(values);
    const auto at = [&](double part) {
        return values[static_cast<std::size_t>(part * static_cast<double>(values.size() - 1))];
    };
    return {at(0.25), at(0.5), at(0.75)};
}

/// Microseconds a call, median over `calls`.
template <class Work>
double median_us(int calls, Work work) {
    using Clock = std::chrono::steady_clock;
    std::vector<double> times;
    for (int i = 0; i < calls; ++i) {
        const auto begin = Clock::now();
        work();
        times.push_back(std::chrono::duration<double, std::micro>(Clock::now() - begin).count());
    }
    return quartiles(std::move(times)).median;
}

/// Prints one line: how many times slower `subject` is than `floor`, and both in microseconds.
template <class Subject, class Floor>
void compare(const char* what, int calls, Subject subject, Floor floor) {
    constexpr int rounds = 15;
    std::vector<double> ratios, subjects, floors;
    for (int round = 0; round < rounds; ++round) {
        floors.push_back(median_us(calls, floor));
        subjects.push_back(median_us(calls, subject));
        ratios.push_back(subjects.back() / floors.back());
    }
    const Quartiles ratio = quartiles(ratios);
    std::printf("%-32s %7.2f x  (quartiles %.2f to %.2f)   %9.2f us against %9.2f us\n", what,
                ratio.median, ratio.lower, ratio.upper, quartiles(subjects).median,
                quartiles(floors).median);
}

}  // namespace pf::bench
