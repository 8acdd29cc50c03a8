#pragma once
// A managed broker, its authority, and links to it.
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "sync-server/broker/broker.hpp"
#include "tests/support/mqtt/authority.hpp"
#include "tests/support/mqtt/listener.hpp"
#include "tests/support/mqtt/loop.hpp"
#include "tests/support/temp_dir.hpp"

namespace pf::tests {

inline const std::string server_id = "server";
inline const std::string gate_1 = "gate-1";
inline const std::string gate_2 = "gate-2";
inline const std::string root_1 = "pf/1/3/d/gate-1/";
inline const std::string root_2 = "pf/1/4/d/gate-2/";

struct Guest {
    Authority::Identity identity;
    Listener heard;
    std::unique_ptr<mqtt::Link> link;  // gone before its owner
};

class House {
public:
    /// `passable`: in a directory that other users may pass through.
    explicit House(bool passable = false);

    server::broker::Config config();
    server::broker::Material material();
    server::broker::Access access(const std::vector<std::string>& devices) const;
    /// With the rules for both gates.
    void start();

    std::unique_ptr<Guest> guest(const std::string& id, std::vector<std::string> subscriptions);
    /// As guest(), and up.
    std::unique_ptr<Guest> visit(const std::string& id, std::vector<std::string> subscriptions);
    /// What became of one message.
    std::optional<mqtt::Fault> fate(Guest& guest, const std::string& topic);

    /// The broker's and the supervisor's own words so far.
    std::string said() const;

    TempDir directory;
    Authority authority{11};
    Authority::Identity own = authority.server("broker");
    Loop loop;

private:
    mutable std::mutex said_mutex_;
    std::string said_;

public:
    std::unique_ptr<server::broker::Broker> broker;  // gone first: its thread speaks until then
};

/// The effective user of a process; nothing when it is gone or a zombie.
std::optional<unsigned> user_of(pid_t process);

}  // namespace pf::tests
