// The seeded simulation: shipped code of gates and server on fake clocks, links and disks.
#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <optional>
#include <string_view>
#include <utility>

#include "tests/simulation/world.hpp"

namespace {

using namespace pf::simulation;

constexpr std::size_t lines_printed = 60;
constexpr std::string_view usage =
    "Usage: simulate --seed=N | --seeds=A..B [--scans=N] [--phases=N] [--no-faults] [--trace]\n"
    "                [--demand-coverage]\n"
    "A failing seed prints the invariant and what happened; the same seed fails again.\n"
    "--demand-coverage fails when something this world can do never happened over the seeds.\n";

struct Options {
    std::uint64_t first = 1;
    std::uint64_t last = 1;
    Settings settings;
    bool demand_coverage = false;
};

std::optional<std::uint64_t> number(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

bool take(std::string_view word, std::string_view name, std::uint64_t& value) {
    if (!word.starts_with(name)) return false;
    const auto found = number(word.substr(name.size()));
    if (found) value = *found;
    return found.has_value();
}

std::optional<Options> read_options(int count, char** words) {
    Options out;
    bool named = false;
    for (int i = 1; i < count; ++i) {
        const std::string_view word = words[i];
        if (take(word, "--seed=", out.first)) {
            out.last = out.first;
            named = true;
        } else if (word.starts_with("--seeds=")) {
            const auto range = word.substr(8);
            const auto dots = range.find("..");
            if (dots == std::string_view::npos) return std::nullopt;
            const auto first = number(range.substr(0, dots));
            const auto last = number(range.substr(dots + 2));
            if (!first || !last || *last < *first) return std::nullopt;
            out.first = *first;
            out.last = *last;
            named = true;
        } else if (word == "--trace") {
            out.settings.trace = true;
        } else if (word == "--no-faults") {
            out.settings.faults = false;
        } else if (word == "--demand-coverage") {
            out.demand_coverage = true;
        } else if (take(word, "--scans=", out.settings.scans) ||
                   take(word, "--phases=", out.settings.phases)) {
            out.settings.demand_enough = false;
        } else {
            return std::nullopt;
        }
    }
    if (!named || out.settings.phases == 0) return std::nullopt;
    return out;
}

/// The world that runs, for whatever ends the program from inside it.
const World* running_world = nullptr;
std::uint64_t running_seed = 0;

void print_last(const World& world, const std::vector<std::string>& about) {
    fmt::print("\n{}\n", world.timeline().last(lines_printed, about));
}

void print_at_death() {
    // Once: printing may fail too.
    const World* const world = std::exchange(running_world, nullptr);
    if (world == nullptr) return;
    print_last(*world, {});
    fmt::print("seed {} ended the program: what ended it is above or below\n", running_seed);
    std::fflush(stdout);
}

void on_abort(int) { print_at_death(); }

bool run_seed(std::uint64_t seed, const Settings& settings, Coverage& coverage) {
    const auto began = std::chrono::steady_clock::now();
    World world{seed, settings};
    running_world = &world;
    running_seed = seed;
    try {
        world.run();
    } catch (const Violation& violation) {
        running_world = nullptr;
        std::string about;
        for (const auto& one : violation.about()) about += " " + one;
        print_last(world, violation.about());
        fmt::print("seed {} violates {}:\n  {}\n\nrun it again: simulate --seed={} --trace\n", seed,
                   violation.rule(), violation.what(), seed);
        return false;
    } catch (const std::exception& exception) {
        running_world = nullptr;
        print_last(world, {});
        fmt::print("seed {} ends in an exception:\n  {}\n", seed, exception.what());
        return false;
    }
    running_world = nullptr;
    coverage.add(world.coverage());
    const auto took = std::chrono::steady_clock::now() - began;
    fmt::print("seed {}: {}; {} ms\n", seed, world.summary(),
               std::chrono::duration_cast<std::chrono::milliseconds>(took).count());
    std::fflush(stdout);
    return true;
}

}  // namespace

/// Allocation is most of what AddressSanitizer costs here; deep stacks of it help nobody, since a
/// seed can be run again under a debugger.
extern "C" const char* __asan_default_options();
extern "C" const char* __asan_default_options() {
    return "malloc_context_size=2:quarantine_size_mb=4:max_malloc_fill_size=0:detect_leaks=0";
}

extern "C" void __sanitizer_set_death_callback(void (*callback)()) __attribute__((weak));

int main(int count, char** words) {
    std::signal(SIGABRT, on_abort);
    if (__sanitizer_set_death_callback != nullptr) __sanitizer_set_death_callback(print_at_death);
    const auto options = read_options(count, words);
    if (!options) {
        fmt::print("{}", usage);
        return 2;
    }
    Coverage coverage;
    for (std::uint64_t seed = options->first; seed <= options->last; ++seed)
        if (!run_seed(seed, options->settings, coverage)) return 1;
    fmt::print("\n{}", coverage.text());
    const auto missing = coverage.missing();
    for (const auto& row : missing) fmt::print("never happened: {}\n", row);
    return options->demand_coverage && !missing.empty() ? 1 : 0;
}
