#include "firmware/app/device.hpp"

#include <fmt/format.h>

#include "firmware/verify/display.hpp"

namespace pf::firmware::app {

using pf::journal::ClockChanged;
using pf::journal::Outcome;

journal::Fault fault_of(cache::Fault fault) noexcept {
    switch (fault) {
        case cache::Fault::disk_full:
            return journal::Fault::disk_full;
        case cache::Fault::locked:
            return journal::Fault::locked;
        case cache::Fault::io_error:
        case cache::Fault::damaged:  // begun anew when it is opened again
        case cache::Fault::digest_mismatch:
        case cache::Fault::wrong_base:
            return journal::Fault::io_error;
    }
    return journal::Fault::io_error;
}

Device::Device(Options options, Ports ports, std::unique_ptr<journal::Journal> journal,
               std::unique_ptr<cache::Cache> cache, std::unique_ptr<verify::Timekeeper> timekeeper)
    : options_{std::move(options)},
      ports_{std::move(ports)},
      journal_{std::move(journal)},
      cache_{std::move(cache)},
      timekeeper_{std::move(timekeeper)},
      verifier_{std::make_unique<verify::Verifier>(*journal_, *cache_, options_.identity.device)},
      engine_{std::make_unique<sync::Engine>(options_.identity, *journal_, *cache_, ports_.entropy,
                                             *this)} {
    load_standing();
}

Device::~Device() = default;

Reading Device::read_clocks() {
    const Reading now{ports_.clock.wall(), ports_.clock.steady()};
    write_clock_change(timekeeper_->observe(now), now);
    return now;
}

void Device::write_clock_change(const std::optional<ClockChanged>& change, const Reading& now) {
    if (!change) return;
    note(Notice::What::clock, fmt::format("clock moved by {} ms", change->moved_ms));
    (void)record(*change);
    (void)now;
}

void Device::load_standing() {
    standing_ = {};
    standing_.site = options_.identity.site;
    const auto body_of = [&](wire::DocumentType type) -> std::optional<wire::Document> {
        const auto bytes = cache_->document(type);
        if (!bytes) return std::nullopt;
        auto document = wire::open_document(*bytes, options_.identity.site_authority);
        if (document.has_error()) return std::nullopt;
        return std::move(*document);
    };
    if (const auto document = body_of(wire::DocumentType::configuration)) {
        auto decoded = wire::decode_configuration(document->body);
        if (decoded.has_value()) standing_.configuration = std::move(*decoded);
    }
    if (const auto document = body_of(wire::DocumentType::product_table)) {
        auto decoded = wire::decode_product_table(document->body);
        if (decoded.has_value()) {
            standing_.products = std::move(*decoded);
            standing_.products->site = document->site;
            standing_.products->version = document->version;
        }
    }
    if (const auto document = body_of(wire::DocumentType::key_ring)) {
        auto decoded = wire::decode_key_ring(document->body);
        if (decoded.has_value())
            for (const crypto::PublicKey& key : decoded->tickets)
                standing_.ticket_keys.emplace_back(crypto::key_id(key), key);
    }
    if (const auto document = body_of(wire::DocumentType::secrets)) {
        auto decoded = wire::decode_secrets(document->body);
        if (decoded.has_value()) standing_.secrets = std::move(*decoded);
    }
}

bool Device::online() const {
    const Millis within{standing_.configuration ? standing_.configuration->online_within_ms
                                                : 60'000};
    return engine_->online(ports_.clock.steady(), within);
}

void Device::note(Notice::What what, std::string text) {
    if (notice_) notice_({what, std::move(text)});
}

// --- somebody is here
// -----------------------------------------------------------------------------------

verify::Answer Device::on_code(const ports::ScannedCode& code) {
    return present({verify::Presented::Kind::code, std::string{as_text(code.bytes)}});
}

verify::Answer Device::on_document(ports::DocumentRead read) {
    return present({verify::Presented::Kind::document, std::move(read.number)});
}

verify::Answer Device::check(const verify::Request& request, const Reading& now) {
    verify::Answer answer =
        verifier_->check(request, standing_, *timekeeper_, now, options_.identity.boot, online());
    if (answer.storage) storage_answered(*answer.storage);
    return answer;
}

/// A file that can't be read any more refuses as one that can't be written does, and says so before
/// the device ends.
template <class Decide>
verify::Answer Device::decided(Decide&& decide) {
    try {
        return decide();
    } catch (const journal::ReadFailed& failed) {
        refuse_for(failed.fault());
        throw;
    } catch (const cache::ReadFailed& failed) {
        refuse_for(fault_of(failed.fault()));
        throw;
    }
}

void Device::storage_answered(journal::Fault fault) {
    note(Notice::What::storage, std::string{journal::to_text(fault)});
    if (fault != journal::Fault::disk_full) failing_ = Failing{"the journal", fault};
}

void Device::cache_answered(cache::Fault fault) {
    note(Notice::What::storage, fmt::format("cache: {}", cache::to_text(fault)));
    if (fault != cache::Fault::disk_full) failing_ = Failing{"the cache", fault_of(fault)};
}

std::optional<Failing> Device::failing() const noexcept {
    if (failing_) return failing_;
    const sync::Failing& in_sync = engine_->failing();
    if (in_sync.journal) return Failing{"the journal", *in_sync.journal};
    if (in_sync.cache) return Failing{"the cache", fault_of(*in_sync.cache)};
    return std::nullopt;
}

bool Device::busy() const {
    return std::holds_alternative<lane::Open>(lane_) || handheld_.wake_at() || !unwritten_.empty();
}

void Device::refuse_for(journal::Fault storage) {
    verify::Answer answer;
    answer.verdict.kind = admission::Verdict::Kind::refuse;
    answer.verdict.reason = admission::Reason::storage_failed;
    answer.storage = storage;
    show(answer);
}

verify::Answer Device::lane_not_ready() const {
    verify::Answer answer;
    answer.verdict.kind = admission::Verdict::Kind::refuse;
    answer.verdict.reason = std::holds_alternative<lane::Open>(lane_) ? admission::Reason::lane_busy
                            : std::holds_alternative<lane::Faulty>(lane_)
                                ? admission::Reason::lane_fault
                                : admission::Reason::emergency;
    return answer;
}

verify::Answer Device::present(verify::Presented presented) {
    const Reading now = read_clocks();
    retry_records();
    const auto bound = [&](const verify::Request& request) { return check(request, now); };
    verify::Answer answer;
    if (options_.identity.kind == wire::DeviceKind::handheld) {
        answer =
            decided([&] { return handheld_.preview(std::move(presented), now.steady, bound); });
    } else if (has_barrier() && !lane::ready(lane_)) {
        // Deciding now would admit somebody the arm can't open for.
        verify::wipe(presented.text);
        answer = lane_not_ready();
        show(answer);
        return answer;
    } else {
        verify::Request request{.presented = std::move(presented),
                                .persons = {},
                                .chosen = {},
                                .awaits_passage = has_barrier()};
        const verify::Wiped number{request.presented.text};
        answer = decided([&] { return bound(request); });
    }
    show(answer);
    if (answer.grant_seq) opening_epoch_ = journal_->end().epoch;
    if (answer.grant_seq && has_barrier())
        run_lane(lane::Granted{*answer.grant_seq, answer.verdict.persons});
    engine_->tick(now);
    return answer;
}

verify::Answer Device::admit(std::optional<std::uint16_t> persons, bool staff_confirmed,
                             std::optional<TicketId> chosen) {
    const Reading now = read_clocks();
    retry_records();
    const auto bound = [&](const verify::Request& request) { return check(request, now); };
    const verify::Answer answer = decided(
        [&] { return handheld_.admit(persons, staff_confirmed, chosen, now.steady, bound); });
    show(answer);
    if (answer.grant_seq) opening_epoch_ = journal_->end().epoch;
    engine_->tick(now);
    return answer;
}

bool Device::undo() {
    const Reading now = read_clocks();
    retry_records();
    const bool undone = handheld_.undo(now.steady, [&](const Outcome& outcome) {
        // An outcome names a grant of its own epoch; in another that number is somebody else's.
        return opening_epoch_ == journal_->end().epoch && write(outcome).has_value();
    });
    engine_->tick(now);
    return undone;
}

void Device::show(const verify::Answer& answer) {
    const ports::Display display = verify::make_display(answer, standing_);
    ports_.cue.show(display);
    note(Notice::What::verdict,
         fmt::format("{} {} persons={} left={}{}",
                     answer.verdict.kind == admission::Verdict::Kind::admit ? "admit"
                     : answer.verdict.kind == admission::Verdict::Kind::ask ? "ask"
                                                                            : "refuse",
                     admission::words(answer.verdict.reason).key, answer.verdict.persons,
                     answer.verdict.persons_left,
                     answer.claims ? " ticket=" + to_text(answer.claims->id) : std::string{}));
}

// --- link and time
// --------------------------------------------------------------------------------------

void Device::on_link_up() { engine_->on_link_up(read_clocks()); }
void Device::on_link_down() { engine_->on_link_down(read_clocks()); }
void Device::on_message(std::string_view topic, BytesView payload) {
    engine_->on_message(topic, payload, read_clocks());
}

void Device::tick() {
    const Reading now = read_clocks();
    run_lane(lane::Tick{});
    handheld_.tick(now.steady);
    if (!unwritten_.empty()) retry_records();
    if (now.steady - time_saved_at_ >= save_time_every_ms) {
        time_saved_at_ = now.steady;
        // Saved only when somebody confirmed it: a wrong clock must not raise the floor for ever.
        if (timekeeper_->quality() == pf::journal::ClockQuality::confirmed) {
            const auto saved = cache_->put_number(saved_time_name, to_ms(timekeeper_->best(now)));
            if (saved.has_error()) cache_answered(saved.error());
        }
    }
    if (now.steady - tidied_at_ >= tidy_every_ms) {
        tidied_at_ = now.steady;
        tidying_ = true;
    }
    // Between visitors, a slice at a time: whoever scans waits for one at most.
    if (const auto at = slice_at(); at && now.steady >= *at) {
        sliced_at_ = now.steady;
        tidying_ = tidy(now);
    }
    engine_->tick(now);
}

/// Forgetting is for ever: a clock that is ahead and unconfirmed must not make a used ticket new
/// again. One day more than the calendar's is kept, because the rule is lenient about midnight.
bool Device::tidy(const Reading& now) {
    const auto leftovers = cache_->tidy();
    if (leftovers.has_error()) {
        cache_answered(leftovers.error());
        return false;  // tried again the next time
    }
    if (*leftovers) return true;
    if (timekeeper_->quality() != pf::journal::ClockQuality::confirmed) return false;
    const Calendar calendar = standing_.products ? standing_.products->calendar : Calendar{};
    const WallTime wall = timekeeper_->range(now).earliest;
    const Day yesterday = calendar.day_of(wall) + -1;
    const auto forgot = cache_->forget_uses_before(yesterday);
    if (forgot.has_error()) {
        cache_answered(forgot.error());
        return false;
    }
    if (*forgot) return true;
    const auto pruned = journal_->prune(wall - std::chrono::days{journal::keep_days_min}, yesterday,
                                        cache_->confirmed());
    if (pruned.has_error()) {
        storage_answered(pruned.error());
        return false;
    }
    return *pruned > 0;
}

std::optional<SteadyTime> Device::slice_at() const {
    if (!tidying_ || !lane::ready(lane_)) return std::nullopt;
    return sliced_at_ + tidy_pause_ms;
}

std::optional<SteadyTime> Device::wake_at() const {
    std::optional<SteadyTime> first;
    for (const auto& wanted :
         {lane::wake_at(lane_), handheld_.wake_at(), engine_->wake_at(), slice_at()})
        if (wanted && (!first || *wanted < *first)) first = wanted;
    return first;
}

// --- sync::Host
// -----------------------------------------------------------------------------------------

bool Device::publish(std::string topic, Bytes payload) {
    return ports_.publish && ports_.publish(std::move(topic), std::move(payload));
}

void Device::document_changed(wire::DocumentType) {
    load_standing();
    note(Notice::What::sync, "configuration, keys or products changed");
}

void Device::server_time(WallTime wall, SteadyTime asked, Reading now) {
    write_clock_change(timekeeper_->server_said(wall, asked, now), now);
}

journal::Stamp Device::stamp(Reading now) {
    return {timekeeper_->best(now), now.steady, options_.identity.boot, timekeeper_->quality()};
}

admission::TimeRange Device::range(Reading now) { return timekeeper_->range(now); }
pf::journal::ClockQuality Device::clock() { return timekeeper_->quality(); }

void Device::verdicts(const wire::Ack& ack) {
    for (const auto& [seq, verdict] : ack.verdicts)
        note(Notice::What::sync,
             fmt::format("event {} verdict {}", seq, static_cast<int>(verdict)));
}

sync::CommandResult Device::carry_out(const wire::Command& command, Reading) {
    using wire::CommandState;
    switch (command.kind) {
        case wire::CommandKind::open:
            if (!has_barrier()) return {CommandState::refused, "this device has no barrier"};
            if (!lane::ready(lane_)) return {CommandState::refused, "the lane is busy"};
            return open_for(command);
        case wire::CommandKind::test_scan: {
            verify::Request request{.presented = {verify::Presented::Kind::code, command.text},
                                    .persons = {},
                                    .chosen = {},
                                    .only_look = true};
            const verify::Answer answer = verifier_->check(
                request, standing_, *timekeeper_, {ports_.clock.wall(), ports_.clock.steady()},
                options_.identity.boot, online());
            return {CommandState::done, std::string{admission::words(answer.verdict.reason).key}};
        }
        case wire::CommandKind::renew_certificate:
            note(Notice::What::sync, "renew certificate");
            return {CommandState::accepted, "renewal begins"};
        case wire::CommandKind::resend:
            if (!engine_->resend_from(command.from_seq))
                return {CommandState::refused, "there is no such event"};
            return {CommandState::done, {}};
    }
    return {CommandState::failed, "unknown command"};
}

}  // namespace pf::firmware::app
