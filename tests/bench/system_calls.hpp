#pragma once
// SQLite's way to the kernel, looked at from outside: the product's code stays as it is.
#include <cstdint>

namespace pf::bench {

/// Counts the whole pages that SQLite reads from files of this process while it lives, whether from
/// the database or its WAL. One at a time.
class PagesRead {
public:
    PagesRead();
    ~PagesRead();
    PagesRead(const PagesRead&) = delete;
    PagesRead& operator=(const PagesRead&) = delete;
    std::uint64_t count() const;
};

/// While it lives nothing waits for the disk: to build in a minute what takes a gate a year. Never
/// around anything that is measured as durable. One at a time.
class NothingSynced {
public:
    NothingSynced();
    ~NothingSynced();
    NothingSynced(const NothingSynced&) = delete;
    NothingSynced& operator=(const NothingSynced&) = delete;
};

}  // namespace pf::bench
