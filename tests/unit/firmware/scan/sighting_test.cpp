#include "firmware/scan/sighting.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace pf;
using pf::firmware::scan::Sightings;

namespace {

struct Step {
    int at_ms;
    std::vector<std::string> codes;
    std::string scans;  // what counts as a scan, one letter a code
};

}  // namespace

TEST_CASE("a code is one scan until it was out of sight for 1.5 s or another came") {
    struct Case {
        const char* why;
        std::vector<Step> steps;
    };
    const Case cases[] = {
        {"held before the camera for seconds",
         {{0, {"A"}, "A"}, {400, {"A"}, ""}, {1800, {"A"}, ""}, {3299, {"A"}, ""}}},
        {"unseen for 1,499 ms: still there", {{0, {"A"}, "A"}, {1499, {"A"}, ""}}},
        {"unseen for 1,500 ms: a second entry", {{0, {"A"}, "A"}, {1500, {"A"}, "A"}}},
        {"each sight counts anew", {{0, {"A"}, "A"}, {1000, {"A"}, ""}, {2500, {"A"}, "A"}}},
        {"another code ends it at once",
         {{0, {"A"}, "A"}, {100, {"B"}, "B"}, {200, {"A"}, "A"}, {300, {"B"}, "B"}}},
        {"two in one frame are two scans, once", {{0, {"A", "B"}, "AB"}, {100, {"B", "A"}, ""}}},
        {"seen together, then by turns: nobody came",
         {{0, {"A", "B"}, "AB"}, {100, {"A"}, ""}, {200, {"B"}, ""}, {300, {"A"}, ""}}},
        {"a second telephone beside the first",
         {{0, {"A"}, "A"}, {100, {"A", "B"}, "B"}, {200, {"A"}, ""}, {300, {"B"}, ""}}},
        {"a third ends who is not in its frame",
         {{0, {"A", "B"}, "AB"}, {100, {"B", "C"}, "C"}, {200, {"A"}, "A"}}},
        {"one of two leaves while the other stays",
         {{0, {"A", "B"}, "AB"}, {1000, {"A"}, ""}, {1600, {"A", "B"}, "B"}}},
        {"the same code twice in one frame", {{0, {"A", "A"}, "A"}}},
        {"frames without codes say nothing", {{0, {"A"}, "A"}, {700, {}, ""}, {1400, {"A"}, ""}}},
    };
    for (const Case& c : cases) {
        CAPTURE(c.why);
        Sightings sightings;
        for (const Step& step : c.steps) {
            CAPTURE(step.at_ms);
            std::vector<BytesView> codes;
            for (const std::string& code : step.codes) codes.push_back(as_bytes(code));
            std::string scans;
            for (const auto i : sightings.fresh(SteadyTime{Millis{step.at_ms}}, codes)) {
                scans += step.codes[i];
            }
            CHECK(scans == step.scans);
        }
    }
}
