#pragma once
// A device with a cache, and lists as a server would make them.
#include <doctest/doctest.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "firmware/cache/cache.hpp"
#include "tests/support/temp_dir.hpp"

namespace pf::tests {

namespace fc = pf::firmware::cache;
using wire::ListScope;
using What = wire::Want::What;

/// doctest would print a Result, and can't.
template <class T>
bool ok(const fc::Result<T>& result) {
    return result.has_value();
}
template <class T>
fc::Fault fault(const fc::Result<T>& result) {
    REQUIRE_FALSE(ok(result));
    return result.error();
}

inline constexpr Generation life{9'000'000'000'000'000'000U};
inline constexpr Generation next_life{5};
inline const WallTime fresh = wall_from_ms(1'793'000'000'000);

/// A list as it should be, by key.
using Rows = std::map<Bytes, Bytes>;

inline wire::ListRow revoked_row(std::uint64_t ticket, std::int32_t last_day = 20'800) {
    return wire::row_of(wire::Revoked{TicketId{ticket}, admission::generation_all, Day{last_day}});
}

inline wire::ListRow carried_row(std::uint64_t ticket, Byte hash, std::uint16_t persons = 1) {
    wire::Carried carried;
    carried.kind = admission::CarrierKind::document;
    carried.hash.fill(hash);
    carried.claims.id = TicketId{ticket};
    carried.claims.persons = persons;
    carried.claims.entitlements = {
        {SiteId{3}, ProductId{5}, Day{20'700}, Day{20'800}, WindowId{0}, 1, {}}};
    return wire::row_of(carried);
}

inline Rows rows_of(const std::vector<wire::ListRow>& list) {
    Rows rows;
    for (const wire::ListRow& row : list) rows[row.key] = *row.body;
    return rows;
}

/// `count` revoked tickets spread over all buckets, numbered from `first`.
inline Rows revoked_list(std::uint64_t count, std::uint64_t first = 1) {
    std::vector<wire::ListRow> list;
    for (std::uint64_t i = first; i < first + count; ++i) {
        list.push_back(revoked_row(i * 0x9e3779b97f4a7c15U));
    }
    return rows_of(list);
}

inline wire::ListDigest digest_of(const Rows& rows) {
    wire::ListDigest digest;
    for (const auto& [key, body] : rows) digest.add(key, body);
    return digest;
}

inline wire::ListManifest manifest_of(const Rows& rows, ListScope scope = ListScope::revoked) {
    return {scope, digest_of(rows).root(), rows.size(), fresh};
}

inline std::vector<wire::ListRow> page_of(const Rows& rows) {
    std::vector<wire::ListRow> page;
    for (const auto& [key, body] : rows) page.push_back({key, body});
    return page;
}

/// What changed from one list to the next, deletions among it.
inline std::vector<wire::ListRow> difference_of(const Rows& from, const Rows& to) {
    std::map<Bytes, std::optional<Bytes>> changed;
    for (const auto& [key, body] : from) {
        if (!to.contains(key)) changed[key] = std::nullopt;
    }
    for (const auto& [key, body] : to) {
        const auto old = from.find(key);
        if (old == from.end() || old->second != body) changed[key] = body;
    }
    std::vector<wire::ListRow> page;
    for (const auto& [key, body] : changed) page.push_back({key, body});
    return page;
}

inline fc::Stage snapshot_stage(std::uint64_t version, Generation generation = life) {
    fc::Stage stage;
    stage.what = What::snapshot;
    stage.generation = generation;
    stage.to_version = version;
    return stage;
}

inline fc::Stage difference_stage(std::uint64_t from, std::uint64_t to,
                                  Generation generation = life) {
    fc::Stage stage;
    stage.what = What::difference;
    stage.generation = generation;
    stage.from_version = from;
    stage.to_version = to;
    return stage;
}

/// Puts a whole list in force.
inline void give(fc::Cache& cache, const Rows& rows, std::uint64_t version,
                 ListScope scope = ListScope::revoked) {
    REQUIRE(ok(cache.begin_stage(scope, snapshot_stage(version))));
    REQUIRE(ok(cache.stage_rows(scope, page_of(rows))));
    REQUIRE(ok(cache.apply_stage(scope, manifest_of(rows, scope), life, version)));
}

/// True when the list in force is exactly this one: its state, its digest, and every row asked for.
inline bool in_force(const fc::Cache& cache, const Rows& rows, std::uint64_t version) {
    const fc::ListMeta meta = cache.list(ListScope::revoked);
    if (meta.state.version != version || meta.rows != rows.size()) return false;
    if (!(cache.digest(ListScope::revoked) == digest_of(rows))) return false;
    for (const auto& [key, body] : rows) {
        const auto found = cache.revoked(TicketId{from_be8(std::span<const Byte, 8>{key})});
        if (!found || wire::row_of(*found).body != body) return false;
    }
    return true;
}

/// A cache on the real file system.
class CacheOnFiles {
public:
    std::string path() const { return directory_ / std::string{fc::file_name}; }
    fc::Result<std::unique_ptr<fc::Cache>> try_open() const {
        return fc::Cache::open({path(), ""});
    }
    fc::Cache& open() {
        cache_.reset();
        auto opened = try_open();
        REQUIRE(ok(opened));
        cache_ = std::move(*opened);
        return *cache_;
    }
    void close() { cache_.reset(); }

private:
    TempDir directory_;
    std::unique_ptr<fc::Cache> cache_;
};

}  // namespace pf::tests
