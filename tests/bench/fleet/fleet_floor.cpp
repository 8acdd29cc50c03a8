// Answers on its standard output, one line of JSON for each line it is told:
//   trip          {"us"}: a QoS 1 round trip through a broker like the product's, and one durable
//   commit list CACHE    {"rows", "bytes"}: reads the tickets of a device's cache, as pages of the
//   wire transfer      {"us"}: those pages from server to device through that broker insert {"us"}:
//   those rows into a new database, a transaction a page
#include <SQLiteCpp/SQLiteCpp.h>

#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>

#include "common/wire/messages.hpp"
#include "tests/bench/fleet/floor_broker.hpp"
#include "tests/bench/row.hpp"

using namespace pf;
using nlohmann::json;

namespace {

class Floor {
public:
    json trip() {
        return timed([&] {
            broker_.round_trip();
            commit_.exec();
            commit_.reset();
        });
    }
    json list(const std::string& cache) {
        pages_.clear();
        payloads_.clear();
        SQLite::Database database{cache, SQLite::OPEN_READONLY, 2'000};
        SQLite::Statement rows{database,
                               "SELECT key, body FROM row WHERE scope = 2 AND slot ="
                               " (SELECT slot FROM list WHERE scope = 2) ORDER BY key"};
        wire::Chunk page;
        wire::ChunkRoom room;
        std::size_t count = 0;
        while (rows.executeStep()) {
            wire::ListRow row{.key = bytes(rows.getColumn(0)), .body = bytes(rows.getColumn(1))};
            if (!room.take(row)) {
                keep(page);
                room = {};
                bench::require(room.take(row), "a page holds a row");
            }
            page.rows.push_back(std::move(row));
            ++count;
        }
        keep(page);
        std::size_t size = 0;
        for (const Bytes& payload : payloads_) size += payload.size();
        return {{"rows", count}, {"bytes", size}, {"pages", pages_.size()}};
    }
    json transfer() {
        return timed([&] { broker_.transfer(payloads_); });
    }
    json insert() {
        const std::string path = folder_ / "insert.db";
        for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(path + suffix);
        return timed([&] {
            SQLite::Database database{path, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE};
            database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;");
            database.exec("CREATE TABLE row (key BLOB PRIMARY KEY, body BLOB) WITHOUT ROWID");
            SQLite::Statement insert{database, "INSERT INTO row VALUES (?1, ?2)"};
            for (const wire::Chunk& page : pages_) {
                SQLite::Transaction transaction{database};
                for (const wire::ListRow& row : page.rows) {
                    insert.bindNoCopy(1, row.key.data(), static_cast<int>(row.key.size()));
                    insert.bindNoCopy(2, row.body->data(), static_cast<int>(row.body->size()));
                    insert.exec();
                    insert.reset();
                }
                transaction.commit();
            }
            // The last one waits for the disk, and all before it with it.
            database.exec("PRAGMA synchronous = FULL; CREATE TABLE last (only INTEGER)");
        });
    }

private:
    static json timed(const std::function<void()>& work) {
        return {{"us", bench::median_us(1, work)}};
    }
    static Bytes bytes(const SQLite::Column& column) {
        const auto* const data = static_cast<const Byte*>(column.getBlob());
        return {data, data + column.getBytes()};
    }
    void keep(wire::Chunk& page) {
        page.what = wire::Want::What::snapshot;
        page.scope = wire::ListScope::tickets;
        page.to_version = 1;
        payloads_.push_back(wire::encode(page));
        pages_.push_back(std::exchange(page, {}));
    }
    static SQLite::Database& durable(SQLite::Database& database) {
        database.exec(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
            "CREATE TABLE event (seq INTEGER PRIMARY KEY, event BLOB NOT NULL)");
        return database;
    }

    tests::TempDir folder_;
    bench::FloorBroker broker_;
    SQLite::Database database_{folder_ / "commit.db", SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE};
    SQLite::Statement commit_{durable(database_),
                              "INSERT INTO event (event) VALUES (randomblob(120))"};
    std::vector<wire::Chunk> pages_;
    std::vector<Bytes> payloads_;
};

}  // namespace

int main() {
    Floor floor;
    for (std::string line; std::getline(std::cin, line);) {
        const auto blank = line.find(' ');
        const std::string word = line.substr(0, blank);
        json answer{{"wrong", line}};
        if (word == "trip") answer = floor.trip();
        if (word == "list") answer = floor.list(line.substr(blank + 1));
        if (word == "transfer") answer = floor.transfer();
        if (word == "insert") answer = floor.insert();
        std::cout << answer.dump() << std::endl;
    }
    return 0;
}
