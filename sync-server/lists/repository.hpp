#pragma once
// What lists keeps. Implemented by sync-server/store/soci_lists.cpp.
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sync-server/lists/lists.hpp"

namespace pf::server::lists {

/// Where a list stands. One without a head was never put to: version 1, empty.
struct Head {
    std::uint64_t version = 1;
    std::uint64_t rows = 0;    // alive
    std::string last_call;     // names the call that made this version
    std::uint64_t oldest = 1;  // that is still served
};

/// A list that was ever put to.
struct Name {
    SiteId site;
    wire::ListScope scope = wire::ListScope::revoked;
    friend auto operator<=>(const Name&, const Name&) = default;
};

/// Which version was the newest at some time.
struct Mark {
    WallTime at;
    std::uint64_t version = 0;
    friend bool operator==(const Mark&, const Mark&) = default;
};

struct Alive {
    std::uint64_t added_version = 0;
    Bytes body;
};

/// A row lives from the version that added it until the version that removed it.
class Repository {
public:
    virtual ~Repository() = default;

    virtual std::optional<Head> head(SiteId site, wire::ListScope scope) = 0;
    virtual std::vector<Name> names() = 0;
    virtual void put_head(SiteId site, wire::ListScope scope, const Head& head) = 0;

    /// The row of that key alive now.
    virtual std::optional<Alive> alive(SiteId site, wire::ListScope scope, BytesView key) = 0;
    virtual void add_row(SiteId site, wire::ListScope scope, BytesView key, BytesView body,
                         std::uint64_t version) = 0;
    /// Ends the row alive now with `version`; one that version itself added was never seen by
    /// anybody and goes for good.
    virtual void end_row(SiteId site, wire::ListScope scope, BytesView key,
                         std::uint64_t version) = 0;

    /// Removes at most `limit` rows that ended with `version` or before; how many.
    virtual std::size_t forget(const Name& name, std::uint64_t version, std::size_t limit) = 0;

    /// The newest not after `at`.
    virtual std::optional<Mark> mark(const Name& name, WallTime at) = 0;
    virtual void add_mark(const Name& name, const Mark& mark) = 0;
    virtual void forget_marks(const Name& name, WallTime before) = 0;

    /// Rows by key after `after` that differ between the two versions, as they are at `to`; those
    /// gone by then without body.
    virtual std::vector<wire::ListRow> changed(SiteId site, wire::ListScope scope,
                                               std::uint64_t from, std::uint64_t to,
                                               BytesView after, std::size_t limit) = 0;
    /// Rows by key after `after`, alive at `version`; of one bucket when given.
    virtual std::vector<wire::ListRow> alive_at(SiteId site, wire::ListScope scope,
                                                std::uint64_t version,
                                                std::optional<std::uint8_t> bucket, BytesView after,
                                                std::size_t limit) = 0;

    /// Sums of the newest version; buckets that never held a row are not named.
    virtual std::vector<std::pair<std::uint8_t, Digest>> sums(SiteId site,
                                                              wire::ListScope scope) = 0;
    virtual Digest sum(SiteId site, wire::ListScope scope, std::uint8_t bucket) = 0;
    virtual void put_sum(SiteId site, wire::ListScope scope, std::uint8_t bucket,
                         const Digest& sum) = 0;
};

}  // namespace pf::server::lists
