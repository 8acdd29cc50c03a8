#include "firmware/sync/list_puller.hpp"

#include <utility>

namespace pf::firmware::sync {

using wire::Want;

void ListPuller::on_link_up() {
    asked_.reset();
    patience_.answered();
}

void ListPuller::on_link_down() {
    asked_.reset();
    patience_.stop();
}

std::optional<SteadyTime> ListPuller::wake_at() const {
    // While an answer is awaited, or nothing can be asked, a list past its time wakes nobody: a
    // wake that can do nothing would come again at once, for as long as the server is silent.
    if (!context_.link_up || !theirs_) return std::nullopt;
    if (asked_ || patience_.waiting()) return patience_.until();
    return freshen_at_;
}

void ListPuller::on_news(const wire::ListState& theirs, Generation generation, Reading now) {
    if (generation < context_.generation) return;
    const bool older =
        theirs_ && theirs_->generation == generation && theirs.version < theirs_->version;
    if (older) return;
    theirs_ = theirs;
    theirs_->generation = generation;
    if (!freshen_at_) freshen_at_ = now.steady;
    tick(now);
}

void ListPuller::tick(Reading now) {
    if (!context_.link_up || !theirs_) return;
    if (patience_.over(now.steady)) asked_.reset();
    if (asked_ || patience_.waiting()) return;
    ask_next(now);
    // Nothing to ask for, as when the server has no such list yet: looked at again later.
    if (!asked_ && !patience_.waiting() && freshen_at_ && *freshen_at_ <= now.steady)
        freshen_at_ = now.steady + Engine::freshen_every_ms;
}

/// Chooses the cheapest step from what we have to what the server has.
void ListPuller::ask_next(Reading now) {
    const wire::ListState ours = context_.cache.list(scope_).state;
    if (const auto stage = context_.cache.stage(scope_);
        stage && !take_snapshot_ && !check_buckets_) {
        const bool resumable = stage->generation == theirs_->generation;
        if (resumable) return ask_stage_page(*stage, now);
        (void)context_.stored(context_.cache.drop_stage(scope_));
    }
    const bool same_life = ours.generation == theirs_->generation;
    if (take_snapshot_ || ours.version == 0 || !same_life) {
        if (theirs_->version == 0) return;  // the server has no such list yet
        take_snapshot_ = check_buckets_ = false;
        return begin({.what = Want::What::snapshot,
                      .generation = theirs_->generation,
                      .from_version = 0,
                      .to_version = theirs_->version,
                      .bucket = 0,
                      .after = {}},
                     now);
    }
    if (check_buckets_ || (ours.version == theirs_->version && ours.root != theirs_->root)) {
        Want want{.what = Want::What::buckets,
                  .scope = scope_,
                  .generation = ours.generation,
                  .after = {}};
        want.to_version = ours.version;
        return ask(std::move(want), now);
    }
    const bool stale = freshen_at_ && now.steady >= *freshen_at_;
    if (ours.version < theirs_->version || stale) {
        begin({.what = Want::What::difference,
               .generation = ours.generation,
               .from_version = ours.version,
               .to_version = theirs_->version,
               .bucket = 0,
               .after = {}},
              now);
    }
}

void ListPuller::begin(const cache::Stage& stage, Reading now) {
    if (!context_.stored(context_.cache.begin_stage(scope_, stage)))
        return patience_.start(now.steady);
    snapshots_begun_ += stage.what == Want::What::snapshot ? 1 : 0;
    ask_stage_page(stage, now);
}

void ListPuller::ask_stage_page(const cache::Stage& stage, Reading now) {
    ask({.what = stage.what,
         .request = 0,
         .scope = scope_,
         .generation = stage.generation,
         .from_version = stage.from_version,
         .to_version = stage.to_version,
         .bucket = stage.bucket,
         .after = stage.after,
         .uses_after = 0,
         .document_type = 0},
        now);
}

void ListPuller::ask(Want want, Reading now) {
    want.request = context_.next_request();
    patience_.start(now.steady);
    if (context_.send(wire::Up::want, wire::encode(want))) asked_ = std::move(want);
}

void ListPuller::on_chunk(const wire::Chunk& chunk, Reading now) {
    if (!asked_ || chunk.request != asked_->request || chunk.what != asked_->what) return;
    const auto stage = context_.cache.stage(scope_);
    const bool asked_snapshot = asked_->what == Want::What::snapshot;
    asked_.reset();
    if (chunk.snapshot_needed) {
        (void)context_.stored(context_.cache.drop_stage(scope_));
        take_snapshot_ = true;
        // Not even a snapshot of what the news promised: asked for again, ever more patiently.
        if (asked_snapshot) return patience_.start(now.steady);
        patience_.answered();
        return tick(now);
    }
    patience_.answered();
    const bool fits = stage && chunk.generation == stage->generation &&
                      chunk.from_version == stage->from_version &&
                      chunk.to_version == stage->to_version && chunk.bucket == stage->bucket;
    const bool ahead = chunk.rows.empty() || !stage || stage->after < chunk.rows.front().key;
    if (!fits || !ahead) {
        context_.finding("list_page_foreign", "a page does not continue the list update under way",
                         now);
        (void)context_.stored(context_.cache.drop_stage(scope_));
        return patience_.start(now.steady);
    }
    if (!chunk.last && !chunk.rows.empty()) {
        // The server reads the next page while this one is stored.
        cache::Stage next = *stage;
        next.after = chunk.rows.back().key;
        ask_stage_page(next, now);
    }
    if (!chunk.rows.empty() && !context_.stored(context_.cache.stage_rows(scope_, chunk.rows))) {
        asked_.reset();                      // what comes would not follow on
        return patience_.start(now.steady);  // a full disk: the page is asked for again
    }
    if (chunk.last) return finish(chunk, now);
    tick(now);
}

/// The manifest, if the site authority signed exactly this one.
std::optional<wire::ListManifest> ListPuller::manifest_of(BytesView bytes, std::uint64_t version,
                                                          Reading now) {
    const auto document = wire::open_document(bytes, context_.identity.site_authority);
    if (document.has_error() || document->type != wire::DocumentType::list_manifest ||
        document->site != context_.identity.site || document->generation != theirs_->generation ||
        document->version != version) {
        context_.finding("manifest_refused",
                         "a list manifest is not signed for this site, list and version", now);
        return std::nullopt;
    }
    const auto manifest = wire::decode_list_manifest(document->body);
    if (manifest.has_error() || manifest->scope != scope_) return std::nullopt;
    return *manifest;
}

void ListPuller::finish(const wire::Chunk& chunk, Reading now) {
    const auto manifest = manifest_of(chunk.manifest, chunk.to_version, now);
    if (!manifest) {
        (void)context_.stored(context_.cache.drop_stage(scope_));
        return patience_.start(now.steady);
    }
    const wire::ListState before = context_.cache.list(scope_).state;
    const auto applied =
        context_.cache.apply_stage(scope_, *manifest, chunk.generation, chunk.to_version);
    if (applied.has_error()) {
        if (applied.error() == cache::Fault::digest_mismatch) return mismatch(chunk.what, now);
        if (applied.error() == cache::Fault::wrong_base) take_snapshot_ = true;
        ++context_.storage_faults;
        return patience_.start(now.steady);
    }
    freshen_at_ = now.steady + Engine::freshen_every_ms;
    if (applied->state != before) {
        const auto& state = applied->state;
        const auto written = context_.journal.append(
            context_.host.stamp(now),
            pf::journal::ListApplied{static_cast<std::uint8_t>(scope_), state.generation,
                                     state.version, state.root});
        (void)context_.stored(written);
    }
    tick(now);
}

/// The rows are not what the manifest proves: look closer before taking everything anew.
void ListPuller::mismatch(Want::What what, Reading now) {
    context_.finding("list_mismatch",
                     "a list update did not match its signed digest and was not applied", now);
    switch (what) {
        case Want::What::difference:
            check_buckets_ = true;
            break;
        case Want::What::bucket:
            take_snapshot_ = true;
            break;
        case Want::What::snapshot:
            patience_.start(now.steady);
            return;
        case Want::What::buckets:
        case Want::What::uses:
        case Want::What::document:
            break;
    }
    tick(now);
}

void ListPuller::on_buckets(const wire::Buckets& buckets, Reading now) {
    if (!asked_ || buckets.request != asked_->request || asked_->what != Want::What::buckets)
        return;
    asked_.reset();
    patience_.answered();
    const bool after_mismatch = std::exchange(check_buckets_, false);
    const wire::ListState ours = context_.cache.list(scope_).state;
    const auto manifest = manifest_of(buckets.manifest, ours.version, now);
    if (!manifest || buckets.version != ours.version || buckets.generation != ours.generation ||
        wire::ListDigest::from_sums(buckets.sums).root() != manifest->root) {
        take_snapshot_ = true;
        return tick(now);
    }
    const wire::ListDigest digest = context_.cache.digest(scope_);
    std::vector<std::uint8_t> damaged;
    for (std::size_t i = 0; i < wire::bucket_count; ++i)
        if (digest.sums()[i] != buckets.sums[i]) damaged.push_back(static_cast<std::uint8_t>(i));
    if (damaged.size() != 1) {
        // Several: one snapshot is simpler and as short as many repairs. None, and yet a difference
        // did not fit: the rows are not what our own sums say, and the same difference would fail
        // again at once. None otherwise: the news was about another moment, a difference settles
        // it.
        if (!damaged.empty() || after_mismatch) take_snapshot_ = true;
        if (!take_snapshot_) freshen_at_ = now.steady;
        return tick(now);
    }
    begin({.what = Want::What::bucket,
           .generation = ours.generation,
           .from_version = 0,
           .to_version = ours.version,
           .bucket = damaged.front(),
           .after = {}},
          now);
}

}  // namespace pf::firmware::sync
