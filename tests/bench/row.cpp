#include "tests/bench/row.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>

namespace pf::bench {

using nlohmann::json;

std::optional<bool> Row::met() const {
    if (!target) return std::nullopt;
    return (ratio ? ratio->upper : measured) <= target->at_most;
}

Row row_of(std::string name, std::string unit, const Compared& compared,
           std::optional<Target> target, std::string notes) {
    return {.name = std::move(name),
            .unit = std::move(unit),
            .measured = compared.subject,
            .floor = compared.floor,
            .ratio = compared.ratio,
            .target = target,
            .notes = std::move(notes),
            .details = {{"p99", compared.subject_p99}, {"p99_floor", compared.floor_p99}}};
}

json to_json(const Row& row) {
    const auto number = [](std::optional<double> value) { return value ? json(*value) : json{}; };
    json out{{"name", row.name},
             {"unit", row.unit},
             {"measured", row.measured},
             {"floor", number(row.floor)},
             {"ratio", row.ratio ? json(row.ratio->median) : json{}},
             {"q1", row.ratio ? json(row.ratio->lower) : json{}},
             {"q3", row.ratio ? json(row.ratio->upper) : json{}},
             {"target", json{}},
             {"met", json{}}};
    if (row.target) {
        std::ostringstream text;
        text << "<= " << row.target->at_most;
        out["target"] = text.str();
        out["met"] = *row.met();
    }
    if (!row.notes.empty()) out["notes"] = row.notes;
    for (const auto& [name, value] : row.details) out["details"][name] = value;
    return out;
}

bool Asked::wants(std::string_view row) const {
    return rows.empty() || std::ranges::find(rows, row) != rows.end();
}

Asked asked_of(int argc, char** argv, const std::vector<std::string>& rows) {
    const auto refuse = [&](const std::string& why) {
        std::cerr << argv[0] << ": " << why << "\n"
                  << "usage: [--json] [--quick] [--rows a,b]; rows:";
        for (const std::string& row : rows) std::cerr << ' ' << row;
        std::cerr << std::endl;
        std::exit(2);
    };
    Asked asked;
    for (int i = 1; i < argc; ++i) {
        const std::string word = argv[i];
        if (word == "--json") {
            asked.json = true;
        } else if (word == "--quick") {
            asked.quick = true;
        } else if (word == "--rows" && i + 1 < argc) {
            std::istringstream names{argv[++i]};
            for (std::string name; std::getline(names, name, ',');) {
                if (std::ranges::find(rows, name) == rows.end()) refuse("no row " + name);
                asked.rows.push_back(name);
            }
        } else {
            refuse("what is " + word + "?");
        }
    }
    return asked;
}

namespace {

void print(const Row& row, bool as_json) {
    const json line = to_json(row);
    if (as_json) {
        std::cout << line.dump() << std::endl;
        return;
    }
    std::printf("%-24s %12.2f %-6s", row.name.c_str(), row.measured, row.unit.c_str());
    if (row.floor) std::printf("  floor %12.2f", *row.floor);
    if (row.ratio)
        std::printf("  ratio %.3f (%.3f to %.3f)", row.ratio->median, row.ratio->lower,
                    row.ratio->upper);
    if (const auto met = row.met())
        std::printf("  %s: %s", line["target"].get<std::string>().c_str(), *met ? "met" : "missed");
    std::printf("%s%s\n", row.notes.empty() ? "" : "  ", row.notes.c_str());
    for (const auto& [name, value] : row.details) std::printf("%24s %12.2f\n", name.c_str(), value);
    std::fflush(stdout);
}

}  // namespace

int run(int argc, char** argv, const std::vector<Part>& parts) {
    std::vector<std::string> names;
    for (const Part& part : parts) names.push_back(part.name);
    const Asked asked = asked_of(argc, argv, names);
    int code = 0;
    for (const Part& part : parts) {
        if (!asked.wants(part.name)) continue;
        try {
            for (Row row : part.take(asked)) {
                if (asked.quick)
                    row.notes += (row.notes.empty() ? "" : "; ") + std::string{"quick"};
                print(row, asked.json);
            }
        } catch (const std::exception& failed) {
            std::cerr << part.name << ": " << failed.what() << std::endl;
            code = 1;
        }
    }
    return code;
}

void require(bool holds, std::string_view what) {
    if (!holds) throw std::runtime_error{std::string{what}};
}

}  // namespace pf::bench
