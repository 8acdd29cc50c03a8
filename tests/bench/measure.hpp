#pragma once
// How a figure is taken: floor and subject alternate in one process, a round's figure is the ratio
// of its two medians, and what is printed is the median of the rounds with its quartiles.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdio>
#include <span>
#include <vector>

namespace pf::bench {

struct Quartiles {
    double lower, median, upper;
};

/// The value below which `part` of the sorted values lie, between two neighbours in proportion to
/// the distance: nine rounds have their median at the fifth and their quartiles at the third and
/// the seventh. NaN of none.
inline double quantile(std::span<const double> sorted, double part) {
    if (sorted.empty()) return std::nan("");
    const double at = part * static_cast<double>(sorted.size() - 1);
    const auto below = static_cast<std::size_t>(at);
    const std::size_t above = std::min(below + 1, sorted.size() - 1);
    const double share = at - static_cast<double>(below);
    return sorted[below] + (sorted[above] - sorted[below]) * share;
}

inline Quartiles quartiles(std::vector<double> values) {
    std::ranges::sort(values);
    return {quantile(values, 0.25), quantile(values, 0.5), quantile(values, 0.75)};
}

/// Microseconds of one call. Work that answers with a number has timed itself: what it prepares is
/// not its cost.
template <class Work>
double microseconds(Work& work) {
    if constexpr (std::convertible_to<decltype(work()), double>) {
        return work();
    } else {
        using Clock = std::chrono::steady_clock;
        const auto begin = Clock::now();
        work();
        return std::chrono::duration<double, std::micro>(Clock::now() - begin).count();
    }
}

/// Microseconds a call, median over `calls`.
template <class Work>
double median_us(int calls, Work work) {
    std::vector<double> times;
    for (int i = 0; i < calls; ++i) times.push_back(microseconds(work));
    return quartiles(std::move(times)).median;
}

/// What one comparison gave. Times are microseconds a call, over all rounds.
struct Compared {
    Quartiles ratio;
    double subject = 0, floor = 0;          // medians
    double subject_p99 = 0, floor_p99 = 0;  // printed, never judged
};

struct Rounds {
    int rounds = 9;  // fewer only to see that a program works
    int calls = 20;  // of each side a round
};

/// Floor and subject take turns, call by call, so that what disturbs the machine disturbs both.
template <class Subject, class Floor>
Compared alternate(Rounds how, Subject subject, Floor floor) {
    std::vector<double> ratios, subjects, floors;
    for (int round = 0; round < how.rounds; ++round) {
        std::vector<double> of_subject, of_floor;
        for (int call = 0; call < how.calls; ++call) {
            of_floor.push_back(microseconds(floor));
            of_subject.push_back(microseconds(subject));
        }
        ratios.push_back(quartiles(of_subject).median / quartiles(of_floor).median);
        subjects.insert(subjects.end(), of_subject.begin(), of_subject.end());
        floors.insert(floors.end(), of_floor.begin(), of_floor.end());
    }
    std::ranges::sort(subjects);
    std::ranges::sort(floors);
    return {.ratio = quartiles(std::move(ratios)),
            .subject = quantile(subjects, 0.5),
            .floor = quantile(floors, 0.5),
            .subject_p99 = quantile(subjects, 0.99),
            .floor_p99 = quantile(floors, 0.99)};
}

}  // namespace pf::bench
