#include "firmware/sqlite/database.hpp"

#include <doctest/doctest.h>

#include <filesystem>

#include "firmware/sqlite/statement.hpp"
#include "tests/support/temp_dir.hpp"

using namespace pf;
using namespace pf::firmware;

namespace {

constexpr sqlite::Identity identity{0x50460001, 1};

void make(const std::string& path) {
    auto writer = sqlite::open_writer({path, ""}, identity);
    REQUIRE(writer.has_value());
    REQUIRE(writer->fresh);
    writer->database->exec("CREATE TABLE a (n INTEGER)");
    sqlite::write_identity(*writer->database, identity);
}

std::int64_t pragma(SQLite::Database& database, const std::string& name) {
    return database.execAndGet("PRAGMA " + name).getInt64();
}

}  // namespace

TEST_CASE("the writing connection is durable, and its file says what it is") {
    const tests::TempDir dir;
    make(dir / "x.db");
    auto writer = sqlite::open_writer({dir / "x.db", ""}, identity);
    REQUIRE(writer.has_value());
    CHECK_FALSE(writer->fresh);
    SQLite::Database& database = *writer->database;
    CHECK(database.execAndGet("PRAGMA journal_mode").getString() == "wal");
    CHECK(pragma(database, "synchronous") == 2);
    CHECK(pragma(database, "foreign_keys") == 1);
    CHECK(pragma(database, "mmap_size") == 0);
    CHECK(pragma(database, "application_id") == identity.application);
}

TEST_CASE("a reader can't write and leaves the WAL where it is") {
    const tests::TempDir dir;
    const std::string path = dir / "x.db";
    make(path);
    auto writer = sqlite::open_writer({path, ""}, identity);
    REQUIRE(writer.has_value());
    writer->database->exec("INSERT INTO a VALUES (1)");
    const auto size = std::filesystem::file_size(path + "-wal");
    {
        auto reader = sqlite::open_reader({path, ""}, identity);
        REQUIRE(reader.has_value());
        CHECK((*reader)->execAndGet("SELECT count(*) FROM a").getInt64() == 1);
        CHECK_THROWS_AS((*reader)->exec("INSERT INTO a VALUES (2)"), SQLite::Exception);
    }
    CHECK(std::filesystem::file_size(path + "-wal") == size);
}

TEST_CASE("a place that does not exist is a failure of the world") {
    const tests::TempDir dir;
    CHECK(sqlite::open_writer({dir / "none/x.db", ""}, identity).error() ==
          sqlite::Fault::io_error);
    CHECK(sqlite::open_reader({dir / "x.db", ""}, identity).error() == sqlite::Fault::io_error);
}

TEST_CASE("what is bound is what is read") {
    SQLite::Database database{":memory:", SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE};
    SQLite::Statement echo{database, "SELECT ?1, ?2, ?3, ?4, typeof(?5), typeof(?6)"};
    sqlite::Run run{
        echo,    std::int64_t{-5},      std::string{"a\0b", 3}, Bytes{0, 1, 255}, std::uint8_t{255},
        Bytes{}, std::optional<Bytes>{}};
    REQUIRE(run.row());
    CHECK(run.integer(0) == -5);
    CHECK(run.text(1) == std::string{"a\0b", 3});
    CHECK(run.bytes(2) == Bytes{0, 1, 255});
    CHECK(run.counter(3) == 255);
    CHECK(run.text(4) == "blob");  // empty bytes are not NULL
    CHECK(run.text(5) == "null");
}

TEST_CASE("a statement left half way holds no read transaction") {
    SQLite::Database database{":memory:", SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE};
    SQLite::Statement two{database, "SELECT 1 UNION ALL SELECT 2"};
    CHECK(sqlite::Run{two}.row());
    sqlite::Run again{two};
    CHECK(again.row());
    CHECK(again.integer(0) == 1);
}

TEST_CASE("the files are their owner's alone, also those made before") {
    namespace fs = std::filesystem;
    const tests::TempDir dir;
    const std::string path = dir / "x.db";
    make(path);
    const auto everybody = fs::perms::owner_read | fs::perms::owner_write | fs::perms::group_read |
                           fs::perms::others_read;
    fs::permissions(path, everybody);
    auto writer = sqlite::open_writer({path, ""}, identity);
    REQUIRE(writer.has_value());
    writer->database->exec("INSERT INTO a VALUES (1)");
    int files = 0;
    for (const auto& file : fs::directory_iterator{dir.path()}) {
        CAPTURE(file.path().string());
        CHECK(file.status().permissions() == (fs::perms::owner_read | fs::perms::owner_write));
        ++files;
    }
    CHECK(files == 4);  // database, WAL, shared memory, lock
}
