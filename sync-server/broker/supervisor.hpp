#pragma once
// Keeps one Mosquitto running on a thread of its own.
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "sync-server/broker/broker.hpp"
#include "sync-server/broker/child.hpp"

namespace pf::server::broker {

class Broker::Supervisor {
public:
    Supervisor(Config config, Log log);
    ~Supervisor();
    Supervisor(const Supervisor&) = delete;
    Supervisor& operator=(const Supervisor&) = delete;

    Result<void, Fault> start();
    void stop();
    std::uint16_t port() const;
    Health health() const;
    /// Writes what is given and asks Mosquitto to read it; nothing keeps the old.
    Result<void, Fault> update(std::optional<Material> material, std::optional<Access> access);
    /// Until it has read what update() wrote; gives up after start_ms_max without a process.
    Result<void, Fault> wait_obeyed();
    Result<void, Fault> throw_out(const std::vector<std::string>& client_ids);

private:
    using Lock = std::unique_lock<std::mutex>;

    bool write_files();
    void supervise();
    void attend(Child& child, std::uint64_t known);
    std::uint64_t reloads_asked() const;
    void read_output(Child& child);
    void take_line(std::string_view line);
    bool obey(Child& child);  // false: the child was ended as asked
    bool wait_running(Lock& lock, std::uint64_t past_starts);
    Result<void, Fault> restart();
    void wake();

    Config config_;  // material and access change under files_mutex_, the rest never after start
    const Log log_;
    std::mutex files_mutex_;
    std::map<std::string, std::string> written_;  // name and content, as on the disk
    std::mutex life_mutex_;                       // start() and stop() one after another
    std::thread thread_;
    Descriptor wake_;
    std::optional<Account> account_;
    std::string line_;  // of output, not ended yet; touched by the thread alone

    mutable std::mutex mutex_;  // everything below
    std::condition_variable changed_;
    bool quit_ = true;
    bool restart_wanted_ = false;
    Health health_;
    std::uint16_t port_ = 0;
    std::uint64_t starts_ = 0;  // processes that came to answer
    // Mosquitto merges signals that come quickly, so the next is sent when the last was obeyed.
    std::uint64_t reload_asked_ = 0;
    std::uint64_t reload_sent_ = 0;
    std::uint64_t reload_done_ = 0;
};

}  // namespace pf::server::broker
