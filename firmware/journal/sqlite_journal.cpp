#include "firmware/journal/sqlite_journal.hpp"

#include <SQLiteCpp/Transaction.h>

#include <algorithm>
#include <cassert>
#include <cstdlib>
#include <stdexcept>

namespace pf::firmware::journal {

using pf::journal::Admitted;
using pf::journal::EpochOpened;
using pf::journal::Outcome;
using sqlite::Run;

namespace {

/// How many events open() checks against their chain: a minute of the busiest lane, and a few
/// milliseconds on the slowest board. The reader checks all of them.
constexpr std::size_t tail_events = 256;

/// A read that gives a plain value has no other way to say that the file can't be read.
template <class Read>
auto reading(Read&& read) {
    try {
        return read();
    } catch (const SQLite::Exception& exception) {
        throw ReadFailed{journal_fault(sqlite::fault_of(exception)), exception.what()};
    }
}

/// Our own event of a known kind.
template <class Kind>
std::optional<Kind> body_as(BytesView event) {
    const auto decoded = pf::journal::decode(event);
    if (!decoded) return std::nullopt;
    const auto* const body = std::get_if<Kind>(&decoded->body);
    if (body == nullptr) return std::nullopt;
    return *body;
}

Epoch draw_epoch(Entropy& entropy) {
    Epoch epoch;
    while (epoch.value == 0) epoch.value = entropy.next_u64();
    return epoch;
}

}  // namespace

SqliteJournal::Statements::Statements(SQLite::Database& database)
    : insert_event{database,
                   "INSERT INTO event (ordinal, seq, kind, clock, wall_ms, latest_ms, ticket,"
                   " grant_seq, event, head) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"},
      insert_waiting{database, "INSERT INTO waiting (ordinal, seq) VALUES (?1, ?2)"},
      delete_waiting{database, "DELETE FROM waiting WHERE ordinal = ?1 AND seq = ?2"},
      uses{database,
           "SELECT epoch.epoch, admission.seq, admission.event, outcome.event"
           " FROM event AS admission"
           " JOIN epoch ON epoch.ordinal = admission.ordinal"
           " LEFT JOIN event AS outcome ON outcome.ordinal = admission.ordinal"
           " AND outcome.grant_seq = admission.seq"
           " WHERE admission.ticket = ?1 ORDER BY admission.ordinal, admission.seq"},
      has_outcome{database, "SELECT 1 FROM event WHERE ordinal = ?1 AND grant_seq = ?2"},
      event_at{database, "SELECT event FROM event WHERE ordinal = ?1 AND seq = ?2"},
      head_at{database, "SELECT head FROM event WHERE ordinal = ?1 AND seq = ?2"},
      after{database,
            "SELECT seq, event FROM event WHERE ordinal = ?1 AND seq > ?2"
            " ORDER BY seq LIMIT ?3"},
      waiting{database, "SELECT seq FROM waiting WHERE ordinal = ?1 ORDER BY seq"} {}

SqliteJournal::SqliteJournal(sqlite::Writer writer, DeviceId device)
    : writer_{std::move(writer)},
      database_{*writer_.database},
      device_{std::move(device)},
      statements_{database_} {}

void SqliteJournal::load() {
    std::vector<EpochRow> epochs = read_epochs(database_);
    std::int64_t latest_ms = INT64_MIN;
    for (EpochRow& row : epochs) {
        latest_ms = std::max(latest_ms, row.latest_ms);
        row.latest_ms = latest_ms;
    }
    epochs_ = std::move(epochs);
    end_known_ = true;
}

bool SqliteJournal::tail_verifies() {
    if (epochs_.empty()) return false;
    const EpochRow& epoch = epochs_.back();
    if (epoch.end_seq == epoch.pruned_seq) return false;  // even pruning leaves the last event
    std::uint64_t before = epoch.end_seq > tail_events ? epoch.end_seq - tail_events : 0;
    before = std::max(before, epoch.pruned_seq);
    std::optional<Digest> head = head_at(epoch.epoch, before);
    if (!head) return false;
    SQLite::Statement tail{database_,
                           "SELECT seq, event, head FROM event WHERE ordinal = ?1 AND seq > ?2"
                           " ORDER BY seq"};
    Run each{tail, epoch.ordinal, before};
    while (each.row()) {
        if (each.counter(0) != ++before) return false;
        if (!follows(*head, before, each.blob(1), each.blob(2))) return false;
        head = digest_of(each.blob(2));
    }
    return before == epoch.end_seq;
}

Result<std::optional<Appended>> SqliteJournal::transact(const Stamp& stamp, const Decide& decide) {
    if (given_up_) return *given_up_;
    try {
        if (!end_known_) load();
        SQLite::Transaction transaction{database_, SQLite::TransactionBehavior::IMMEDIATE};
        std::optional<pf::journal::Body> body = decide(*this);
        if (!body) {
            transaction.commit();
            return std::optional<Appended>{};
        }
        assert(!std::holds_alternative<EpochOpened>(*body) && "open_epoch() opens epochs");
        if (const auto* outcome = std::get_if<Outcome>(&*body)) require_sound(*outcome);
        const EventRow row = row_after(epochs_.back(), stamp, *body);
        insert(row, *body);
        transaction.commit();
        advance(row);
        return std::optional<Appended>{{end()}};
    } catch (const SQLite::Exception& exception) {
        return failed(exception);
    } catch (const ReadFailed& exception) {
        return exception.fault();
    }
}

Result<Appended> SqliteJournal::open_epoch(EpochOpened::Why why, const Stamp& stamp,
                                           Entropy& entropy) {
    if (given_up_) return *given_up_;
    try {
        if (!end_known_) load();
        EpochOpened opened{why, std::nullopt, 0, {}};
        EpochRow next;
        next.ordinal = 1;
        if (!epochs_.empty()) {
            const EpochRow& parent = epochs_.back();
            opened.parent = parent.epoch;
            opened.parent_seq = parent.end_seq;
            opened.parent_head = parent.end_head;
            next.ordinal = parent.ordinal + 1;
            next.latest_ms = parent.latest_ms;
        }
        next.epoch = draw_epoch(entropy);
        next.pruned_head = pf::journal::genesis(device_, next.epoch);
        next.end_head = next.pruned_head;
        const EventRow row = row_after(next, stamp, opened);

        SQLite::Transaction transaction{database_, SQLite::TransactionBehavior::IMMEDIATE};
        SQLite::Statement insert_epoch{
            database_,
            "INSERT INTO epoch (ordinal, epoch, pruned_seq, pruned_head) VALUES (?1, ?2, 0, ?3)"};
        Run{insert_epoch, next.ordinal, to_be8(next.epoch.value), next.pruned_head}.execute();
        insert(row, opened);
        // What the parent still waited for nobody can end: outcomes name grants of their own epoch.
        database_.exec("DELETE FROM waiting");
        transaction.commit();
        epochs_.push_back(next);
        advance(row);
        return Appended{end()};
    } catch (const SQLite::Exception& exception) {
        return failed(exception);
    }
}

std::vector<EpochState> SqliteJournal::epochs() const {
    std::vector<EpochState> states;
    for (const EpochRow& row : epochs_) {
        states.push_back({row.epoch, row.end(), {row.epoch, row.pruned_seq, row.pruned_head}});
    }
    return states;
}

std::optional<Digest> SqliteJournal::head_at(Epoch epoch, std::uint64_t seq) const {
    const EpochRow* const row = find(epoch);
    if (row == nullptr) return std::nullopt;
    if (seq == 0) return pf::journal::genesis(device_, epoch);
    if (seq == row->pruned_seq) return row->pruned_head;
    return reading([&]() -> std::optional<Digest> {
        Run found{statements_.head_at, row->ordinal, seq};
        if (!found.row()) return std::nullopt;
        return digest_of(found.blob(0));
    });
}

std::vector<Stored> SqliteJournal::after(Epoch epoch, std::uint64_t seq, std::size_t events_max,
                                         std::size_t bytes_max) const {
    std::vector<Stored> found;
    const EpochRow* const row = find(epoch);
    if (row == nullptr) return found;
    // Below the pruned mark only single admissions are left; a batch has no holes.
    const std::uint64_t from = std::max(seq, row->pruned_seq);
    reading([&] {
        Run each{statements_.after, row->ordinal, from, events_max};
        std::size_t bytes = 0;
        while (bytes < bytes_max && each.row()) {
            found.push_back({each.counter(0), each.bytes(1)});
            bytes += found.back().event.size();
        }
    });
    return found;
}

std::vector<OpenGrant> SqliteJournal::open_grants() const {
    std::vector<OpenGrant> found;
    const std::int64_t ordinal = epochs_.back().ordinal;
    reading([&] {
        Run each{statements_.waiting, ordinal};
        while (each.row()) {
            const std::uint64_t seq = each.counter(0);
            if (auto admitted = admitted_at(ordinal, seq)) found.push_back({seq, *admitted});
        }
    });
    return found;
}

std::optional<Admitted> SqliteJournal::admitted(std::uint64_t grant_seq) const {
    return reading([&] { return admitted_at(epochs_.back().ordinal, grant_seq); });
}

WallTime SqliteJournal::latest_wall() const { return wall_from_ms(epochs_.back().latest_ms); }

ClockEvidence SqliteJournal::clock_evidence() const {
    using pf::journal::ClockQuality;
    return reading([&] {
        ClockEvidence found;
        SQLite::Statement back{database_,
                               "SELECT clock, wall_ms FROM event ORDER BY ordinal DESC, seq DESC"};
        Run each{back};
        while (each.row()) {
            const auto quality = static_cast<ClockQuality>(each.integer(0));
            const WallTime wall = wall_from_ms(each.integer(1));
            if (quality == ClockQuality::confirmed) {
                found.confirmed = wall;
                break;
            }
            if (quality != ClockQuality::unconfirmed) continue;
            found.unconfirmed = std::max(found.unconfirmed.value_or(wall), wall);
        }
        return found;
    });
}

std::optional<CommandTrace> SqliteJournal::trace_of(const std::array<Byte, 16>& command,
                                                    WallTime since) const {
    using pf::journal::ClockQuality;
    using pf::journal::CommandDone;
    using pf::journal::Opened;
    static const auto kind_done = pf::journal::kind_of(CommandDone{});
    return reading([&]() -> std::optional<CommandTrace> {
        // The numbers stand in the text, or SQLite does not see that the index event_command fits.
        SQLite::Statement back{database_,
                               "SELECT kind, clock, wall_ms, event FROM event"
                               " WHERE kind IN (9, 11) ORDER BY ordinal DESC, seq DESC"};
        Run each{back};
        while (each.row()) {
            if (static_cast<std::uint8_t>(each.integer(0)) == kind_done) {
                const auto done = body_as<CommandDone>(each.blob(3));
                if (done && done->id == command) return CommandTrace{done->state};  // the newest
            } else {
                const auto opened = body_as<Opened>(each.blob(3));
                if (opened && opened->command == command) return CommandTrace{};
            }
            const auto quality = static_cast<ClockQuality>(each.integer(1));
            if (quality == ClockQuality::confirmed && wall_from_ms(each.integer(2)) < since) break;
        }
        return std::nullopt;
    });
}

std::vector<OwnUse> SqliteJournal::uses_of(TicketId ticket) const {
    // SQLite's exceptions pass through the decision and end in transact().
    std::vector<OwnUse> found;
    Run each{statements_.uses, to_be8(ticket.value)};
    while (each.row()) {
        const auto event = pf::journal::decode(each.blob(2));
        const auto* const admitted = event ? std::get_if<Admitted>(&event->body) : nullptr;
        // The column says admission and the event does not: a use we can't count is not zero uses.
        if (admitted == nullptr) throw ReadFailed{Fault::damaged, "an admission can't be read"};
        OwnUse use{{device_, epoch_of(each.blob(0)), each.counter(1)},
                   admitted->site,
                   admitted->product,
                   admitted->day,
                   admitted->persons,
                   0,
                   0,
                   false,
                   false,
                   event->wall};
        // What an epoch awaited when it ended nobody can end any more.
        if (each.is_null(3) && admitted->awaits_passage)
            use.outcome_unknown = use.grant.epoch != epochs_.back().epoch;
        if (!each.is_null(3)) {
            const auto outcome = body_as<Outcome>(each.blob(3));
            if (!outcome) throw ReadFailed{Fault::damaged, "an outcome can't be read"};
            use.returned = outcome->returned;
            use.passed = outcome->passed;
            use.outcome_unknown = pf::journal::passage_unknown(outcome->how);
            use.automatic_return = pf::journal::returned_by_itself(*outcome);
        }
        found.push_back(std::move(use));
    }
    return found;
}

void SqliteJournal::insert(const EventRow& row, const pf::journal::Body& body) {
    std::optional<std::array<Byte, 8>> ticket;
    if (row.ticket) ticket = to_be8(row.ticket->value);
    Run{statements_.insert_event,
        row.ordinal,
        row.seq,
        row.kind,
        row.clock,
        row.wall_ms,
        row.latest_ms,
        ticket,
        row.grant_seq,
        row.event,
        row.head}
        .execute();
    const auto* const admitted = std::get_if<Admitted>(&body);
    if (admitted != nullptr && admitted->awaits_passage) {
        Run{statements_.insert_waiting, row.ordinal, row.seq}.execute();
    }
    if (row.grant_seq) Run{statements_.delete_waiting, row.ordinal, *row.grant_seq}.execute();
}

void SqliteJournal::require_sound(const Outcome& outcome) const {
    const std::int64_t ordinal = epochs_.back().ordinal;
    const auto granted = admitted_at(ordinal, outcome.grant_seq);
    if (!granted) throw std::logic_error{"an outcome of something that was not admitted"};
    if (outcome.passed + outcome.returned > granted->persons) {
        throw std::logic_error{"an outcome of more persons than were admitted"};
    }
    if (Run{statements_.has_outcome, ordinal, outcome.grant_seq}.row()) {
        throw std::logic_error{"a second outcome of one admission"};
    }
}

void SqliteJournal::advance(const EventRow& row) {
    EpochRow& end = epochs_.back();
    assert(end.ordinal == row.ordinal && end.end_seq + 1 == row.seq);
    end.end_seq = row.seq;
    end.end_head = row.head;
    end.latest_ms = row.latest_ms;
}

Fault SqliteJournal::failed(const SQLite::Exception& exception) {
    // A number already taken means that somebody else wrote into our file. Going on would fork the
    // chain, so from here on the lane refuses and says so.
    if (sqlite::is_constraint(exception)) given_up_ = Fault::damaged;
    end_known_ = false;
    try {
        load();
    } catch (const SQLite::Exception&) {
        // Not readable now: transact() tries again before it writes anything.
        end_known_ = false;
    }
    return journal_fault(sqlite::fault_of(exception));
}

std::optional<Admitted> SqliteJournal::admitted_at(std::int64_t ordinal, std::uint64_t seq) const {
    Run found{statements_.event_at, ordinal, seq};
    if (!found.row()) return std::nullopt;
    return body_as<Admitted>(found.blob(0));
}

const EpochRow* SqliteJournal::find(Epoch epoch) const {
    const auto row = std::find_if(epochs_.begin(), epochs_.end(),
                                  [&](const EpochRow& each) { return each.epoch == epoch; });
    return row == epochs_.end() ? nullptr : &*row;
}

}  // namespace pf::firmware::journal
