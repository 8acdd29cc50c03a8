// The server opens its file through SOCI, which lets nobody choose a VFS: the default one must do.
// (A file of its own: soci-sqlite3.h and sqlite3.h cannot be included together.)
#include <doctest/doctest.h>
#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include "tests/support/crash_vfs.hpp"

TEST_CASE("a SOCI session with a plain file name lands on the simulated disk") {
    pf::tests::CrashVfs vfs(1);
    pf::tests::CrashDisk disk(1);
    const auto mount = vfs.mount("/sim/server/", disk);
    {
        soci::session session(soci::sqlite3, "dbname=/sim/server/paifang.db synchronous=full");
        session << "PRAGMA journal_mode=WAL";
        session << "CREATE TABLE a(n INTEGER)";
        session << "INSERT INTO a VALUES(1)";
        disk.cut_power();
        CHECK_THROWS_AS(session << "INSERT INTO a VALUES(2)", soci::soci_error);
    }
    pf::tests::Rng rng(1);
    disk.power_on(rng);
    soci::session session(soci::sqlite3, "dbname=/sim/server/paifang.db");
    int rows = 0;
    session << "SELECT count(*) FROM a", soci::into(rows);
    CHECK(rows == 1);
}
