#include "tests/support/crash_vfs.hpp"

#include <SQLiteCpp/SQLiteCpp.h>
#include <doctest/doctest.h>
#include <sqlite3.h>

#include <optional>
#include <string>

using pf::tests::CrashDisk;
using pf::tests::CrashVfs;
using pf::tests::DiskDamage;
using pf::tests::DiskImage;
using pf::tests::Rng;

namespace {

constexpr const char* path = "/sim/gate-1/t.db";

struct Mode {
    const char* journal = "WAL";
    const char* synchronous = "FULL";
    int transactions = 8;
};

SQLite::Database open(const char* file, const Mode& mode) {
    SQLite::Database database(file, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    database.exec(std::string("PRAGMA journal_mode=") + mode.journal);
    database.exec(std::string("PRAGMA synchronous=") + mode.synchronous);
    database.exec("PRAGMA wal_autocheckpoint=6");  // checkpoints between the cuts as well
    return database;
}

/// Two tables that every transaction changes together. Returns how many COMMITs said yes.
int write_until_it_fails(const Mode& mode) {
    int committed = 0;
    try {
        SQLite::Database database = open(path, mode);
        database.exec("CREATE TABLE IF NOT EXISTS a(n INTEGER PRIMARY KEY, filler BLOB)");
        database.exec("CREATE TABLE IF NOT EXISTS b(n INTEGER PRIMARY KEY, filler BLOB)");
        for (int n = 1; n <= mode.transactions; ++n) {
            const std::string value = std::to_string(n);
            database.exec("BEGIN IMMEDIATE");
            database.exec("INSERT INTO a VALUES(" + value + ", randomblob(1500))");
            database.exec("INSERT INTO b VALUES(" + value + ", randomblob(3000))");
            database.exec("COMMIT");
            committed = n;
        }
    } catch (const SQLite::Exception&) {
        // The power went; what matters is what the next life finds.
    }
    return committed;
}

/// Rows found after a restart; nothing when the file is not a sound database or torn apart.
std::optional<int> rows_found() {
    try {
        SQLite::Database database(path, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
        if (database.execAndGet("PRAGMA integrity_check").getString() != "ok") return std::nullopt;
        if (!database.tableExists("b")) return 0;
        const int rows = database.execAndGet("SELECT count(*) FROM a").getInt();
        const int others = database.execAndGet("SELECT count(*) FROM b").getInt();
        const int last = database.execAndGet("SELECT coalesce(max(n), 0) FROM a").getInt();
        if (rows != others || rows != last) return std::nullopt;
        return rows;
    } catch (const SQLite::Exception&) {
        return std::nullopt;
    }
}

struct Tally {
    int runs = 0;
    int broken = 0;  // unsound, half a transaction, or a hole
    int lost = 0;    // a committed transaction is not there
    int invented = 0;
    DiskDamage damage;
};

/// Every operation of the scenario is once the last one, under several seeds.
Tally cut_everywhere(const Mode& mode, std::uint64_t seeds) {
    std::uint64_t operations = 0;
    {
        CrashVfs vfs(1);
        CrashDisk disk(1);
        const auto mount = vfs.mount("/sim/", disk);
        REQUIRE(write_until_it_fails(mode) == mode.transactions);
        operations = disk.operations();
    }
    Tally tally;
    for (std::uint64_t cut = 1; cut <= operations; ++cut) {
        for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
            CrashVfs vfs(1);
            CrashDisk disk(seed);
            const auto mount = vfs.mount("/sim/", disk);
            disk.cut_power_at(cut);
            const int committed = write_until_it_fails(mode);
            Rng rng(seed * 1'000'003 + cut);
            disk.power_on(rng);
            const auto rows = rows_found();
            ++tally.runs;
            if (!rows) ++tally.broken;
            if (rows && *rows < committed) ++tally.lost;
            if (rows && *rows > committed + 1) ++tally.invented;
            tally.damage.torn += disk.damage().torn;
            tally.damage.dropped += disk.damage().dropped;
            tally.damage.kept += disk.damage().kept;
            tally.damage.zero_filled += disk.damage().zero_filled;
            tally.damage.reordered += disk.damage().reordered;
            tally.damage.entries_lost += disk.damage().entries_lost;
        }
    }
    return tally;
}

}  // namespace

TEST_CASE("a committed transaction survives a power cut at every operation, whole") {
    const Mode modes[] = {{"WAL", "FULL"}, {"DELETE", "EXTRA"}, {"TRUNCATE", "FULL"}};
    for (const Mode& mode : modes) {
        CAPTURE(std::string(mode.journal));
        const Tally tally = cut_everywhere(mode, 4);
        CHECK(tally.runs > 200);
        CHECK(tally.broken == 0);
        CHECK(tally.lost == 0);
        CHECK(tally.invented == 0);
        CHECK(tally.damage.torn > 0);
        CHECK(tally.damage.dropped > 0);
        CHECK(tally.damage.kept > 0);
        CHECK(tally.damage.zero_filled > 0);
        CHECK(tally.damage.reordered > 0);
        CHECK(tally.damage.entries_lost > 0);
    }
}

TEST_CASE("the disk bites: without syncs commits get lost and files break") {
    const Tally wal = cut_everywhere({"WAL", "OFF"}, 4);
    CHECK(wal.lost > 0);
    const Tally rollback = cut_everywhere({"DELETE", "OFF"}, 4);
    CHECK(rollback.broken > 0);
}

TEST_CASE("a rollback journal with FULL may undo its last commit, as SQLite documents for EXTRA") {
    // The journal's deletion is the commit, and FULL does not sync the directory after it.
    const Tally tally = cut_everywhere({"DELETE", "FULL"}, 4);
    CHECK(tally.lost > 0);
    CHECK(tally.broken == 0);
}

TEST_CASE("torn frames at the end of a WAL are recovered to a prefix of the commits") {
    int some = 0;
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        CrashVfs vfs(seed);
        CrashDisk disk(seed);
        const auto mount = vfs.mount("/sim/", disk);
        {
            // NORMAL does not sync at COMMIT: the whole WAL since the last checkpoint is at stake.
            SQLite::Database database = open(path, {"WAL", "NORMAL"});
            database.exec("PRAGMA wal_autocheckpoint=0");
            database.exec("CREATE TABLE a(n INTEGER PRIMARY KEY, filler BLOB)");
            database.exec("CREATE TABLE b(n INTEGER PRIMARY KEY, filler BLOB)");
            for (int n = 1; n <= 6; ++n) {
                const std::string value = std::to_string(n);
                database.exec("BEGIN; INSERT INTO a VALUES(" + value + ", randomblob(900));" +
                              "INSERT INTO b VALUES(" + value + ", randomblob(900)); COMMIT");
            }
            disk.cut_power();
        }
        Rng rng(seed);
        disk.power_on(rng);
        const auto rows = rows_found();
        REQUIRE(rows);
        if (*rows > 0 && *rows < 6) ++some;
    }
    CHECK(some > 10);
}

TEST_CASE("one failing operation, wherever, costs no committed row, also with a cut after it") {
    for (std::uint64_t at = 1; at <= 120; ++at) {
        CrashVfs vfs(1);
        CrashDisk disk(at);
        const auto mount = vfs.mount("/sim/", disk);
        disk.fail_at(at);
        const int before = write_until_it_fails({});
        const auto rows = rows_found();
        CAPTURE(at);
        REQUIRE(rows);
        CHECK(*rows >= before);
        Rng rng(at);
        disk.power_cut(rng);
        const auto after_cut = rows_found();
        REQUIRE(after_cut);
        CHECK(*after_cut >= before);
    }
}

TEST_CASE("a full disk refuses, keeps what was committed, and works again when there is room") {
    CrashVfs vfs(1);
    CrashDisk disk(1);
    const auto mount = vfs.mount("/sim/", disk);
    SQLite::Database database = open(path, {});
    database.exec("CREATE TABLE a(n INTEGER PRIMARY KEY, filler BLOB)");
    disk.set_capacity_bytes(disk.bytes_used() + 20'000);
    int stored = 0;
    int code = SQLITE_OK;
    while (code == SQLITE_OK && stored < 100) {
        code = database.tryExec("INSERT INTO a VALUES(NULL, randomblob(3000))");
        if (code == SQLITE_OK) ++stored;
    }
    CHECK(code == SQLITE_FULL);
    CHECK(stored > 0);
    disk.set_capacity_bytes(UINT64_MAX);
    CHECK(database.tryExec("INSERT INTO a VALUES(NULL, randomblob(3000))") == SQLITE_OK);
    CHECK(database.execAndGet("SELECT count(*) FROM a").getInt() == stored + 1);
}

TEST_CASE("kill -9 keeps every write and kills every handle") {
    CrashVfs vfs(1);
    CrashDisk disk(1);
    const auto mount = vfs.mount("/sim/", disk);
    {
        SQLite::Database database = open(path, {"WAL", "OFF"});
        database.exec("CREATE TABLE a(n INTEGER PRIMARY KEY); INSERT INTO a VALUES(1)");
        disk.kill_process();
        CHECK(database.tryExec("INSERT INTO a VALUES(2)") != SQLITE_OK);
    }
    SQLite::Database again = open(path, {});
    CHECK(again.execAndGet("SELECT group_concat(n) FROM a").getString() == "1");
}

TEST_CASE("a reader and a writer share a file; a second writer waits its turn") {
    CrashVfs vfs(1);
    CrashDisk disk(1);
    const auto mount = vfs.mount("/sim/", disk);
    for (const char* journal : {"WAL", "DELETE"}) {
        CAPTURE(std::string(journal));
        const std::string file = std::string("/sim/") + journal;
        SQLite::Database writer = open(file.c_str(), {journal});
        writer.exec("CREATE TABLE a(n INTEGER PRIMARY KEY); INSERT INTO a VALUES(1)");
        SQLite::Database reader(file, SQLite::OPEN_READONLY);
        SQLite::Database second(file, SQLite::OPEN_READWRITE);
        writer.exec("BEGIN IMMEDIATE; INSERT INTO a VALUES(2)");
        CHECK(reader.execAndGet("SELECT count(*) FROM a").getInt() == 1);
        CHECK(second.tryExec("BEGIN IMMEDIATE") == SQLITE_BUSY);
        writer.exec("COMMIT");
        CHECK(reader.execAndGet("SELECT count(*) FROM a").getInt() == 2);
        CHECK(second.tryExec("BEGIN IMMEDIATE; ROLLBACK") == SQLITE_OK);
    }
}

TEST_CASE("disks are apart, and other paths stay the operating system's") {
    CrashVfs vfs(1);
    CrashDisk one(1);
    CrashDisk two(2);
    const auto mount_one = vfs.mount("/sim/one/", one);
    const auto mount_two = vfs.mount("/sim/two/", two);
    open("/sim/one/t.db", {}).exec("CREATE TABLE a(n)");
    CHECK_FALSE(one.files().empty());
    CHECK(two.files().empty());
    SQLite::Database memory(":memory:", SQLite::OPEN_READWRITE);
    memory.exec("CREATE TEMP TABLE a(n); INSERT INTO a VALUES(1)");
    CHECK(sqlite3_vfs_find(nullptr)->zName == vfs.name());
}

TEST_CASE("an old image put back is what the next life finds") {
    CrashVfs vfs(1);
    CrashDisk disk(1);
    const auto mount = vfs.mount("/sim/", disk);
    write_until_it_fails({.transactions = 2});
    const DiskImage old = disk.image();
    write_until_it_fails({"WAL", "FULL", 0});
    open(path, {}).exec("DELETE FROM a; DELETE FROM b");
    REQUIRE(rows_found() == 0);
    disk.restore(old);
    CHECK(rows_found() == 2);
}

TEST_CASE("one seed, one disk, byte for byte; time and randomness are the VFS's") {
    const auto run = [](std::uint64_t seed) {
        CrashVfs vfs(seed);
        CrashDisk disk(seed);
        const auto mount = vfs.mount("/sim/", disk);
        vfs.set_wall_ms(1'700'000'000'000);
        write_until_it_fails({});
        SQLite::Database database = open(path, {});
        CHECK(database.execAndGet("SELECT datetime('now')").getString() == "2023-11-14 22:13:20");
        return disk.image();
    };
    CHECK(run(5) == run(5));
    CHECK(run(5) != run(6));
}

TEST_CASE("bit rot is seen by SQLite's own check") {
    CrashVfs vfs(1);
    CrashDisk disk(1);
    const auto mount = vfs.mount("/sim/", disk);
    write_until_it_fails({"DELETE", "FULL", 3});
    REQUIRE(rows_found() == 3);
    disk.flip_bits(path, 4096 + 3, 0xff);  // the cell count of the second page
    CHECK_FALSE(rows_found());
}
