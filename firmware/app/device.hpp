#pragma once
// One device put together: the only place of the firmware that knows every room. Still a step
// machine: main.cpp gives it real ports and an executor, the simulation gives it fake ones, and
// both run this code.
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "common/base/entropy.hpp"
#include "firmware/cache/cache.hpp"
#include "firmware/handheld/handheld.hpp"
#include "firmware/journal/journal.hpp"
#include "firmware/lane/lane.hpp"
#include "firmware/ports/barrier.hpp"
#include "firmware/ports/clock.hpp"
#include "firmware/ports/cue.hpp"
#include "firmware/ports/key_vault.hpp"
#include "firmware/ports/scanner.hpp"
#include "firmware/sync/engine.hpp"
#include "firmware/verify/verifier.hpp"

namespace pf::firmware::app {

using verify::Reading;

/// What the board supplies. `barrier` is null on terminals and handhelds. All outlive the device.
struct Ports {
    ports::Clock& clock;
    ports::Barrier* barrier = nullptr;
    ports::Cue& cue;
    Entropy& entropy;
    /// Hands a message to the link; false: down or full.
    std::function<bool(std::string topic, Bytes payload)> publish;
    /// Keeps the key that site keys are sealed with. Null: they stay in memory, and whoever
    /// restarts without the server knows no documents and cards until it is there.
    ports::KeyVault* vault = nullptr;
};

struct Options {
    std::string data_dir;  // events.db and cache live here
    std::string vfs;       // simulations
    sync::Identity identity;
    WallTime build_time;  // one leg of the clock floor
    /// What the device before this one ended of, for headquarters (Keeper).
    std::optional<std::string> lost = std::nullopt;
    /// The journal was found damaged: it is set aside as evidence and a new one begins (Keeper).
    bool journal_damaged = false;
};

/// A file that failed in a way that does not pass by itself.
struct Failing {
    std::string_view file;
    journal::Fault fault = journal::Fault::io_error;
};

/// The journal's word for a fault of the cache: both files lie on one disk.
journal::Fault fault_of(cache::Fault fault) noexcept;

/// One line of what happened, for the live view, the log and tools. Never carries a code in clear.
struct Notice {
    enum class What : std::uint8_t { verdict = 1, lane = 2, sync = 3, clock = 4, storage = 5 };
    What what = What::verdict;
    std::string text;
};

class Device final : public sync::Host {
public:
    /// Opens both files, closes what a restart left open (outcome unknown), starts a new epoch if
    /// the journal is older than what the server confirmed, and asks for its own uses again when
    /// the journal does not tell them any more.
    ///
    /// Any call below may throw journal::ReadFailed or cache::ReadFailed: a device without its
    /// memory can't go on and is to be destroyed (Keeper). Whoever stood there was refused with
    /// storage_failed, or was admitted and that is on disk.
    static Result<std::unique_ptr<Device>, journal::Fault> start(Options options, Ports ports);
    ~Device() override;

    // --- somebody is here ---
    /// A code read by a scanner. On a gate: verdict and, when admitted, the arm. On a handheld: a
    /// preview; admit() follows.
    verify::Answer on_code(const ports::ScannedCode& code);
    verify::Answer on_document(ports::DocumentRead read);
    /// Handheld: admits `persons` of what was previewed last (all that are left when empty).
    verify::Answer admit(std::optional<std::uint16_t> persons, bool staff_confirmed,
                         std::optional<TicketId> chosen);
    /// Handheld: takes back this device's last admission. False: there is none, or it is too long
    /// ago.
    bool undo();
    void on_barrier(ports::BarrierEvent event);

    // --- the link ---
    sync::Engine::Will next_will() { return engine_->next_will(); }
    void on_link_up();
    void on_link_down();
    void on_message(std::string_view topic, BytesView payload);

    // --- time ---
    void tick();
    std::optional<SteadyTime> wake_at() const;

    // --- to look at ---
    sync::Status sync_status() const { return engine_->status(); }
    const lane::State& lane_state() const noexcept { return lane_; }
    const verify::Standing& standing() const noexcept { return standing_; }
    const verify::Timekeeper& timekeeper() const noexcept { return *timekeeper_; }
    journal::Journal& journal() noexcept { return *journal_; }
    cache::Cache& cache() noexcept { return *cache_; }
    bool online() const;
    /// Set once a write answered with a fault that does not pass by itself, as a full disk does:
    /// opening the files anew may help (Keeper).
    std::optional<Failing> failing() const noexcept;
    /// Somebody is walking through, being looked at, or waits for the disk to be told of: a bad
    /// moment to end (Keeper).
    bool busy() const;
    void on_notice(std::function<void(const Notice&)> handler) { notice_ = std::move(handler); }

    static constexpr Millis save_time_every_ms{60'000};
    static constexpr Millis tidy_every_ms{60LL * 60 * 1000};
    static constexpr Millis tidy_pause_ms{50};  // between two slices

private:
    static Result<std::unique_ptr<Device>, journal::Fault> open(Options options, Ports ports);
    Device(Options options, Ports ports, std::unique_ptr<journal::Journal> journal,
           std::unique_ptr<cache::Cache> cache, std::unique_ptr<verify::Timekeeper> timekeeper);

    Reading read_clocks();
    void close_open_grants();
    std::optional<journal::Fault> check_epoch();
    std::optional<journal::Fault> begin_again(bool lost);
    void load_standing();
    void storage_answered(journal::Fault fault);
    void cache_answered(cache::Fault fault);
    bool has_barrier() const noexcept { return ports_.barrier != nullptr; }
    verify::Answer present(verify::Presented presented);
    verify::Answer lane_not_ready() const;
    verify::Answer check(const verify::Request& request, const Reading& now);
    void refuse_for(journal::Fault storage);
    template <class Decide>
    verify::Answer decided(Decide&& decide);
    void show(const verify::Answer& answer);
    void run_lane(const lane::Event& event);
    sync::CommandResult open_for(const wire::Command& command);
    void perform(const lane::Action& action);
    journal::Result<void> write(const pf::journal::Body& body);
    bool record(const pf::journal::Body& body);
    bool record_in(Epoch opened_in, pf::journal::Body body);
    void retry_records();
    bool tidy(const Reading& now);
    std::optional<SteadyTime> slice_at() const;
    void note(Notice::What what, std::string text);
    void write_clock_change(const std::optional<pf::journal::ClockChanged>& change,
                            const Reading& now);

    // sync::Host
    bool publish(std::string topic, Bytes payload) override;
    void document_changed(wire::DocumentType type) override;
    void server_time(WallTime wall, SteadyTime asked, Reading now) override;
    sync::CommandResult carry_out(const wire::Command& command, Reading now) override;
    journal::Stamp stamp(Reading now) override;
    admission::TimeRange range(Reading now) override;
    pf::journal::ClockQuality clock() override;
    void verdicts(const wire::Ack& ack) override;

    Options options_;
    Ports ports_;
    std::unique_ptr<journal::Journal> journal_;
    std::unique_ptr<cache::Cache> cache_;
    std::unique_ptr<verify::Timekeeper> timekeeper_;
    std::unique_ptr<verify::Verifier> verifier_;
    std::unique_ptr<sync::Engine> engine_;
    verify::Standing standing_;
    lane::State lane_{lane::Idle{}};
    /// What came of an opening, refused by the disk: written before anything else, in the epoch of
    /// the opening or nowhere.
    struct Unwritten {
        Epoch opened_in;
        pf::journal::Body body;
    };
    std::deque<Unwritten> unwritten_;
    handheld::Handheld handheld_;
    SteadyTime time_saved_at_{};
    SteadyTime tidied_at_{};
    SteadyTime sliced_at_{};
    bool tidying_ = false;
    std::function<void(const Notice&)> notice_;

    std::optional<Failing> failing_;
    Epoch opening_epoch_;  // of the newest grant or opening: what came of it belongs there

    static constexpr std::size_t unwritten_max = 16;
    static constexpr std::string_view saved_time_name = "saved_time_ms";
};

}  // namespace pf::firmware::app
