#include "firmware/journal/reader.hpp"

#include <SQLiteCpp/Transaction.h>

#include <cstdlib>

#include "firmware/journal/rows.hpp"
#include "firmware/journal/schema.hpp"

namespace pf::firmware::journal {

using pf::journal::EpochOpened;
using sqlite::Run;

std::string_view to_text(Flaw::What what) noexcept {
    switch (what) {
        case Flaw::What::gap:
            return "gap";
        case Flaw::What::chain_broken:
            return "chain_broken";
        case Flaw::What::malformed:
            return "malformed";
        case Flaw::What::columns_lie:
            return "columns_lie";
        case Flaw::What::no_parent:
            return "no_parent";
    }
    std::abort();
}

namespace {

/// Follows one epoch event by event.
class Follower {
public:
    Follower(const EpochRow& epoch, const EpochRow* parent, Verification& found)
        : epoch_{epoch}, parent_{parent}, found_{found} {}

    /// Before the first event there may be: genesis, which binds the chain to device and epoch.
    void enter_pruned(const Digest& genesis) {
        last_seq_ = 0;
        last_head_ = genesis;
    }
    void enter_unpruned() {
        if (epoch_.pruned_seq == 0) return;
        last_seq_ = epoch_.pruned_seq;
        last_head_ = epoch_.pruned_head;
    }
    void event(std::uint64_t seq, BytesView event, BytesView head, std::uint8_t kind,
               const std::optional<TicketId>& ticket,
               const std::optional<std::uint64_t>& grant_seq) {
        ++found_.events;
        chain(seq, event, head);
        const auto decoded = pf::journal::decode(event);
        if (decoded) {
            if (decoded->seq != seq) flaw(Flaw::What::malformed, seq);
            if (kind != pf::journal::kind_of(decoded->body) ||
                ticket != ticket_column(decoded->body) ||
                grant_seq != grant_column(decoded->body)) {
                flaw(Flaw::What::columns_lie, seq);
            }
            const auto* const opened = std::get_if<EpochOpened>(&decoded->body);
            if ((opened != nullptr) != (seq == 1)) flaw(Flaw::What::malformed, seq);
            if (opened != nullptr) parent(*opened, seq);
        } else if (decoded.error() == pf::journal::Fault::kind_unknown) {
            ++found_.kinds_unknown;
        } else {
            flaw(Flaw::What::malformed, seq);
        }
    }

private:
    void chain(std::uint64_t seq, BytesView event, BytesView head) {
        // A single admission kept in the pruned range has no chain to hang on; the server has one.
        const bool follows_on = seq == last_seq_ + 1;
        if (!follows_on && seq > epoch_.pruned_seq) flaw(Flaw::What::gap, seq);
        if (follows_on) {
            if (pf::journal::next_head(last_head_, event) != digest_of(head)) {
                flaw(Flaw::What::chain_broken, seq);
            }
        }
        last_seq_ = seq;
        last_head_ = digest_of(head);
    }

    void parent(const EpochOpened& opened, std::uint64_t seq) {
        const bool right = parent_ == nullptr ? !opened.parent
                                              : opened.parent == parent_->epoch &&
                                                    opened.parent_seq == parent_->end_seq &&
                                                    opened.parent_head == parent_->end_head;
        if (!right) flaw(Flaw::What::no_parent, seq);
    }

    void flaw(Flaw::What what, std::uint64_t seq) {
        if (found_.flaws.size() < flaws_max) found_.flaws.push_back({what, epoch_.epoch, seq});
    }

private:
    const EpochRow& epoch_;
    const EpochRow* parent_;
    Verification& found_;
    std::uint64_t last_seq_ = 0;
    Digest last_head_{};
};

class SqliteReader final : public Reader {
public:
    SqliteReader(std::unique_ptr<SQLite::Database> database, DeviceId device)
        : database_{std::move(database)}, device_{std::move(device)} {}

    const DeviceId& device() const override { return device_; }

    Result<std::vector<EpochInfo>> epochs() const override {
        try {
            std::vector<EpochInfo> infos;
            for (const EpochRow& row : read_epochs(*database_)) {
                infos.push_back({row.epoch, row.end(), row.pruned_seq, row.pruned_head});
            }
            return infos;
        } catch (const SQLite::Exception& exception) {
            return journal_fault(sqlite::fault_of(exception));
        }
    }

    Result<void> for_each(Epoch epoch, std::uint64_t seq, const Take& take) const override {
        try {
            SQLite::Statement select{*database_,
                                     "SELECT seq, event, head FROM event"
                                     " JOIN epoch ON epoch.ordinal = event.ordinal"
                                     " WHERE epoch.epoch = ?1 AND seq > ?2 ORDER BY seq"};
            Run each{select, to_be8(epoch.value), seq};
            while (each.row()) {
                if (!take({each.counter(0), each.bytes(1), digest_of(each.blob(2))})) break;
            }
            return {};
        } catch (const SQLite::Exception& exception) {
            return journal_fault(sqlite::fault_of(exception));
        }
    }

    Result<Verification> verify() const override {
        try {
            // One snapshot for the ends and the events.
            SQLite::Transaction snapshot{*database_};
            Verification found;
            const std::vector<EpochRow> rows = read_epochs(*database_);
            for (std::size_t i = 0; i < rows.size(); ++i) {
                verify_epoch(rows[i], i == 0 ? nullptr : &rows[i - 1], found);
            }
            return found;
        } catch (const SQLite::Exception& exception) {
            return journal_fault(sqlite::fault_of(exception));
        }
    }

private:
    void verify_epoch(const EpochRow& row, const EpochRow* parent, Verification& found) const {
        SQLite::Statement select{*database_,
                                 "SELECT seq, event, head, kind, ticket, grant_seq FROM event"
                                 " WHERE ordinal = ?1 AND seq > ?2 AND seq <= ?3 ORDER BY seq"};
        Follower follower{row, parent, found};
        const auto follow = [&](std::uint64_t from, std::uint64_t upto) {
            Run each{select, row.ordinal, from, upto};
            while (each.row()) {
                std::optional<TicketId> ticket;
                if (!each.is_null(4)) {
                    ticket = TicketId{from_be8(std::span<const Byte, 8>{each.blob(4)})};
                }
                std::optional<std::uint64_t> grant_seq;
                if (!each.is_null(5)) grant_seq = each.counter(5);
                follower.event(each.counter(0), each.blob(1), each.blob(2),
                               static_cast<std::uint8_t>(each.integer(3)), ticket, grant_seq);
            }
        };
        follower.enter_pruned(pf::journal::genesis(device_, row.epoch));
        follow(0, row.pruned_seq);
        follower.enter_unpruned();
        follow(row.pruned_seq, row.end_seq);
    }

    std::unique_ptr<SQLite::Database> database_;
    DeviceId device_;
};

}  // namespace

Result<std::unique_ptr<Reader>> Reader::open(const std::string& path, const std::string& vfs) {
    auto database = sqlite::open_reader({path, vfs}, file_identity);
    if (!database) return journal_fault(database.error());
    try {
        const auto device =
            DeviceId::parse((*database)->execAndGet("SELECT id FROM device").getString());
        if (!device) return Fault::damaged;
        return std::unique_ptr<Reader>{
            std::make_unique<SqliteReader>(std::move(*database), *device)};
    } catch (const SQLite::Exception& exception) {
        return journal_fault(sqlite::fault_of(exception));
    }
}

}  // namespace pf::firmware::journal
