#pragma once
// How many codes two readers find in the same frames, and how much they read that is not there.
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "boards/sim/frames/defects.hpp"
#include "firmware/scan/pipeline.hpp"

namespace pf::bench {

/// Seeds of scenes and decoys. What the pipeline is tuned on is never what it is scored on.
struct Seeds {
    std::uint64_t first;
    int count;
};
inline constexpr Seeds tuning_seeds{.first = 1'000, .count = 6};
inline constexpr Seeds held_out_seeds{.first = 900'000, .count = 12};
inline constexpr Seeds quick_seeds{.first = 950'000, .count = 1};  // to see that it works
static_assert(tuning_seeds.first + tuning_seeds.count <= held_out_seeds.first);

/// A visitor holds a code before the camera for about a second; a small board looks at some eight
/// frames in that time. Both readers get all of them, each with other noise and the hand moved.
inline constexpr int frames_per_scene = 8;

/// Decoys a kind and seed set: with six kinds more than 500 in all.
inline constexpr int decoys_per_kind = 100;
inline constexpr int decoys_per_kind_quick = 5;

/// As long as tickets are: typical (version 8), joint of three (11), and vouchers (3).
std::string ticket_text(std::uint64_t seed);

/// The texts in one frame.
using Texts = std::set<std::string>;

/// ZXing alone, with given hints, on every frame alike.
struct Hints {
    const char* name;
    bool harder;
    int downscale_from_px;  // 0: never
    int downscale_factor;
    bool global_threshold;
};
/// Of those tried on the tuning seeds (`--hints`), the one that reads most.
inline constexpr Hints best_hints{"harder, halved from 100 px", true, 100, 2, false};
/// The cheapest that reads an easy frame.
inline constexpr Hints cheapest_hints{"cheapest", false, 0, 2, false};
Texts read_plainly(const firmware::scan::LumaFrame& frame, const Hints& hints);
/// `ReadBarcode`: ends at the first code.
std::string read_one_plainly(const firmware::scan::LumaFrame& frame, const Hints& hints);
Texts texts_of(const firmware::scan::Outcome& outcome);

/// A scene with several codes counts by the share of them that was read.
struct Score {
    double scenes = 0;
    double floor = 0;
    double subject = 0;
    int floor_wrong = 0;  // texts read that were never drawn
    int subject_wrong = 0;
    std::map<std::string, int> by_strategy{};  // codes, by the try that read them first

    Score& operator+=(const Score& other);
};
Score score(boards::sim::frames::Defect defect, int severity, std::uint64_t seed,
            const Hints& floor = best_hints);
/// Every try on a frame without a ticket; `scenes` counts frames, `floor` and `subject` the foreign
/// codes that were read as they are.
Score score_decoy(boards::sim::frames::Decoy decoy, std::uint64_t seed);

}  // namespace pf::bench
