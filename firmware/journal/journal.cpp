#include "firmware/journal/journal.hpp"

#include <SQLiteCpp/Transaction.h>

#include <cassert>
#include <cstdlib>

#include "firmware/journal/schema.hpp"
#include "firmware/journal/sqlite_journal.hpp"
#include "firmware/sqlite/set_aside.hpp"

namespace pf::firmware::journal {

using sqlite::Run;

std::string_view to_text(Fault fault) noexcept {
    switch (fault) {
        case Fault::disk_full:
            return "disk_full";
        case Fault::io_error:
            return "io_error";
        case Fault::damaged:
            return "damaged";
        case Fault::not_ours:
            return "not_ours";
        case Fault::locked:
            return "locked";
    }
    std::abort();
}

namespace {

/// Whose file it is; nothing when it does not say.
std::string owner(SQLite::Database& database) {
    SQLite::Statement device{database, "SELECT id FROM device"};
    Run found{device};
    return found.row() ? found.text(0) : std::string{};
}

/// Structure only: what events say is proven by their chain.
bool sound(SQLite::Database& database) {
    return database.execAndGet("PRAGMA quick_check(1)").getString() == "ok";
}

void begin_file(SQLite::Database& database, const DeviceId& device) {
    SQLite::Transaction transaction{database, SQLite::TransactionBehavior::IMMEDIATE};
    create_schema(database);
    SQLite::Statement name{database, "INSERT INTO device (only, id) VALUES (1, ?1)"};
    Run{name, device.text()}.execute();
    transaction.commit();
}

}  // namespace

Result<std::unique_ptr<Journal>> Journal::open(const Options& options, Entropy& entropy,
                                               const Stamp& stamp) {
    auto writer = sqlite::open_writer({options.path, options.vfs}, file_identity);
    if (!writer) return journal_fault(writer.error());
    try {
        if (writer->fresh) begin_file(*writer->database, options.device);
        if (options.check_all && !sound(*writer->database)) return Fault::damaged;
        if (owner(*writer->database) != options.device.text()) return Fault::not_ours;
        auto journal = std::make_unique<SqliteJournal>(std::move(*writer), options.device);
        journal->load();
        // The power may have gone between the schema and the first epoch.
        if (journal->epochs().empty()) {
            const auto opened = journal->open_epoch(options.why_new, stamp, entropy);
            if (!opened) return opened.error();
        }
        if (!journal->tail_verifies()) return Fault::damaged;
        return std::unique_ptr<Journal>{std::move(journal)};
    } catch (const SQLite::Exception& exception) {
        return journal_fault(sqlite::fault_of(exception));
    } catch (const ReadFailed& exception) {
        return exception.fault();
    }
}

Result<Appended> Journal::append(const Stamp& stamp, pf::journal::Body body) {
    const auto appended =
        transact(stamp, [&](const View&) { return std::optional{std::move(body)}; });
    if (!appended) return appended.error();
    assert(*appended);
    return **appended;
}

Result<std::string> set_aside(const std::string& path, const std::string& vfs) {
    const auto moved = sqlite::set_aside({path, vfs});
    if (!moved) return journal_fault(moved.error());
    return *moved;
}

}  // namespace pf::firmware::journal
