// Serving lists: pages of any version, the sums that prove it, and the site's word for both.
#include "common/wire/documents.hpp"
#include "sync-server/lists/repository.hpp"
#include "sync-server/store/store.hpp"

namespace pf::server::lists {
namespace {

using wire::ListDigest;
using wire::ListRow;
using wire::Want;

/// What is signed for one version.
struct Proof {
    ListDigest digest;
    std::uint64_t rows = 0;
};

constexpr std::size_t rows_a_read = 4'000;

/// Of a version the list has left behind: from its rows, in slices, never all in memory.
Proof summed(Repositories& r, SiteId site, wire::ListScope scope, std::uint64_t version) {
    Proof proof;
    Bytes after;
    for (;;) {
        const auto rows = r.lists.alive_at(site, scope, version, std::nullopt, after, rows_a_read);
        for (const ListRow& row : rows) proof.digest.add(row.key, *row.body);
        proof.rows += rows.size();
        if (rows.size() < rows_a_read) return proof;
        after = rows.back().key;
    }
}

/// One question about one list, with everything its answer needs.
class Answer {
public:
    Answer(Repositories& r, const Call& call, const fleet::Keys& keys, const fleet::Device& device,
           const Want& want)
        : r_{r},
          call_{call},
          keys_{keys},
          device_{device},
          want_{want},
          generation_{r.meta.generation()},
          head_{r.lists.head(device.site, want.scope).value_or(Head{})},
          version_{want.to_version == 0 ? head_.version : want.to_version} {}

    Outgoing page() const {
        wire::Chunk chunk{.request = want_.request,
                          .what = want_.what,
                          .scope = want_.scope,
                          .generation = generation_,
                          .from_version = want_.from_version,
                          .to_version = version_,
                          .bucket = want_.bucket,
                          .last = true,
                          .rows = {},
                          .manifest = {},
                          .snapshot_needed = !known()};
        if (!chunk.snapshot_needed) {
            fill(chunk);
            if (chunk.last) chunk.manifest = manifest(proof());
        }
        return to_device(wire::Down::chunk, wire::encode(chunk));
    }

    /// A device that asks about a version nobody has, or has any more, is answered with the newest:
    /// its next step is a snapshot either way.
    Outgoing buckets() {
        if (!known()) version_ = head_.version;
        const Proof of = proof();
        const auto& sums = of.digest.sums();
        return to_device(wire::Down::buckets,
                         wire::encode(wire::Buckets{.request = want_.request,
                                                    .scope = want_.scope,
                                                    .generation = generation_,
                                                    .version = version_,
                                                    .sums = {sums.begin(), sums.end()},
                                                    .manifest = manifest(of)}));
    }

private:
    /// Whether the versions of the question are ones this database gave out.
    bool known() const {
        if (version_ > head_.version || version_ < head_.oldest) return false;
        // A snapshot builds on nothing, so a device without any state may ask for one.
        const bool no_base = want_.what == Want::What::snapshot && want_.generation.value == 0;
        if (want_.generation != generation_ && !no_base) return false;
        if (want_.what != Want::What::difference) return true;
        return want_.from_version >= head_.oldest && want_.from_version <= version_;
    }

    void fill(wire::Chunk& chunk) const {
        // One more than a page takes says whether another page follows.
        auto rows = read(wire::chunk_rows_max + 1);
        wire::ChunkRoom room;
        for (ListRow& row : rows) {
            if (!room.take(row)) {
                chunk.last = false;
                return;
            }
            chunk.rows.push_back(std::move(row));
        }
    }

    std::vector<ListRow> read(std::size_t limit) const {
        switch (want_.what) {
            case Want::What::difference:
                return r_.lists.changed(device_.site, want_.scope, want_.from_version, version_,
                                        want_.after, limit);
            case Want::What::snapshot:
                return r_.lists.alive_at(device_.site, want_.scope, version_, std::nullopt,
                                         want_.after, limit);
            case Want::What::bucket:
                return r_.lists.alive_at(device_.site, want_.scope, version_, want_.bucket,
                                         want_.after, limit);
            case Want::What::buckets:
            case Want::What::uses:
            case Want::What::document:
                break;  // no pages of a list
        }
        return {};
    }

    Proof proof() const {
        if (version_ != head_.version) return summed(r_, device_.site, want_.scope, version_);
        std::array<Digest, wire::bucket_count> sums{};
        for (const auto& [bucket, sum] : r_.lists.sums(device_.site, want_.scope))
            sums[bucket] = sum;
        return {ListDigest::from_sums(sums), head_.rows};
    }

    Bytes manifest(const Proof& of) const {
        const wire::ListManifest body{.scope = want_.scope,
                                      .root = of.digest.root(),
                                      .rows = of.rows,
                                      .fresh_until = call_.now + fresh_span_ms};
        return wire::sign({.type = wire::DocumentType::list_manifest,
                           .site = device_.site,
                           .device = std::nullopt,
                           .generation = generation_,
                           .version = version_,
                           .issued_at = call_.now,
                           .body = wire::encode(body)},
                          fleet::site_authority(r_, keys_, device_.site));
    }

    Outgoing to_device(wire::Down kind, Bytes payload) const {
        return {wire::topic(fleet::topic_root(device_), kind), std::move(payload)};
    }

    Repositories& r_;
    const Call& call_;
    const fleet::Keys& keys_;
    const fleet::Device& device_;
    const Want& want_;
    Generation generation_;
    Head head_;
    std::uint64_t version_;
};

}  // namespace

Effects answer(Repositories& r, const Call& call, const fleet::Keys& keys,
               const fleet::Device& device, const wire::Want& want) {
    Effects effects;
    switch (want.what) {
        case Want::What::difference:
        case Want::What::snapshot:
        case Want::What::bucket:
            effects.messages.push_back(Answer{r, call, keys, device, want}.page());
            break;
        case Want::What::buckets:
            effects.messages.push_back(Answer{r, call, keys, device, want}.buckets());
            break;
        case Want::What::uses:
        case Want::What::document:
            break;  // other rooms' questions
    }
    return effects;
}

}  // namespace pf::server::lists
