#pragma once
// A device that outlives its files' bad moments. When journal or cache can't be read any more the
// device ends (firmware/journal/journal.hpp, ReadFailed) and a new one starts from the files: it
// takes up what is on disk, so nothing is lost, and until then nobody is admitted.
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "firmware/app/device.hpp"

namespace pf::firmware::app {

class Keeper {
public:
    /// How a device is to begin: what the one before ended of, for headquarters, and whether its
    /// journal was found damaged (Options).
    struct Beginning {
        std::optional<std::string> lost;
        bool journal_damaged = false;
    };
    /// Makes a device from its files.
    using Start =
        std::function<Result<std::unique_ptr<Device>, journal::Fault>(Beginning beginning)>;
    /// Called on the device's thread, maybe inside a call of the link: what they close or make they
    /// do later.
    struct Hooks {
        std::function<void()> started;  // a link may be made
        std::function<void()> ended;    // the link's device is gone
        std::function<void(const Notice&)> notice;
    };
    /// What the keeper needs of the board; both outlive it. `barrier` is null without one.
    struct Board {
        ports::Clock& clock;
        ports::Barrier* barrier = nullptr;
        ports::Cue& cue;
    };
    Keeper(Board board, Start start, Hooks hooks);

    /// The first start. Files that can't be used now are tried again as later ones are, and the cue
    /// says so; only not_ours is the caller's: no waiting makes another device's files ours.
    std::optional<journal::Fault> start();

    /// Every call into the device, also from inside another: what fails then ends the device when
    /// the outermost call is done with it. False: there is none now, or it ended in this call, or
    /// is about to.
    bool call(const std::function<void(Device&)>& task);
    /// Without a device everybody is refused with storage_failed, in a fire with emergency. True:
    /// the code has answered for its frame (verify::answers_for_the_frame).
    bool on_code(const ports::ScannedCode& code);
    void on_document(ports::DocumentRead read);
    void on_barrier(ports::BarrierEvent event);

    /// Ticks the device, or starts one when it is time to try again.
    void tick();
    /// When tick() is wanted.
    std::optional<SteadyTime> wake_at() const;
    /// Ends the device and starts a new one: it has a new key. Not while it is busy (Device).
    void restart();

    Device* device() noexcept { return device_.get(); }

    static constexpr Millis retry_first_ms{1'000};
    static constexpr Millis retry_max_ms{60'000};
    /// A device that ran this long is well: the waits begin anew.
    static constexpr Millis well_after_ms{60'000};

private:
    std::optional<journal::Fault> try_start();
    struct Failure {
        std::string_view file;
        journal::Fault fault;
        std::string detail;
    };
    bool gone() const noexcept { return !device_ || failure_; }
    bool settle();
    void lose(const Failure& failure);
    void not_started(journal::Fault fault);
    void end_device();
    void wait_longer();
    void refuse();
    void note(std::string text);

    Board board_;
    Start start_;
    Hooks hooks_;
    std::unique_ptr<Device> device_;
    std::optional<std::string> lost_;  // what to report when a device runs again
    SteadyTime started_at_{};
    Millis wait_{retry_first_ms};
    std::optional<SteadyTime> retry_at_;
    int depth_ = 0;  // calls into the device under way, one inside the other
    std::optional<Failure> failure_;
    bool restart_wanted_ = false;
    // What the board said last: a new device learns it first (invariant 9).
    bool fire_ = false;
    bool faulty_ = false;
};

}  // namespace pf::firmware::app
