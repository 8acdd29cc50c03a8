#pragma once
// Many rows put in one transaction: what every row would read again is read once.
#include <bitset>
#include <map>

#include "sync-server/lists/repository.hpp"

namespace pf::server::lists {

/// The changes one call makes to lists. Heads and sums stand here until write(); whoever reads a
/// list before that sees it half moved, so write() comes before the transaction does anything
/// else with lists. Changes that were never written belong to a transaction that is undone.
class Changes {
public:
    Changes(Repositories& r, const Call& call) : r_{r}, call_{call} {}
    Changes(const Changes&) = delete;
    Changes& operator=(const Changes&) = delete;

    void put(SiteId site, wire::ListScope scope, const wire::ListRow& row);
    void erase(SiteId site, wire::ListScope scope, BytesView key);
    void write();

private:
    struct List {
        Head head;
        bool moved = false;
        std::bitset<wire::bucket_count> touched;  // of those `digest` holds the sums
        wire::ListDigest digest;
    };
    List& moving(const Name& name);
    void touch(List& list, const Name& name, BytesView key);

    Repositories& r_;
    const Call& call_;
    std::map<Name, List> lists_;
};

}  // namespace pf::server::lists
