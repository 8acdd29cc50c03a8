#pragma once
// The two lists of every site: rows with a history, so that any version can be served while the
// list moves.
#include "common/wire/lists.hpp"
#include "common/wire/messages.hpp"
#include "sync-server/fleet/fleet.hpp"
#include "sync-server/store/transaction.hpp"

namespace pf::server::lists {

/// Adds or replaces a row; the list's version rises by one a transaction, not a row.
void put(Repositories& r, const Call& call, SiteId site, wire::ListScope scope,
         const wire::ListRow& row);
void erase(Repositories& r, const Call& call, SiteId site, wire::ListScope scope, BytesView key);

/// Newest version and digest of a list. Version 0: empty, nothing was ever put.
wire::ListState state(Repositories& r, SiteId site, wire::ListScope scope);

/// Manifests are issued when asked; they stay fresh this long. Devices ask again well before.
inline constexpr Millis fresh_span_ms{6LL * 60 * 60 * 1000};

/// Answers difference, snapshot, buckets, bucket. (uses: checkins; document: fleet.)
Effects answer(Repositories& r, const Call& call, const fleet::Keys& keys,
               const fleet::Device& device, const wire::Want& want);

/// News for every active device of a site, after its lists, documents or uses moved.
Effects news_for_site(Repositories& r, SiteId site);

}  // namespace pf::server::lists
