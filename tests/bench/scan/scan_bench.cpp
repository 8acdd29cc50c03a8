// What the scan pipeline adds to ZXing: codes read in hard frames, time spent on easy ones.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "tests/bench/measure.hpp"
#include "tests/bench/scan/reading.hpp"

using namespace pf;
using namespace pf::bench;
namespace frames = pf::boards::sim::frames;
namespace scan = pf::firmware::scan;

namespace {

struct Options {
    bool json = false;
    bool quick = false;
    bool tuning = false;
    bool hints = false;
    std::vector<std::string> rows{"scan_hard", "scan_easy"};
};

void require(bool holds) {
    if (!holds) std::abort();
}

struct Row {
    const char* name;
    const char* unit;
    double measured;
    double floor;
    double ratio;
    double q1;
    double q3;
    double target;
    bool met;
    std::string details;  // the members of a JSON object
};

void print_json(const Row& row) {
    std::printf(R"({"name":"%s","unit":"%s","measured":%.3f,"floor":%.3f,"ratio":%.3f,"q1":%.3f,)"
                R"("q3":%.3f,"target":%.2f,"met":%s,"details":{%s}})"
                "\n",
                row.name, row.unit, row.measured, row.floor, row.ratio, row.q1, row.q3, row.target,
                row.met ? "true" : "false", row.details.c_str());
}

void print_line(const Row& row) {
    std::printf(
        "%-10s %9.2f %-6s floor %9.2f  ratio %.3f (quartiles %.3f to %.3f)  target %.2f %s\n",
        row.name, row.measured, row.unit, row.floor, row.ratio, row.q1, row.q3, row.target,
        row.met ? "met" : "MISSED");
}

std::string member(const char* name, const std::string& value) {
    return std::string{"\""} + name + "\":" + value;
}

std::string number(double value) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.3f", value);
    return text.data();
}

double ratio_of(const Score& score) {
    // What the floor never reads has no ratio; reading it is no worse than 1.
    return score.floor > 0 ? score.subject / score.floor : score.subject > 0 ? 99 : 1;
}

std::string json_of(const Score& score) {
    std::string strategies;
    for (const auto& [strategy, codes] : score.by_strategy) {
        strategies +=
            (strategies.empty() ? "" : ",") + member(strategy.c_str(), std::to_string(codes));
    }
    return "{" + member("scenes", number(score.scenes)) + "," +
           member("floor", number(score.floor)) + "," + member("measured", number(score.subject)) +
           "," + member("wrong", std::to_string(score.subject_wrong)) + "," +
           member("floor_wrong", std::to_string(score.floor_wrong)) + "," +
           member("strategies", "{" + strategies + "}") + "}";
}

void print_score(std::string_view what, const Score& score) {
    std::printf("  %-14.*s %6.0f scenes  floor %6.1f  pipeline %6.1f  ratio %5.2f  wrong %d",
                static_cast<int>(what.size()), what.data(), score.scenes, score.floor,
                score.subject, ratio_of(score), score.subject_wrong);
    for (const auto& [strategy, codes] : score.by_strategy) {
        std::printf("  %s %d", strategy.c_str(), codes);
    }
    std::printf("\n");
    std::fflush(stdout);
}

Row hard_row(const Options& options) {
    const Seeds seeds = options.tuning  ? tuning_seeds
                        : options.quick ? quick_seeds
                                        : held_out_seeds;
    Score all;
    std::vector<Score> by_seed(static_cast<std::size_t>(seeds.count));
    std::vector<double> worst;
    std::string details;
    Score upright;  // without the codes ZXing can't read by design
    for (const frames::Defect defect : frames::defects) {
        Score of_defect;
        for (int severity = 1; severity <= frames::severity_max; ++severity) {
            for (std::size_t i = 0; i < by_seed.size(); ++i) {
                const Score one = score(defect, severity, seeds.first + i);
                by_seed[i] += one;
                of_defect += one;
            }
        }
        all += of_defect;
        const bool dark_mode =
            defect == frames::Defect::inversion || defect == frames::Defect::several;
        if (!dark_mode) upright += of_defect;
        worst.push_back(ratio_of(of_defect));
        if (!options.json) print_score(to_text(defect), of_defect);
        details += member(std::string{to_text(defect)}.c_str(), json_of(of_defect)) + ",";
    }
    Score nothing;
    for (const frames::Decoy decoy : frames::decoys) {
        const int count = options.quick ? decoys_per_kind_quick : decoys_per_kind;
        for (int i = 0; i < count; ++i)
            nothing += score_decoy(decoy, seeds.first * 1000 + static_cast<unsigned>(i));
    }
    if (!options.json) {
        print_score("no ticket", nothing);
        print_score("no dark mode", upright);
    }
    std::vector<double> ratios;
    for (const Score& score : by_seed) ratios.push_back(ratio_of(score));
    const Quartiles ratio = quartiles(ratios);
    constexpr double target = 1.25;
    const int wrong = all.subject_wrong + nothing.subject_wrong;
    const bool met = ratio.lower >= target && *std::ranges::min_element(worst) >= 1 && wrong == 0;
    details += member("no_ticket", json_of(nothing)) + "," +
               member("without_dark_mode", number(ratio_of(upright))) + "," +
               member("frames_per_scene", std::to_string(frames_per_scene)) + "," +
               member("wrong", std::to_string(wrong));
    return {"scan_hard", "scenes",    all.subject, all.floor, ratio_of(all),
            ratio.lower, ratio.upper, target,      met,       details};
}

/// Nothing but what every visit has: a turn, a tilt, a sensor's noise.
std::vector<scan::LumaFrame> easy_frames(const Options& options) {
    std::vector<scan::LumaFrame> easy;
    const std::uint64_t first = options.tuning ? tuning_seeds.first : held_out_seeds.first;
    for (std::uint64_t seed = first; seed < first + 8; ++seed) {
        const bool large = seed % 2 == 0;
        easy.push_back(
            frames::make_frame(frames::render_qr(ticket_text(4 * seed)).value(),
                               {.seed = seed,
                                .width = large ? 1280 : 640,
                                .height = large ? 720 : 480,
                                .size = 0.45 + 0.05 * static_cast<double>(seed % 5),
                                .rotation_deg = 10.0 * static_cast<double>(seed % 7) - 30,
                                .tilt_deg = 3.0 * static_cast<double>(seed % 4),
                                .noise = 3}));
    }
    return easy;
}

double percentile_99(std::vector<double> times) {
    std::ranges::sort(times);
    return times[times.size() * 99 / 100];
}

/// Microseconds of one call a frame, a figure for each frame.
template <class Work>
void time_each(const std::vector<scan::LumaFrame>& frames, std::vector<double>& times, Work work) {
    for (const scan::LumaFrame& frame : frames) {
        times.push_back(median_us(1, [&] { work(frame); }));
    }
}

Row easy_row(const Options& options) {
    const auto easy = easy_frames(options);
    const int rounds = options.quick ? 9 : 25;
    const int calls = options.quick ? 3 : 12;
    std::vector<double> ratios, floors, subjects, held_ratios, best_ratios;
    std::vector<double> floor_all, subject_all;
    for (int round = 0; round < rounds; ++round) {
        std::vector<double> floor, best, subject, held;
        for (int call = 0; call < calls; ++call) {
            time_each(easy, floor, [](const auto& frame) {
                require(read_one_plainly(frame, cheapest_hints).starts_with("PF1:"));
            });
            scan::Pipeline pipeline;
            time_each(easy, subject, [&](const auto& frame) {
                const auto outcome =
                    pipeline.read(frame, scan::camera_budget(1, scan::camera_work_max,
                                                             std::chrono::microseconds{0}, {}));
                require(outcome.readings.size() == 1);
            });
            time_each(easy, best, [](const auto& frame) {
                require(!read_one_plainly(frame, best_hints).empty());
            });
        }
        // A code held on for eight frames, one of which gets every try.
        for (const scan::LumaFrame& frame : easy) {
            scan::Pipeline pipeline;
            held.push_back(
                median_us(1,
                          [&] {
                              for (std::uint64_t i = 1; i <= scan::exhaustive_every_frames; ++i)
                                  pipeline.read(
                                      frame, scan::camera_budget(i, scan::camera_work_max,
                                                                 std::chrono::microseconds{0}, {}));
                          }) /
                static_cast<double>(scan::exhaustive_every_frames));
        }
        floor_all.insert(floor_all.end(), floor.begin(), floor.end());
        subject_all.insert(subject_all.end(), subject.begin(), subject.end());
        floors.push_back(quartiles(floor).median);
        subjects.push_back(quartiles(subject).median);
        ratios.push_back(subjects.back() / floors.back());
        held_ratios.push_back(quartiles(held).median / floors.back());
        best_ratios.push_back(subjects.back() / quartiles(best).median);
    }
    const Quartiles ratio = quartiles(ratios);
    constexpr double target = 1.1;
    const std::string details =
        member("p99", number(percentile_99(subject_all))) + "," +
        member("p99_floor", number(percentile_99(floor_all))) + "," +
        member("ratio_held_with_every_try_once_in_8", number(quartiles(held_ratios).median)) + "," +
        member("ratio_to_best_hints", number(quartiles(best_ratios).median));
    return {"scan_easy",
            "us",
            quartiles(subjects).median,
            quartiles(floors).median,
            ratio.median,
            ratio.lower,
            ratio.upper,
            target,
            ratio.upper <= target,
            details};
}

/// Which hints the floor gets: the ones that read most of the tuning scenes.
void print_hints() {
    constexpr std::array candidates{
        cheapest_hints,
        Hints{"harder", true, 0, 2, false},
        Hints{"harder, thirds from 500 px (ZXing's own)", true, 500, 3, false},
        Hints{"harder, halved from 300 px", true, 300, 2, false},
        best_hints,
        Hints{"harder, thirds from 100 px", true, 100, 3, false},
        Hints{"harder, halved from 100 px, one threshold", true, 100, 2, true}};
    for (const Hints& hints : candidates) {
        double read = 0;
        for (const frames::Defect defect : frames::defects) {
            for (int severity = 1; severity <= frames::severity_max; ++severity) {
                for (int i = 0; i < 2; ++i)
                    read += score(defect, severity, tuning_seeds.first + static_cast<unsigned>(i),
                                  hints)
                                .floor;
            }
        }
        std::printf("%-45s %6.1f\n", hints.name, read);
    }
}

}  // namespace

int main(int argc, char** argv) {
    Options options;
    CLI::App app{"bench_scan: the scan pipeline beside plain ZXing, on the generator's frames."};
    app.add_flag("--json", options.json, "one JSON object a row");
    app.add_option("--rows", options.rows, "which rows")->delimiter(',');
    app.add_flag("--quick", options.quick, "few scenes: to see that it works, not for the record");
    app.add_flag("--tuning", options.tuning, "the tuning seeds, while working on the pipeline");
    app.add_flag("--hints", options.hints, "compare hints for the floor on the tuning seeds");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : 2;
    }
    if (options.hints) {
        print_hints();
        return 0;
    }
    for (const std::string& name : options.rows) {
        if (name != "scan_hard" && name != "scan_easy") {
            std::fprintf(stderr, "bench_scan: no row %s\n", name.c_str());
            return 2;
        }
        const Row row = name == "scan_hard" ? hard_row(options) : easy_row(options);
        options.json ? print_json(row) : print_line(row);
        std::fflush(stdout);
    }
    return 0;
}
