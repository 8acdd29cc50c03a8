#pragma once
// The managed broker: a Mosquitto 2.0 of our own, configured, started, supervised and stopped here.
// With an external broker nothing of this runs; render_access (access.hpp) then tells its
// administrator which rules to keep.
#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "sync-server/broker/access.hpp"

namespace pf::server::broker {

enum class Fault : std::uint8_t {
    program_missing,     // no executable file at Config::program
    directory_unusable,  // cannot be made, written, or given to the broker's user
    not_answering,       // no answer within start_ms_max; the log says what Mosquitto said
    stopped              // not started, or stop() was called
};
std::string_view to_text(Fault fault) noexcept;

/// PEM texts.
struct Material {
    std::string authority;    // issuer of every client's certificate
    std::string certificate;  // the broker's own, then intermediates
    std::string key;
    std::string crl;  // of the authority, always there, maybe without entries; must not be expired
};

struct Config {
    /// Of the broker alone: made with mode 0700, its files are overwritten.
    std::filesystem::path directory;
    std::filesystem::path program = "/usr/sbin/mosquitto";
    /// Whom Mosquitto becomes when the server runs as root and this user can reach `directory`;
    /// otherwise Mosquitto runs as the server does.
    std::string user = "mosquitto";
    std::string address = "127.0.0.1";
    std::uint16_t port = 8883;  // 0: a free one, kept until the object goes
    Material material;
    Access access;
    std::size_t message_bytes_max = 256 * 1024;
    std::size_t queued_messages_max = 1'000;  // a client that doesn't read; more are dropped
    std::size_t connections_max = 20'000;
    std::uint32_t start_ms_max = 30'000;  // a busy disk; usually 0.1 s
};

/// One line of Mosquitto's own log, or of the supervisor. Called on the supervising thread.
using Log = std::function<void(std::string_view line)>;

struct Health {
    bool running = false;        // answered once since it was started last
    pid_t process = 0;           // 0 while there is none
    std::uint64_t restarts = 0;  // since start(), by any cause
    bool runs_as_root = false;   // see Config::user
};

/// All functions may be called from any thread. A server that dies takes its broker with it.
class Broker {
public:
    Broker(Config config, Log log);
    /// As stop().
    ~Broker();
    Broker(const Broker&) = delete;
    Broker& operator=(const Broker&) = delete;

    /// Returns when Mosquitto answers. From then on it is started again whenever it ends.
    Result<void, Fault> start();
    /// Returns when no process is left: asked to end, and killed after stop_ms_max.
    void stop();

    std::uint16_t port() const;
    Health health() const;

    /// Who may use the broker from now on. Existing connections keep to the new rules at once, but
    /// are not ended; for that see revoke(). While Mosquitto is down the rules wait for it.
    Result<void, Fault> set_access(Access access);
    /// A renewed certificate for the listener, or a fresh CRL. Existing connections go on.
    Result<void, Fault> set_material(Material material);
    /// Refuses these devices and ends their connections before it returns: `material.crl` names
    /// their certificates, `access` leaves them out. When one cannot be thrown out alone, the
    /// broker is restarted, which throws out everyone and lets the others back in. After
    /// `not_answering` the rules are written, but call again to be sure that nobody is connected.
    Result<void, Fault> revoke(const std::vector<std::string>& device_ids, Material material,
                               Access access);

private:
    class Supervisor;
    std::unique_ptr<Supervisor> supervisor_;
};

}  // namespace pf::server::broker
