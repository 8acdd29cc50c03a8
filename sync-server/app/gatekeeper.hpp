#pragma once
// Tells the broker who may connect: the devices of the database, the revocation list, the
// listener's certificate. Works on a thread of its own, because the broker answers in its own time.
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "sync-server/app/certificates.hpp"
#include "sync-server/app/log.hpp"
#include "sync-server/broker/broker.hpp"
#include "sync-server/fleet/fleet.hpp"
#include "sync-server/store/store.hpp"

namespace pf::server::app {

/// The rules as the database has them now. Throws std::runtime_error when it can't be read.
struct Rules {
    broker::Access access;
    std::string crl;
};
Rules rules_of(store::Store& store, const fleet::Keys& keys, std::uint32_t servers, WallTime now);

class Gatekeeper {
public:
    struct Parts {
        store::Store& store;
        const fleet::Keys& keys;
        Log& log;
        /// Null: an external broker. Then the rules are written to `directory` (`access`,
        /// `crl.pem`), and making it obey them is its administrator's business.
        broker::Broker* broker = nullptr;
        broker::Material material;  // without the list
        std::filesystem::path directory;
        std::uint32_t servers = 1;  // so many names of servers are let in
        std::function<WallTime()> now;
        std::chrono::milliseconds retry_after{2'000};  // when the broker did not take the rules
        /// How a rule file of an external broker is written; tests have their own.
        std::function<bool(const std::filesystem::path&, std::string_view)> write = {};
    };
    explicit Gatekeeper(Parts parts);
    /// What is under way is finished; what waits is answered undone.
    ~Gatekeeper();
    Gatekeeper(const Gatekeeper&) = delete;
    Gatekeeper& operator=(const Gatekeeper&) = delete;

    /// Makes the broker obey what is committed, throws out `revoked`, then calls `done` on the
    /// keeper's thread, with false when the broker did not take it; then it is tried again until it
    /// does. Calls that wait are taken together. Any thread.
    void refresh(std::vector<DeviceId> revoked, std::function<void(bool taken)> done);
    /// A fresh revocation list: due daily, long before the old one ends.
    void renew_list();

private:
    struct Wish {
        std::vector<DeviceId> revoked;
        std::function<void(bool taken)> done;
        bool renew_list = false;
    };
    void run();
    /// False: try again later.
    bool apply(const std::vector<std::string>& revoked, bool renew_list);

    Parts parts_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<Wish> wishes_;
    bool quit_ = false;
    std::thread thread_;
};

}  // namespace pf::server::app
