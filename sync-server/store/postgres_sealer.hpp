#pragma once
// Inside the room: the places of rows in the orders that readers follow (docs/adr/0013).
#include <atomic>
#include <mutex>

#include "sync-server/store/engine.hpp"
#include "sync-server/store/postgres_session.hpp"

namespace pf::server::store {

/// Transactions add rows with negative stand-ins, so that they need not agree on who is next. After
/// a COMMIT everything committed by then gets its places, one sealer at a time (of all processes):
/// a reader who sees a place sees every lower one, and none appears below it later.
class Sealer {
public:
    explicit Sealer(const Teller& tell) : tell_{tell} {}

    /// After a COMMIT, on the same connection. Transactions that end together are sealed together.
    /// A failure is made up for by the next one: the rows are there, followers see them later.
    void seal(PostgresSession& connection) noexcept;
    bool leftover() const noexcept { return leftover_; }
    /// The next COMMIT is followed by a sealing, whatever it wrote.
    void owe() noexcept { leftover_ = true; }

    /// The row of `meta` that is locked meanwhile. It has to be there.
    static constexpr std::string_view lock_row = "places";

private:
    bool seal_all(PostgresSession& connection) noexcept;

    const Teller& tell_;
    std::atomic<std::uint64_t> wanted_{0};
    std::atomic<bool> leftover_{true};  // of a process that ended between COMMIT and sealing
    std::mutex mutex_;
    std::uint64_t sealed_ = 0;  // under mutex_: every wish up to this is fulfilled
};

}  // namespace pf::server::store
