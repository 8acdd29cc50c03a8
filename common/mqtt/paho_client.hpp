#pragma once
// One connection by Paho C, from connect to destroy; never reused, so nothing of an earlier
// connection (buffers, tokens, listeners) can leak into the next one. docs/adr/0010.
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "common/mqtt/link.hpp"
#include "common/mqtt/paho_link.hpp"

namespace pf::mqtt {

/// Paths of the certificate files, when TLS is wanted.
struct TlsPaths {
    std::string authority, certificate, key;
};

enum class Protocol : std::uint8_t { v3_1_1, v5 };

/// What Paho says. Called on Paho's threads while Paho holds its one global lock: implementations
/// only take a lock of their own that is never held around a call of PahoClient.
class PahoCalls {
public:
    virtual ~PahoCalls() = default;
    virtual void connect_done(std::optional<Fault> fault, bool version_refused) = 0;
    virtual void subscribe_done(bool granted) = 0;
    virtual void connection_lost() = 0;
    virtual void message_arrived(std::string_view topic, BytesView payload) = 0;
    virtual void publish_done(PublishId id, std::optional<Fault> fault) = 0;
};

class PahoClient {
public:
    /// `calls` outlives the client. Nothing when Paho refuses the options.
    static std::shared_ptr<PahoClient> create(const Options& options, Protocol protocol,
                                              PahoCalls& calls);
    ~PahoClient();
    PahoClient(const PahoClient&) = delete;
    PahoClient& operator=(const PahoClient&) = delete;

    /// False: Paho refused at once, and connect_done does not come.
    bool connect(const std::optional<TlsPaths>& tls, const std::optional<Will>& will);
    /// False: refused at once, and subscribe_done does not come.
    bool subscribe(const std::vector<std::string>& filters);
    /// False: refused at once, and publish_done does not come for this id.
    bool publish(PublishId id, const std::string& topic, BytesView payload);

    /// Says goodbye when connected, then frees everything. No call comes after it. May take a
    /// second (Paho ends its threads with the last connection of the process).
    void destroy() noexcept;

private:
    struct Callbacks;  // Paho's C function pointers
    struct Slot {      // context of one publish
        PahoClient* client = nullptr;
        PublishId id{};
        bool busy = false;
    };

    PahoClient(const Options& options, Protocol protocol, PahoCalls& calls);
    Slot* take_slot(PublishId id);
    void free_slot(Slot& slot);

    const Options& options_;
    const Protocol protocol_;
    PahoCalls& calls_;

    // Guards the handle against destroy(); never taken by a callback, so it may be held around
    // Paho's calls.
    std::mutex handle_mutex_;
    void* handle_ = nullptr;

    std::mutex slots_mutex_;  // a leaf: nothing is called while it is held
    std::vector<Slot> slots_;
    bool tls_error_seen_ = false;  // touched by Paho's callbacks alone, under Paho's lock
};

}  // namespace pf::mqtt
