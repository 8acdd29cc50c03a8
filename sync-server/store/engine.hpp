#pragma once
// Inside the room: what both engines share.
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "sync-server/store/store.hpp"

namespace pf::server::store {

Result<std::unique_ptr<Store>, Fault> open_sqlite(const Store::Options& options);
Result<std::unique_ptr<Store>, Fault> open_postgres(const Store::Options& options);

/// What SOCI opens the SQLite file with.
std::string sqlite_target(const Store::Options& options);

/// The Fault of an exception that is not the database's: data that can't be read, or a bug.
Fault fault_of_own(const std::exception& error) noexcept;

/// What a database said, without what SOCI adds (the values bound) and what PostgreSQL adds after
/// the first line (the values of a key).
std::string first_line(std::string_view message);

/// Does something on every way out of a scope, exceptions of others included, unless told that all
/// is well.
template <class Undo>
class Unless {
public:
    explicit Unless(Undo undo) : undo_{std::move(undo)} {}
    ~Unless() {
        if (!well_) undo_();
    }
    Unless(const Unless&) = delete;
    Unless& operator=(const Unless&) = delete;
    void well() noexcept { well_ = true; }

private:
    Undo undo_;
    bool well_ = false;
};

/// Where the room's sentences for people go.
class Teller {
public:
    explicit Teller(std::function<void(std::string_view)> tell) : tell_{std::move(tell)} {}
    void operator()(std::string_view what) const {
        if (tell_) tell_(what);
    }

private:
    std::function<void(std::string_view)> tell_;
};

}  // namespace pf::server::store
