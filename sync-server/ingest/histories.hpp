#pragma once
// Inside the room: the histories of one epoch around one batch.
#include <map>
#include <vector>

#include "sync-server/ingest/repository.hpp"

namespace pf::server::ingest {

/// All histories of (device, origin) and the heads they have between two seqs. Loaded once a batch.
class Histories {
public:
    Histories(Repositories& r, const DeviceId& device, Epoch origin, std::uint64_t first_seq,
              std::uint64_t last_seq);

    /// The end of the history the epoch is answered for: the first one; genesis when there is none.
    pf::journal::Cursor main_end() const;

    /// Index of a history with that head at that seq.
    std::optional<std::size_t> with(std::uint64_t seq, const Digest& head) const;
    /// What history `index` has at that seq, its own or its parents'.
    const Kept* at(std::size_t index, std::uint64_t seq) const;
    const Chain& chain(std::size_t index) const { return chains_[index]; }

    /// Begins the first history.
    std::size_t begin();
    /// Begins a branch of history `index` after `base`, whose first event will have `head`.
    /// Nothing: another history has the name that branch would get.
    std::optional<std::size_t> fork(std::size_t index, const pf::journal::Cursor& base,
                                    const Digest& head);
    /// The first history goes on after `at`: what lies between is gone for good. `stand_in` is kept
    /// in the place of the last event that is gone, so that what follows finds its root. Nothing
    /// happens when the first history has an end there or later.
    void skip_to(const pf::journal::Cursor& at, const Kept& stand_in);
    /// Whether an event can be added there: at the end, or before it in a hole that skip_to() left.
    bool takes(std::size_t index, std::uint64_t seq) const;
    /// Adds an event where takes() says yes, or replaces a stand-in. In a hole the end stays.
    void extend(std::size_t index, const Kept& event);

    /// Under which name the event `seq` of history `index` is stored.
    Epoch epoch_of(std::size_t index, std::uint64_t seq) const;

private:
    std::size_t home(std::size_t index, std::uint64_t seq) const;

    Repositories& r_;
    DeviceId device_;
    Epoch origin_;
    Digest genesis_;
    std::vector<Chain> chains_;
    std::vector<std::map<std::uint64_t, Kept>> kept_;  // beside chains_
};

}  // namespace pf::server::ingest
