#pragma once
// A gate on this machine: the shipped device on the sim board's ports, on files that are really
// synced, with the documents and lists of an ordinary day. Its link is down.
#include <memory>
#include <string>

#include "boards/sim/ports.hpp"
#include "firmware/app/device.hpp"
#include "tests/bench/lists/made_list.hpp"
#include "tests/support/fixed_entropy.hpp"
#include "tests/support/temp_dir.hpp"

namespace pf::bench {

class Gate {
public:
    /// With a list of `codes` tickets.
    explicit Gate(std::size_t codes);

    std::unique_ptr<firmware::app::Device> start();
    /// The text of a typical ticket that is good here today; another one every time.
    std::string ticket();
    boards::sim::LoggedBarrier& barrier() { return barrier_; }
    const crypto::PrivateKey& authority() const { return authority_; }
    const MadeList& list() const { return list_; }
    boards::sim::SystemClock& clock() { return clock_; }
    boards::sim::LoggedCue& cue() { return cue_; }
    std::string folder() const { return folder_.path().string(); }

private:
    firmware::app::Options options() const;
    void fill();

    tests::TempDir folder_;
    tests::SeededEntropy entropy_{5};
    crypto::PrivateKey authority_ = crypto::PrivateKey::generate(entropy_);
    boards::sim::SystemClock clock_{Millis{0}};
    boards::sim::LoggedBarrier barrier_{folder_.path(), clock_, true};
    boards::sim::LoggedCue cue_{folder_.path(), clock_};
    boards::sim::FileVault vault_{folder_.path() / "vault"};
    wire::SiteKey site_key_;
    Day today_;
    MadeList list_;
    std::uint64_t next_ticket_ = 1;
};

}  // namespace pf::bench
