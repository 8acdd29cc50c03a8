// Writing lists: rows get a history, sums follow.
#include "sync-server/lists/repository.hpp"
#include "sync-server/store/store.hpp"

namespace pf::server::lists {
namespace {

using wire::ListDigest;
using wire::ListScope;

/// The list's head as this call may write it: the first change of a call begins a new version.
Head moved_head(Repositories& r, const Call& call, SiteId site, ListScope scope) {
    // A name for the call that says nothing about its seed, from which secrets are derived.
    const std::string name = to_hex(derive(call, "list-version", 8));
    Head head = r.lists.head(site, scope).value_or(Head{});
    if (head.last_call != name) {
        ++head.version;
        head.last_call = name;
    }
    return head;
}

/// Applies a change to the sum of the one bucket a key belongs to.
template <class Change>
void move_sum(Repositories& r, SiteId site, ListScope scope, BytesView key, Change change) {
    const std::uint8_t bucket = wire::bucket_of(scope, key);
    std::array<Digest, wire::bucket_count> sums{};
    sums[bucket] = r.lists.sum(site, scope, bucket);
    ListDigest digest = ListDigest::from_sums(sums);
    change(digest);
    r.lists.put_sum(site, scope, bucket, digest.sums()[bucket]);
}

}  // namespace

void put(Repositories& r, const Call& call, SiteId site, ListScope scope,
         const wire::ListRow& row) {
    if (!row.body) return erase(r, call, site, scope, row.key);
    const auto before = r.lists.alive(site, scope, row.key);
    if (before && before->body == *row.body) return;
    Head head = moved_head(r, call, site, scope);
    if (before) {
        r.lists.end_row(site, scope, row.key, head.version);
    } else {
        ++head.rows;
    }
    r.lists.add_row(site, scope, row.key, *row.body, head.version);
    r.lists.put_head(site, scope, head);
    move_sum(r, site, scope, row.key, [&](ListDigest& digest) {
        if (before) digest.remove(row.key, before->body);
        digest.add(row.key, *row.body);
    });
}

void erase(Repositories& r, const Call& call, SiteId site, ListScope scope, BytesView key) {
    const auto before = r.lists.alive(site, scope, key);
    if (!before) return;
    Head head = moved_head(r, call, site, scope);
    r.lists.end_row(site, scope, key, head.version);
    --head.rows;
    r.lists.put_head(site, scope, head);
    move_sum(r, site, scope, key, [&](ListDigest& digest) { digest.remove(key, before->body); });
}

std::uint64_t version(Repositories& r, SiteId site, ListScope scope) {
    return r.lists.head(site, scope).value_or(Head{}).version;
}

wire::ListState state(Repositories& r, SiteId site, ListScope scope) {
    std::array<Digest, wire::bucket_count> sums{};
    for (const auto& [bucket, sum] : r.lists.sums(site, scope)) sums[bucket] = sum;
    return {scope, r.meta.generation(), version(r, site, scope),
            ListDigest::from_sums(sums).root()};
}

}  // namespace pf::server::lists
