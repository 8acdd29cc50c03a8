#include "sync-server/ingest/histories.hpp"

namespace pf::server::ingest {

using pf::journal::Cursor;

Epoch branch_epoch(Epoch epoch, const Digest& head_of_first_divergent) {
    Bytes name = to_bytes("paifang/branch/1");
    const auto origin = to_be8(epoch.value);
    name.insert(name.end(), origin.begin(), origin.end());
    name.insert(name.end(), head_of_first_divergent.begin(), head_of_first_divergent.end());
    const Digest digest = crypto::sha256(name);
    return Epoch{from_be8(std::span<const Byte, 8>{digest.data(), 8})};
}

Histories::Histories(Repositories& r, const DeviceId& device, Epoch origin, std::uint64_t first_seq,
                     std::uint64_t last_seq)
    : r_{r},
      device_{device},
      origin_{origin},
      genesis_{pf::journal::genesis(device, origin)},
      chains_{r.ingest.chains(device, origin)} {
    for (const Chain& chain : chains_) {
        auto& heads = kept_.emplace_back();
        // One before the batch: what it builds on.
        for (const Kept& kept : r.ingest.kept(device, chain.end.epoch, first_seq - 1, last_seq))
            heads.emplace(kept.seq, kept);
    }
}

Cursor Histories::main_end() const {
    if (chains_.empty()) return {origin_, 0, genesis_};
    return chains_.front().end;
}

std::size_t Histories::home(std::size_t index, std::uint64_t seq) const {
    // A branch is younger than its parent, so this ends at the first history.
    while (index != 0 && seq <= chains_[index].base_seq) {
        const Epoch parent = chains_[index].parent;
        std::size_t found = 0;
        while (chains_[found].end.epoch != parent) ++found;
        index = found;
    }
    return index;
}

const Kept* Histories::at(std::size_t index, std::uint64_t seq) const {
    const auto& heads = kept_[home(index, seq)];
    const auto found = heads.find(seq);
    return found == heads.end() ? nullptr : &found->second;
}

std::optional<std::size_t> Histories::with(std::uint64_t seq, const Digest& head) const {
    for (std::size_t i = 0; i < chains_.size(); ++i) {
        if (seq == 0 && head == genesis_) return i;
        const Kept* kept = at(i, seq);
        if (kept != nullptr && kept->head == head) return i;
    }
    return std::nullopt;
}

std::size_t Histories::begin() {
    chains_.push_back({device_, origin_, origin_, 0, {origin_, 0, genesis_}});
    kept_.emplace_back();
    return 0;
}

std::optional<std::size_t> Histories::fork(std::size_t index, const Cursor& base,
                                           const Digest& head) {
    const Epoch name = branch_epoch(origin_, head);
    // The name can be computed by whoever writes the branch: a device that used it before, or a
    // head that was said and not written, would put two histories under one name.
    if (r_.ingest.chain(device_, name)) return std::nullopt;
    const Epoch parent = epoch_of(index, base.seq);
    chains_.push_back({device_, origin_, parent, base.seq, {name, base.seq, base.head}});
    kept_.emplace_back();
    return chains_.size() - 1;
}

void Histories::skip_to(const Cursor& at, const Kept& stand_in) {
    if (chains_.empty()) (void)begin();
    Chain& chain = chains_.front();
    if (at.seq <= chain.end.seq) return;  // what is here is never skipped
    chain.end.seq = at.seq;
    chain.end.head = at.head;
    kept_.front().emplace(at.seq, stand_in);
}

bool Histories::takes(std::size_t index, std::uint64_t seq) const {
    const Chain& chain = chains_[index];
    return seq <= chain.end.seq + 1 && (index == 0 || seq > chain.base_seq);
}

void Histories::extend(std::size_t index, const Kept& event) {
    Chain& chain = chains_[index];
    if (event.seq == chain.end.seq + 1) {
        chain.end.seq = event.seq;
        chain.end.head = event.head;
    }
    kept_[index].insert_or_assign(event.seq, event);
}

Epoch Histories::epoch_of(std::size_t index, std::uint64_t seq) const {
    return chains_[home(index, seq)].end.epoch;
}

}  // namespace pf::server::ingest
