// How a device begins: both files, the clock's floor, and what they say of each other.
#include <algorithm>

#include "common/crypto/crypto.hpp"
#include "firmware/app/device.hpp"

namespace pf::firmware::app {

using pf::journal::EpochOpened;
using pf::journal::Outcome;

namespace {

constexpr std::string_view sealing_key_name = "cache_key";
/// The journal's epoch as the cache knows it: a file that is gone can't say what it was.
constexpr std::string_view journal_epoch_name = "journal_epoch";

/// Only what somebody vouched for: a clock that was wrong once must not stand in it for ever.
WallTime clock_floor(const Options& options, const journal::ClockEvidence& evidence,
                     const cache::Cache& cache, std::string_view name) {
    const WallTime saved = wall_from_ms(cache.number(name, 0));
    return std::max({options.build_time, evidence.confirmed.value_or(options.build_time), saved});
}

Epoch epoch_known(const cache::Cache& cache) {
    return Epoch{static_cast<std::uint64_t>(cache.number(journal_epoch_name, 0))};
}

/// Made at the first start. A vault that can't keep it is a fault: secrets sealed with a key that
/// is lost with the power would be asked for again at every start.
Result<std::optional<cache::Cache::Sealing>, journal::Fault> sealing_of(const Ports& ports) {
    if (ports.vault == nullptr) return std::optional<cache::Cache::Sealing>{};
    cache::Cache::Sealing sealing{.key = {}, .entropy = &ports.entropy};
    const auto kept = ports.vault->get(sealing_key_name);
    if (kept && kept->size() == sealing.key.size()) {
        std::ranges::copy(*kept, sealing.key.begin());
        return std::optional{sealing};
    }
    ports.entropy.fill(sealing.key);
    if (!ports.vault->put(sealing_key_name, sealing.key)) return journal::Fault::io_error;
    return std::optional{sealing};
}

Result<std::unique_ptr<journal::Journal>, journal::Fault> open_journal(const Options& options,
                                                                       Entropy& entropy,
                                                                       Epoch known,
                                                                       const Reading& now) {
    const std::string path = options.data_dir + "/events.db";
    if (options.journal_damaged) {
        const auto moved = journal::set_aside(path, options.vfs);
        if (moved.has_error()) return moved.error();
    }
    // A new journal needs a stamp before there is a floor to judge the clock by.
    const journal::Stamp first{std::max(now.wall, options.build_time), now.steady,
                               options.identity.boot, pf::journal::ClockQuality::unconfirmed};
    const bool not_the_first = options.journal_damaged || known.value != 0;
    return journal::Journal::open(
        {.path = path,
         .vfs = options.vfs,
         .device = options.identity.device,
         .why_new = not_the_first ? EpochOpened::Why::damaged : EpochOpened::Why::first,
         .check_all = options.lost.has_value()},
        entropy, first);
}

}  // namespace

Result<std::unique_ptr<Device>, journal::Fault> Device::start(Options options, Ports ports) {
    try {
        return open(std::move(options), std::move(ports));
    } catch (const journal::ReadFailed& failed) {
        return failed.fault();
    } catch (const cache::ReadFailed& failed) {
        return fault_of(failed.fault());
    }
}

Result<std::unique_ptr<Device>, journal::Fault> Device::open(Options options, Ports ports) {
    const Reading now{ports.clock.wall(), ports.clock.steady()};
    const auto sealing = sealing_of(ports);
    if (sealing.has_error()) return sealing.error();
    auto cache = cache::Cache::open({.path = options.data_dir + "/" + std::string{cache::file_name},
                                     .vfs = options.vfs,
                                     .sealing = *sealing,
                                     .check_all = options.lost.has_value()});
    if (cache.has_error()) return fault_of(cache.error());
    auto journal = open_journal(options, ports.entropy, epoch_known(**cache), now);
    if (journal.has_error()) return journal.error();
    const journal::ClockEvidence evidence = (*journal)->clock_evidence();
    auto timekeeper = std::make_unique<verify::Timekeeper>(
        clock_floor(options, evidence, **cache, saved_time_name), now, options.build_time,
        evidence.unconfirmed);

    std::unique_ptr<Device> device{new Device{std::move(options), std::move(ports),
                                              std::move(*journal), std::move(*cache),
                                              std::move(timekeeper)}};
    if (const auto fault = device->check_epoch()) return *fault;
    device->opening_epoch_ = device->journal_->end().epoch;
    device->close_open_grants();
    const Reading again = device->read_clocks();
    const auto booted = device->journal_->append(
        device->stamp(again), pf::journal::Booted{device->options_.identity.firmware});
    if (booted.has_error()) return booted.error();
    if (device->options_.lost)
        (void)device->record(pf::journal::finding("storage_unreadable", *device->options_.lost));
    return device;
}

/// What the server confirmed, and which epoch there was, lives in another file than the journal: a
/// journal restored from an image is older than that and must not write other events under the same
/// numbers; one that is gone or was set aside does not tell our own uses any more.
std::optional<journal::Fault> Device::check_epoch() {
    const auto epochs = journal_->epochs();
    const auto told_here = [&](Epoch epoch) {
        return std::ranges::find(epochs, epoch, &journal::EpochState::epoch) != epochs.end();
    };
    const auto confirmed = cache_->confirmed();
    const Epoch known = epoch_known(*cache_);
    const bool lost = known.value != 0 && !told_here(known);  // a new cache knows none
    const Epoch present = journal_->end().epoch;
    const bool older = std::ranges::any_of(confirmed, [&](const auto& cursor) {
        return cursor.epoch == present && journal_->head_at(present, cursor.seq) != cursor.head;
    });
    if (lost || older) {
        const bool begun_now = epochs.size() == 1 && journal_->end().seq == 1;
        if (const auto fault = begin_again(begun_now)) return fault;
    }
    const Epoch now = journal_->end().epoch;
    if (now == known) return std::nullopt;
    // Last: until here a power cut leaves the proof in place, and all of it is done again.
    const auto kept = cache_->put_number(journal_epoch_name, static_cast<std::int64_t>(now.value));
    if (kept.has_error()) return fault_of(kept.error());
    return std::nullopt;
}

std::optional<journal::Fault> Device::begin_again(bool lost) {
    // The server left our own grants out of what it told us, because we had them. Now we don't: the
    // log of uses is read again from its beginning. First this, then the epoch, or a power cut
    // between the two would hide that it is needed.
    const auto again = cache_->apply_uses({}, {cache_->uses_position().generation, 0});
    if (again.has_error()) return fault_of(again.error());
    if (!lost) {
        const auto opened = journal_->open_epoch(EpochOpened::Why::rolled_back,
                                                 stamp(read_clocks()), ports_.entropy);
        if (opened.has_error()) return opened.error();
    }
    const auto said = journal_->append(
        stamp(read_clocks()),
        lost ? pf::journal::finding("journal_lost", "the journal is gone; a new one began")
             : pf::journal::finding("journal_rolled_back", "the journal is an old copy of itself"));
    if (said.has_error()) return said.error();
    return std::nullopt;
}

/// A grant without outcome: the lane was waiting when the power went. Nobody knows; staff decide.
void Device::close_open_grants() {
    for (const journal::OpenGrant& open : journal_->open_grants())
        (void)record(Outcome{
            .grant_seq = open.seq, .passed = 0, .returned = 0, .how = Outcome::How::unknown});
}

}  // namespace pf::firmware::app
