#pragma once
// Inside the room: the places of rows in the orders that readers follow (docs/adr/0013).
#include <atomic>

#include "sync-server/store/engine.hpp"
#include "sync-server/store/postgres_session.hpp"

namespace pf::server::store {

/// Transactions add rows with negative stand-ins, so that they need not agree on who is next. After
/// a COMMIT everything committed by then gets its places, one sealer at a time (of all processes):
/// a reader who sees a place sees every lower one, and none appears below it later. Called by one
/// thread.
class Sealer {
public:
    explicit Sealer(const Teller& tell) : tell_{tell} {}

    /// After the COMMITs that left stand-ins in these orders (bits of Order). A failure is made up
    /// for by the next one: the rows are there, followers see them later. False: not with this
    /// connection, which may be there and of no use, as one to a database that is a standby now.
    [[nodiscard]] bool seal(PostgresSession& connection, std::uint8_t orders) noexcept;
    bool leftover() const noexcept { return leftover_; }
    /// The next sealing is of all orders, whatever was written. Any thread.
    void owe() noexcept { leftover_ = true; }

    static constexpr std::uint8_t all_orders = 7;
    /// The row of `meta` that is locked meanwhile, and holds the last place given in each order. It
    /// has to be there.
    static constexpr std::string_view lock_row = "places";

private:
    /// Nothing on success.
    std::optional<Ending> place(PostgresSession& connection, std::uint8_t orders) noexcept;

    const Teller& tell_;
    std::atomic<bool> leftover_{true};  // of a process that ended between COMMIT and sealing
};

}  // namespace pf::server::store
