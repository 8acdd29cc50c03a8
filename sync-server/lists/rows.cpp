// Writing lists: rows get a history, sums follow.
#include "sync-server/lists/changes.hpp"
#include "sync-server/store/store.hpp"

namespace pf::server::lists {

using wire::ListDigest;
using wire::ListScope;

/// The list as this call may write it: the first change of a call begins a new version.
Changes::List& Changes::moving(const Name& name) {
    List& list = lists_[name];
    if (list.moved) return list;
    list.moved = true;
    list.head = r_.lists.head(name.site, name.scope).value_or(Head{});
    // A name for the call that says nothing about its seed, from which secrets are derived.
    const std::string call_name = to_hex(derive(call_, "list-version", 8));
    if (list.head.last_call != call_name) {
        ++list.head.version;
        list.head.last_call = call_name;
    }
    return list;
}

/// Makes sure the sum of the key's bucket is in hand.
void Changes::touch(List& list, const Name& name, BytesView key) {
    const std::uint8_t bucket = wire::bucket_of(name.scope, key);
    if (list.touched[bucket]) return;
    list.touched.set(bucket);
    auto sums = list.digest.sums();
    sums[bucket] = r_.lists.sum(name.site, name.scope, bucket);
    list.digest = ListDigest::from_sums(sums);
}

void Changes::put(SiteId site, ListScope scope, const wire::ListRow& row) {
    if (!row.body) return erase(site, scope, row.key);
    const auto before = r_.lists.alive(site, scope, row.key);
    if (before && before->body == *row.body) return;
    const Name name{site, scope};
    List& list = moving(name);
    touch(list, name, row.key);
    if (before) {
        r_.lists.end_row(site, scope, row.key, list.head.version);
        list.digest.remove(row.key, before->body);
    } else {
        ++list.head.rows;
    }
    r_.lists.add_row(site, scope, row.key, *row.body, list.head.version);
    list.digest.add(row.key, *row.body);
}

void Changes::erase(SiteId site, ListScope scope, BytesView key) {
    const auto before = r_.lists.alive(site, scope, key);
    if (!before) return;
    const Name name{site, scope};
    List& list = moving(name);
    touch(list, name, key);
    r_.lists.end_row(site, scope, key, list.head.version);
    list.digest.remove(key, before->body);
    --list.head.rows;
}

void Changes::write() {
    for (auto& [name, list] : lists_) {
        r_.lists.put_head(name.site, name.scope, list.head);
        for (std::size_t bucket = 0; bucket < wire::bucket_count; ++bucket)
            if (list.touched[bucket])
                r_.lists.put_sum(name.site, name.scope, static_cast<std::uint8_t>(bucket),
                                 list.digest.sums()[bucket]);
    }
    lists_.clear();
}

void put(Repositories& r, const Call& call, SiteId site, ListScope scope,
         const wire::ListRow& row) {
    Changes changes{r, call};
    changes.put(site, scope, row);
    changes.write();
}

void erase(Repositories& r, const Call& call, SiteId site, ListScope scope, BytesView key) {
    Changes changes{r, call};
    changes.erase(site, scope, key);
    changes.write();
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
