#pragma once
// Lists down, events up. The device's half of docs/protocol/sync-v1.md, as one step machine: the
// link's events go in, messages and changes come out through Host. Everything it must remember is
// in journal and cache, so it may be destroyed between any two calls and built again.
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/entropy.hpp"
#include "common/wire/documents.hpp"
#include "common/wire/messages.hpp"
#include "common/wire/topics.hpp"
#include "firmware/cache/cache.hpp"
#include "firmware/journal/journal.hpp"
#include "firmware/verify/timekeeper.hpp"

namespace pf::firmware::sync {

using verify::Reading;

/// Who we are and whom we believe; from pairing.
struct Identity {
    DeviceId device;
    SiteId site;
    std::string topic_root;
    crypto::PublicKey site_authority;
    crypto::PrivateKey key;
    wire::DeviceKind kind = wire::DeviceKind::gate;
    std::string firmware;  // version text
    BootId boot;
};

/// What became of a command: the reply's state and a text for people.
struct CommandResult {
    wire::CommandState state = wire::CommandState::done;
    std::string detail;
};

/// The engine's way out. Called from inside the engine's calls; must not call back into it.
class Host {
public:
    virtual ~Host() = default;
    /// Hands a message to the link. False: the link is down or full; the engine tries again later.
    virtual bool publish(std::string topic, Bytes payload) = 0;
    /// A document of this type was replaced: configuration, keys or product table may read
    /// differently now.
    virtual void document_changed(wire::DocumentType type) = 0;
    /// The server told the time; `asked` is when we asked.
    virtual void server_time(WallTime wall, SteadyTime asked, Reading now) = 0;
    /// Carries out a command that is signed, for us, new and not expired. Remembered before this
    /// call.
    virtual CommandResult carry_out(const wire::Command& command, Reading now) = 0;
    /// The stamp for an event of the engine's own.
    virtual journal::Stamp stamp(Reading now) = 0;
    /// What now may be, for expiry.
    virtual admission::TimeRange range(Reading now) = 0;
    virtual pf::journal::ClockQuality clock() = 0;
    /// The verdicts of an acknowledgement, for the sync log on the device.
    virtual void verdicts(const wire::Ack& ack) = 0;
};

struct Status {
    bool link_up = false;
    std::optional<SteadyTime> last_heard;  // of the server itself
    std::uint64_t unconfirmed = 0;  // events the server does not have for good, present epoch
    std::uint64_t revoked_version = 0;
    std::uint64_t tickets_version = 0;
    std::uint64_t uses_position = 0;
    bool list_update_under_way = false;
    /// Since this program started; one that is resumed after a cut was begun once.
    std::uint64_t ticket_snapshots_begun = 0;
    std::uint64_t storage_faults = 0;
};

/// Faults of the files that do not pass by themselves, as a full disk does.
struct Failing {
    std::optional<journal::Fault> journal;
    std::optional<cache::Fault> cache;
};

class Engine {
public:
    Engine(Identity identity, journal::Journal& journal, cache::Cache& cache, Entropy& entropy,
           Host& host);
    ~Engine();
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    /// Before every connection attempt: the will's topic and payload, with a connect counter that
    /// rises.
    struct Will {
        std::string topic;
        Bytes payload;
    };
    Will next_will();

    void on_link_up(Reading now);
    void on_link_down(Reading now);
    void on_message(std::string_view topic, BytesView payload, Reading now);
    /// The journal grew, or time went on. Sends what may be sent and asks again for what did not
    /// come.
    void tick(Reading now);
    /// When tick() is wanted at the latest, if nothing else happens.
    std::optional<SteadyTime> wake_at() const;

    /// Sends the present epoch's events after `seq` once more (command resend); 0: all it keeps.
    /// False: there is no such event.
    bool resend_from(std::uint64_t seq);

    /// The server was heard within `within`.
    bool online(SteadyTime now, Millis within) const;
    Status status() const;
    /// Set by the first write that failed so: opening the files anew may help.
    const Failing& failing() const noexcept;

    static constexpr Millis ack_wait_ms{5'000};     // then unacknowledged batches are sent again
    static constexpr Millis answer_wait_ms{5'000};  // then a page is asked for again
    static constexpr Millis retry_wait_max_ms{60'000};
    static constexpr Millis ping_every_ms{20'000};
    static constexpr Millis freshen_every_ms{30LL * 60 * 1000};

private:
    struct Parts;
    std::unique_ptr<Parts> parts_;
};

}  // namespace pf::firmware::sync
