#include "firmware/sqlite/set_aside.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/support/crash_vfs.hpp"
#include "tests/support/temp_dir.hpp"

using namespace pf;
using namespace pf::firmware;

namespace {

void write(const std::string& path, const std::string& text) { std::ofstream{path} << text; }

std::string read(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream{path}.rdbuf();
    return text.str();
}

void create(const sqlite::Place& place) {
    SQLite::Database database{place.path, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE, 0,
                              place.vfs};
    database.exec("CREATE TABLE a (n INTEGER)");
}

}  // namespace

TEST_CASE("a file goes with its WAL, and its shared memory is gone") {
    const tests::TempDir dir;
    const std::string path = dir / "x.db";
    write(path, "database");
    write(path + "-wal", "wal");
    write(path + "-shm", "shm");
    const auto moved = sqlite::set_aside({path, ""});
    REQUIRE(moved.has_value());
    CHECK(*moved == path + ".damaged-1");
    CHECK(read(*moved) == "database");
    CHECK(read(*moved + "-wal") == "wal");
    CHECK_FALSE(std::filesystem::exists(path));
    CHECK_FALSE(std::filesystem::exists(path + "-wal"));
    CHECK_FALSE(std::filesystem::exists(path + "-shm"));
}

TEST_CASE("the first copy stays, the last is replaced with its WAL") {
    const tests::TempDir dir;
    const std::string path = dir / "x.db";
    for (const char* text : {"one", "two", "three"}) {
        write(path, text);
        if (std::string{text} == "two") write(path + "-wal", "wal of two");
        REQUIRE(sqlite::set_aside({path, ""}).has_value());
    }
    CHECK(read(path + ".damaged-1") == "one");
    CHECK(read(path + ".damaged-2") == "three");
    CHECK_FALSE(std::filesystem::exists(path + ".damaged-2-wal"));
}

TEST_CASE("what is not there can't be set aside") {
    const tests::TempDir dir;
    CHECK(sqlite::set_aside({dir / "x.db", ""}).error() == sqlite::Fault::io_error);
    CHECK(sqlite::set_aside({dir / "x.db", "no-such-vfs"}).error() == sqlite::Fault::io_error);
}

TEST_CASE("in a named VFS the bytes are copied, durably, and the original goes") {
    tests::CrashVfs vfs{1, "set-aside"};
    tests::CrashDisk disk{1};
    const auto mounted = vfs.mount("/sim/", disk);
    const sqlite::Place place{"/sim/x.db", vfs.name()};
    create(place);
    const Bytes content = disk.find(place.path)->content;
    const auto moved = sqlite::set_aside(place);
    REQUIRE(moved.has_value());
    tests::Rng rng{1};
    disk.power_cut(rng);
    CHECK_FALSE(disk.find(place.path));
    REQUIRE(disk.find(*moved));
    CHECK(disk.find(*moved)->content == content);
}

TEST_CASE("a full disk keeps the damaged original") {
    tests::CrashVfs vfs{1, "set-aside"};
    tests::CrashDisk disk{1};
    const auto mounted = vfs.mount("/sim/", disk);
    const sqlite::Place place{"/sim/x.db", vfs.name()};
    create(place);
    disk.set_capacity_bytes(disk.bytes_used() + 100);
    CHECK(sqlite::set_aside(place).error() == sqlite::Fault::disk_full);
    CHECK(disk.find(place.path));
}
