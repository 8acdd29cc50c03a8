#pragma once
// What a bench program understands and prints: --rows a,b --quick --json, one JSON line a row.
// tests/bench/README.md has the protocol.
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/bench/measure.hpp"

namespace pf::bench {

/// What a figure promises: that its upper quartile (or the value itself, where there is no floor)
/// is no larger.
struct Target {
    double at_most;
};

struct Row {
    std::string name;
    std::string unit;
    double measured = 0;
    std::optional<double> floor = std::nullopt;
    std::optional<Quartiles> ratio = std::nullopt;
    std::optional<Target> target = std::nullopt;
    std::string notes{};                                       // a sentence for people
    std::vector<std::pair<std::string, double>> details = {};  // further numbers, as "p99"

    /// Nothing without a target.
    std::optional<bool> met() const;
};

Row row_of(std::string name, std::string unit, const Compared& compared,
           std::optional<Target> target, std::string notes = {});
nlohmann::json to_json(const Row& row);

/// How the program was asked to work.
struct Asked {
    std::vector<std::string> rows;  // empty: all
    bool quick = false;             // small and few: shows that it works, is no figure
    bool json = false;

    bool wants(std::string_view row) const;
    /// As many rounds as a figure needs, or as few as show that the program works.
    Rounds rounds(int calls) const { return quick ? Rounds{3, 2} : Rounds{9, calls}; }
    /// `full`, or what is enough to see that the program works.
    int size(int full, int small) const { return quick ? small : full; }
};
/// Says what is wrong and exits with 2 when the arguments are not understood.
Asked asked_of(int argc, char** argv, const std::vector<std::string>& rows);

/// One part of a program: the row it gives (or rows that begin with its name and a dot).
struct Part {
    std::string name;
    std::function<std::vector<Row>(const Asked&)> take;
};
/// main() of a bench program: takes the wanted parts in order and prints a line for each row as
/// soon as it is known. 1 when a part throws.
int run(int argc, char** argv, const std::vector<Part>& parts);

/// What must hold for the figure to mean anything. Throws std::runtime_error.
void require(bool holds, std::string_view what);

}  // namespace pf::bench
