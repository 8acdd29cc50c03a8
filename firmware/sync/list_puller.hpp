#pragma once
// One list down: differences when they fit, a snapshot when they do not, one bucket when only that
// is damaged. Nothing is applied that the signed manifest does not prove (invariant 4).
// docs/protocol/sync-v1.md, section 7.
#include "firmware/sync/context.hpp"

namespace pf::firmware::sync {

class ListPuller {
public:
    ListPuller(Context& context, wire::ListScope scope) : context_{context}, scope_{scope} {}

    void on_link_up();
    void on_link_down();
    /// The server's version of this list.
    void on_news(const wire::ListState& theirs, Generation generation, Reading now);
    void on_chunk(const wire::Chunk& chunk, Reading now);
    void on_buckets(const wire::Buckets& buckets, Reading now);
    void tick(Reading now);
    std::optional<SteadyTime> wake_at() const;
    bool under_way() const { return asked_.has_value(); }
    std::uint64_t snapshots_begun() const { return snapshots_begun_; }

private:
    void ask_next(Reading now);
    void ask(wire::Want want, Reading now);
    void ask_stage_page(const cache::Stage& stage, Reading now);
    void begin(const cache::Stage& stage, Reading now);
    void finish(const wire::Chunk& chunk, Reading now);
    void mismatch(wire::Want::What what, Reading now);
    std::optional<wire::ListManifest> manifest_of(BytesView bytes, std::uint64_t version,
                                                  Reading now);

    Context& context_;
    wire::ListScope scope_;
    std::optional<wire::ListState> theirs_;  // newest news
    std::optional<wire::Want> asked_;        // the one request in flight
    Patience patience_{Engine::answer_wait_ms};
    std::optional<SteadyTime> freshen_at_;
    bool check_buckets_ = false;  // our copy is not what its version should be
    bool take_snapshot_ = false;  // the server can't bridge the difference
    std::uint64_t snapshots_begun_ = 0;
};

}  // namespace pf::firmware::sync
