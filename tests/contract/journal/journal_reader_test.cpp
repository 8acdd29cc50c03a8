// Dump, verify and export of a journal: beside a live device, and on a dead one's disk.
#include <SQLiteCpp/SQLiteCpp.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "firmware/journal/reader.hpp"
#include "tests/contract/journal/fixture.hpp"

using namespace pf;
using namespace pf::tests;
using pf::journal::EpochOpened;
using pf::journal::Outcome;
using pf::journal::Refused;
using What = fj::Flaw::What;

namespace {

void tamper(const std::string& path, const std::string& sql) {
    SQLite::Database database{path, SQLite::OPEN_READWRITE};
    database.exec(sql);
}

/// Two epochs: 1 opened, 2 admitted, 3 outcome, 4 refused; 1 opened, 2 admitted.
void fill(OnFiles& files) {
    fj::Journal& journal = files.open();
    REQUIRE(ok(journal.append(stamp_at(noon_ms), an_admission(ticket_a))));
    REQUIRE(ok(journal.append(stamp_at(noon_ms), outcome(2, 1, 0, Outcome::How::complete))));
    REQUIRE(ok(journal.append(stamp_at(noon_ms), Refused{})));
    REQUIRE(
        ok(journal.open_epoch(EpochOpened::Why::rolled_back, stamp_at(noon_ms), files.entropy())));
    REQUIRE(ok(journal.append(stamp_at(noon_ms), an_admission(ticket_b))));
}

fj::Verification verify(const std::string& path) {
    const auto reader = fj::Reader::open(path, "");
    REQUIRE(ok(reader));
    const auto verification = (*reader)->verify();
    REQUIRE(ok(verification));
    return *verification;
}

}  // namespace

TEST_CASE("a reader sees what a live device has committed, and hinders it in nothing") {
    OnFiles files;
    fill(files);
    fj::Journal& journal = files.open();
    const auto reader = fj::Reader::open(files.path(), "");
    REQUIRE(ok(reader));
    CHECK((*reader)->device() == gate);
    auto epochs = (*reader)->epochs();
    REQUIRE(ok(epochs));
    REQUIRE(epochs->size() == 2);
    CHECK((*epochs)[1].end == journal.end());

    REQUIRE(ok(journal.append(stamp_at(noon_ms), Refused{})));
    epochs = (*reader)->epochs();
    REQUIRE(ok(epochs));
    CHECK((*epochs)[1].end == journal.end());
    CHECK(verify(files.path()).flaws.empty());
    files.close();
    CHECK(verify(files.path()).events == 7);
}

TEST_CASE("a reader gives events in order from where it is asked, until told to stop") {
    OnFiles files;
    fill(files);
    const fj::Journal& journal = files.open();
    const Epoch first = journal.epochs().front().epoch;
    const auto reader = fj::Reader::open(files.path(), "");
    REQUIRE(ok(reader));
    std::vector<std::uint64_t> seen;
    REQUIRE(ok((*reader)->for_each(first, 1, [&](const fj::StoredEvent& event) {
        CHECK(journal.head_at(first, event.seq) == event.head);
        seen.push_back(event.seq);
        return event.seq < 3;
    })));
    CHECK(seen == std::vector<std::uint64_t>{2, 3});
}

TEST_CASE("a device that died with its WAL is read whole, and its files stay as they are") {
    OnFiles files;
    fill(files);
    const std::filesystem::path dead = files.path() + "-dead";
    std::filesystem::copy_file(files.path(), dead);
    std::filesystem::copy_file(files.path() + "-wal", dead.string() + "-wal");
    const auto size = std::filesystem::file_size(dead);
    CHECK(verify(dead).events == 6);
    CHECK(verify(dead).flaws.empty());
    CHECK(std::filesystem::file_size(dead) == size);
    CHECK(std::filesystem::file_size(dead.string() + "-wal") ==
          std::filesystem::file_size(files.path() + "-wal"));
}

TEST_CASE("what is no journal is refused") {
    OnFiles files;
    const auto error = [&] {
        const auto reader = fj::Reader::open(files.path(), "");
        REQUIRE_FALSE(ok(reader));
        return reader.error();
    };
    CHECK(error() == fj::Fault::io_error);  // no file
    CHECK_FALSE(std::filesystem::exists(files.path()));
    SUBCASE("no database") {
        std::ofstream{files.path()} << std::string(5'000, 'x');
        CHECK(error() == fj::Fault::damaged);
    }
    SUBCASE("another database") {
        SQLite::Database{files.path(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE}.exec(
            "CREATE TABLE other (n INTEGER)");
        CHECK(error() == fj::Fault::not_ours);
    }
}

TEST_CASE("every kind of flaw is found where it is") {
    const struct {
        std::string damage;
        What what;
        std::size_t epoch;
        std::uint64_t seq;
    } table[] = {
        {"DELETE FROM event WHERE ordinal = 1 AND seq = 3", What::gap, 0, 4},
        {"UPDATE event SET head = zeroblob(32) WHERE ordinal = 1 AND seq = 3", What::chain_broken,
         0, 3},
        {"UPDATE event SET event = zeroblob(9) WHERE ordinal = 1 AND seq = 4", What::malformed, 0,
         4},
        {"UPDATE event SET ticket = NULL WHERE ordinal = 1 AND seq = 2", What::columns_lie, 0, 2},
        {"UPDATE event SET grant_seq = NULL WHERE ordinal = 1 AND seq = 3", What::columns_lie, 0,
         3},
        {"UPDATE event SET kind = 5 WHERE ordinal = 2 AND seq = 2", What::columns_lie, 1, 2},
        {"DELETE FROM event WHERE ordinal = 1 AND seq = 4", What::no_parent, 1, 1},
    };
    for (const auto& row : table) {
        CAPTURE(row.damage);
        OnFiles files;
        fill(files);
        const Epoch epoch = files.open().epochs()[row.epoch].epoch;
        files.close();
        CHECK(verify(files.path()).flaws.empty());
        tamper(files.path(), row.damage);
        const auto flaws = verify(files.path()).flaws;
        REQUIRE_FALSE(flaws.empty());
        bool found = false;
        for (const fj::Flaw& flaw : flaws)
            found = found || flaw == fj::Flaw{row.what, epoch, row.seq};
        CHECK(found);
    }
}

TEST_CASE("a journal moved under another device's name verifies nowhere") {
    OnFiles files;
    fill(files);
    files.close();
    tamper(files.path(), "UPDATE device SET id = 'gate-2'");
    const auto flaws = verify(files.path()).flaws;
    REQUIRE_FALSE(flaws.empty());
    CHECK(flaws.front().seq == 1);  // genesis binds the chain to its device
}
