#pragma once
// Work on the whole database, a piece at a time, by whoever keeps the house.
#include <functional>
#include <memory>

#include "sync-server/app/core.hpp"

namespace pf::server::app {

/// Whatever waits for the database gets its turn between two pieces. A piece that failed is made up
/// for by the next round. On the executor.
class Slices : public std::enable_shared_from_this<Slices> {
public:
    /// Says whether there is more.
    using Piece = std::function<bool(Repositories&, const Call&, Committed&)>;
    Slices(Core& core, Piece piece) : core_{core}, piece_{std::move(piece)} {}

    /// A round that is longer than the span between two is not joined by another.
    void begin();
    /// The piece under way is the last one.
    void end() { ended_ = true; }

private:
    void next();

    Core& core_;
    const Piece piece_;
    bool under_way_ = false;
    bool ended_ = false;
};

}  // namespace pf::server::app
