#include "firmware/app/keeper.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "firmware/verify/display.hpp"

namespace pf::firmware::app {

using ports::BarrierEvent;

Keeper::Keeper(Board board, Start start, Hooks hooks)
    : board_{board}, start_{std::move(start)}, hooks_{std::move(hooks)} {}

std::optional<journal::Fault> Keeper::start() {
    const auto fault = try_start();
    if (!fault || *fault == journal::Fault::not_ours) return fault;
    not_started(*fault);
    refuse();
    return std::nullopt;
}

std::optional<journal::Fault> Keeper::try_start() {
    restart_wanted_ = false;
    auto started = start_({lost_, false});
    if (started.has_error() && started.error() == journal::Fault::damaged) {
        // No retry makes it whole, and a dark gate helps nobody: the server tells what it knows.
        lost_ = "the journal is damaged; it was set aside";
        note(*lost_);
        started = start_({lost_, true});
    }
    if (started.has_error()) return started.error();
    device_ = std::move(*started);
    device_->on_notice(hooks_.notice);
    lost_.reset();
    retry_at_.reset();
    started_at_ = board_.clock.steady();
    // The lane begins idle; a gate that burns, or whose sensor is broken, must not.
    if (faulty_) (void)call([](Device& device) { device.on_barrier(BarrierEvent::fault); });
    if (fire_) (void)call([](Device& device) { device.on_barrier(BarrierEvent::fire_on); });
    if (device_ && hooks_.started) hooks_.started();
    return std::nullopt;
}

bool Keeper::call(const std::function<void(Device&)>& task) {
    if (gone()) return false;
    {
        struct Inside {
            int& depth;
            explicit Inside(int& d) : depth{++d} {}
            ~Inside() { --depth; }
        } const inside{depth_};
        try {
            task(*device_);
            if (const auto failing = device_->failing())
                failure_ = Failure{failing->file, failing->fault, "a write failed"};
        } catch (const journal::ReadFailed& failed) {
            failure_ = Failure{"the journal", failed.fault(), failed.what()};
        } catch (const cache::ReadFailed& failed) {
            failure_ = Failure{"the cache", fault_of(failed.fault()), failed.what()};
        }
    }
    // Whoever calls from inside a call still holds the device.
    if (depth_ > 0) return !failure_;
    return settle();
}

/// Between two calls: what was put off while somebody held the device.
bool Keeper::settle() {
    if (const auto failure = std::exchange(failure_, std::nullopt)) {
        lose(*failure);
        return false;
    }
    if (!restart_wanted_ || (device_ && device_->busy())) return true;
    if (device_) end_device();
    if (const auto fault = try_start()) not_started(*fault);
    return false;
}

void Keeper::lose(const Failure& failure) {
    lost_ = fmt::format("{} failed: {}, {}", failure.file, journal::to_text(failure.fault),
                        failure.detail);
    note(fmt::format("{}; the device starts again", *lost_));
    end_device();
    wait_longer();
}

void Keeper::not_started(journal::Fault fault) {
    if (!lost_) lost_ = fmt::format("its files could not be opened: {}", journal::to_text(fault));
    note(fmt::format("the device does not start: {}", journal::to_text(fault)));
    wait_longer();
}

void Keeper::end_device() {
    // Nobody watches an arm whose device is gone. The grant is on disk; its outcome will be
    // unknown.
    const bool open = std::holds_alternative<lane::Open>(device_->lane_state());
    if (open && board_.barrier != nullptr && !fire_) board_.barrier->lock();
    device_.reset();
    if (hooks_.ended) hooks_.ended();
}

void Keeper::wait_longer() {
    const SteadyTime now = board_.clock.steady();
    if (now - started_at_ >= well_after_ms && !retry_at_) wait_ = retry_first_ms;
    retry_at_ = now + wait_;
    wait_ = std::min(wait_ * 2, retry_max_ms);
}

void Keeper::restart() {
    restart_wanted_ = true;
    if (depth_ == 0) (void)settle();
}

bool Keeper::on_code(const ports::ScannedCode& code) {
    bool answered = true;  // also when there is no device, or it ends in this call
    if (gone())
        refuse();
    else
        (void)call([&](Device& device) {
            answered = verify::answers_for_the_frame(device.on_code(code));
        });
    return answered;
}

void Keeper::on_document(ports::DocumentRead read) {
    if (gone()) {
        verify::wipe(read.number);
        return refuse();
    }
    (void)call([&](Device& device) { (void)device.on_document(std::move(read)); });
}

void Keeper::on_barrier(BarrierEvent event) {
    if (event == BarrierEvent::fire_on || event == BarrierEvent::fire_off)
        fire_ = event == BarrierEvent::fire_on;
    if (event == BarrierEvent::fault || event == BarrierEvent::fixed)
        faulty_ = event == BarrierEvent::fault;
    (void)call([&](Device& device) { device.on_barrier(event); });
}

void Keeper::refuse() {
    verify::Answer answer;
    answer.verdict.kind = admission::Verdict::Kind::refuse;
    // Invariant 9: who is to leave must not read of a broken disk.
    answer.verdict.reason =
        fire_ ? admission::Reason::emergency : admission::Reason::storage_failed;
    board_.cue.show(verify::make_display(answer, {}));
    note(fmt::format("refuse {}: the device has no files",
                     admission::words(answer.verdict.reason).key));
}

void Keeper::tick() {
    if (device_) {
        (void)call([](Device& device) { device.tick(); });
        return;
    }
    if (!retry_at_ || board_.clock.steady() < *retry_at_) return;
    if (const auto fault = try_start()) not_started(*fault);
}

std::optional<SteadyTime> Keeper::wake_at() const {
    return device_ ? device_->wake_at() : retry_at_;
}

void Keeper::note(std::string text) {
    if (hooks_.notice) hooks_.notice({Notice::What::storage, std::move(text)});
}

}  // namespace pf::firmware::app
