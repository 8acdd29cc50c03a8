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

/// Newest version and digest of a list. A list nothing was ever put to is empty at version 1, so
/// that devices get a manifest for it and know it is fresh.
wire::ListState state(Repositories& r, SiteId site, wire::ListScope scope);

/// Only the newest version: cheap.
std::uint64_t version(Repositories& r, SiteId site, wire::ListScope scope);

/// Manifests are issued when asked; they stay fresh this long. Devices ask again well before.
inline constexpr Millis fresh_span_ms{6LL * 60 * 60 * 1000};

/// A version is served at least this long after a newer one came; a device that was away longer
/// takes a snapshot.
inline constexpr Millis history_kept_ms{30LL * 24 * 60 * 60 * 1000};
/// How often tick() is called, and how exactly the age of a version is known.
inline constexpr Millis tick_every_ms{60LL * 60 * 1000};
/// Rows one tick() removes at most, so that nobody waits long behind it.
inline constexpr std::size_t purge_rows_max = 500;
/// Forgets rows that only versions nobody is served any more knew. True: there are more; call
/// again, in a transaction of its own.
bool tick(Repositories& r, const Call& call);

/// Takes off both lists of a site what ended before `from`, once a day and in slices of
/// ended_rows_max rows looked at. More: call again, in a transaction of its own. Done: a walk came
/// to its end, and a list is another than before it.
struct Ended {
    bool more = false;
    bool done = false;
};
Ended drop_ended(Repositories& r, const Call& call, SiteId site, Day from);
inline constexpr std::size_t ended_rows_max = 1'000;

/// Answers difference, snapshot, buckets, bucket. (uses: checkins; document: fleet.)
Effects answer(Repositories& r, const Call& call, const fleet::Keys& keys,
               const fleet::Device& device, const wire::Want& want);

}  // namespace pf::server::lists
