#pragma once
// What the handlers ask of the program around them. The program answers with its core
// (sync-server/app), tests with a store that commits on the caller.
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "sync-server/fleet/fleet.hpp"
#include "sync-server/store/store.hpp"
#include "sync-server/store/transaction.hpp"

namespace pf::server::api {

/// What an act wants done once it is committed.
struct Committed {
    Effects effects;
    bool devices_changed = false;   // paired or revoked: the broker must know before the answer
    std::vector<DeviceId> revoked;  // their connections are ended
    /// After devices_changed, before `then`: whether the broker took the rules. One that did not is
    /// told again until it does. May be empty.
    std::function<void(bool taken)> broker_told = {};
};

/// Where a device finds what it needs; part of the answer to a pairing.
struct Places {
    std::string broker_host;
    std::uint16_t broker_port = 0;
    std::string renewal_url;  // "https://host:port"
    /// Where boards pair, under the configured name; empty: plain HTTP, behind a proxy nobody told
    /// of.
    std::string server_url = {};
};

struct Health {
    bool broker_ok = false;
    std::string broker;  // "managed", "external"
    std::uint64_t broker_restarts = 0;
    bool link_up = false;
    std::uint32_t partitions = 0;        // of devices that this server acts for
    std::uint32_t servers = 1;           // on this database, this one included
    std::uint64_t messages = 0;          // taken from the link since the start
    std::uint64_t messages_dropped = 0;  // of them, because the store did not keep up
};

/// All functions may be called from any thread.
class Backend {
public:
    virtual ~Backend() = default;

    /// A transaction in somebody's name; nothing returned: undo. It may run more than once.
    using Act = std::function<std::optional<Committed>(Repositories&, const Call&)>;
    /// Once, after the COMMIT and after what it wanted done was begun.
    using Then = std::function<void(std::optional<store::Fault>)>;
    virtual void call(std::string actor, Act act, Then then) = 0;
    virtual std::optional<store::Fault> read(
        std::string actor, const std::function<void(Repositories&, const Call&)>& reader) = 0;
    /// Runs a task later, one at a time with all others posted here.
    virtual void post(std::function<void()> task) = 0;

    virtual const fleet::Keys& keys() const = 0;
    virtual Places places() const = 0;
    virtual Health health() const = 0;
};

}  // namespace pf::server::api
