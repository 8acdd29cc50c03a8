#include "firmware/scan/sighting.hpp"

#include <algorithm>

namespace pf::firmware::scan {

std::vector<std::size_t> Sightings::fresh(SteadyTime at, const std::vector<BytesView>& codes) {
    std::erase_if(in_sight_,
                  [&](const InSight& code) { return at - code.last >= out_of_sight_after; });

    std::vector<std::size_t> scans;
    bool came = false;
    for (std::size_t i = 0; i < codes.size(); ++i) {
        const auto same = std::ranges::find_if(in_sight_, [&](const InSight& code) {
            return std::ranges::equal(code.bytes, codes[i]);
        });
        if (same != in_sight_.end()) {
            same->last = at;
            if (same->ask_at && at >= *same->ask_at) {
                same->ask_at.reset();
                scans.push_back(i);
            }
            continue;
        }
        came = true;
        scans.push_back(i);
        in_sight_.push_back({Bytes(codes[i].begin(), codes[i].end()), at, {}});
    }
    // Another code came into sight: what this look does not show has gone.
    if (came) {
        std::erase_if(in_sight_, [&](const InSight& code) {
            return std::ranges::none_of(
                codes, [&](BytesView seen) { return std::ranges::equal(seen, code.bytes); });
        });
    }
    return scans;
}

void Sightings::put_off(SteadyTime at, BytesView code) {
    for (InSight& held : in_sight_)
        if (std::ranges::equal(held.bytes, code)) held.ask_at = at + put_off_for;
}

}  // namespace pf::firmware::scan
