#pragma once
// Several servers on one database: who of them is alive, and who of them acts for which partition
// of devices. docs/adr/0015.
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "common/wire/topics.hpp"
#include "sync-server/store/transaction.hpp"

namespace pf::server::leases {

/// Parts 0 to 15 are the partitions of devices; the house is what one server does for all: lists
/// that follow their tickets, rotations, cleaning.
inline constexpr std::uint32_t house = wire::partition_count;
inline constexpr std::uint32_t part_count = house + 1;

/// A server that did not renew for this long may be replaced; the measure is the database's clock.
inline constexpr Millis lease_ms{10'000};
inline constexpr Millis renew_every_ms{2'000};
/// How long a turn waits for what another transaction holds: that of a server which was stopped is
/// ended only after as long as a lease.
inline constexpr Millis turn_patience_ms{1'000};
/// As many as there are partitions, and names for servers at the broker.
inline constexpr std::uint32_t servers_max = wire::partition_count;

/// One run of the program. `id` is never used again.
struct Life {
    std::string id;
    std::string name;             // for people
    bool managed_broker = false;  // its devices' broker is its own: then it has to be alone
};

struct Server {
    Life life;
    std::uint32_t seat = 0;  // of its name at the broker; nobody alive has the same
    WallTime joined;
    WallTime until;
};

/// A part and the token under which it was taken. A token is used by one life only.
struct Claim {
    std::string life;
    std::uint32_t part = 0;
    std::uint64_t token = 0;
    friend bool operator==(const Claim&, const Claim&) = default;
};
/// Whether that claim still stands. Asked inside every transaction that acts for the part: another
/// server that took it meanwhile has a higher token, and whatever this one still has under way is
/// refused, however late it wakes. No clock is asked.
bool stands(Repositories& r, const Claim& claim);

struct Round {
    std::uint32_t seat = 0;
    std::map<std::uint32_t, std::uint64_t> held;  // part, token
    std::size_t servers = 1;                      // alive, this one included
    bool settled = true;     // false: more is to be had or was just given up; come again soon
    bool took_over = false;  // a part of one that is dead
    std::vector<std::uint32_t> partitions() const;  // of those held, without the house
};
enum class Refusal : std::uint8_t {
    managed_elsewhere = 1,  // another server that is alive has a broker of its own
    managed_here,           // this one would, beside another that is alive
    full,                   // servers_max are alive
};
std::string_view to_text(Refusal refusal) noexcept;

/// Joins or renews, takes what is free up to a fair share, gives up what is beyond it. `now` is the
/// database's clock (Repository::clock), read in the same transaction. Waits for others no longer
/// than turn_patience_ms: `busy` then.
Result<Round, Refusal> turn(Repositories& r, const Life& self, WallTime now);
/// Renews and no more: touches nothing that another server could hold. False: it is not there, or
/// its lease is over, and turn() has to see who came meanwhile.
bool renew(Repositories& r, const Life& self, WallTime now);
/// Gives everything up: at a clean stop, or for a life that is known to be over.
void leave(Repositories& r, const std::string& life);
/// Those whose lease is not over, in the order they joined.
std::vector<Server> alive(Repositories& r, WallTime now);

}  // namespace pf::server::leases
