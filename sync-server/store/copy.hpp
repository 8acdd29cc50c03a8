#pragma once
// Moving a platform from SQLite to PostgreSQL: everything, checked, or nothing.
#include <string>
#include <vector>

#include "sync-server/store/store.hpp"

namespace pf::server::store {

struct CopiedTable {
    std::string name;
    std::uint64_t rows = 0;
    std::string digest;  // over the rows by key, the same in both databases
};

/// Copies the SQLite file of `from` into the empty PostgreSQL of `to`, in one transaction that is
/// kept only when both hold the same rows. The file is not changed beyond its schema's upgrade, and
/// nobody else has it meanwhile. Why it did not work is also said by to.tell.
Result<std::vector<CopiedTable>, Fault> copy(const Store::Options& from, const Store::Options& to);

}  // namespace pf::server::store
