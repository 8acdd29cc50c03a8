#include "sync-server/store/copy.hpp"

#include <fmt/format.h>
#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include <algorithm>
#include <deque>

#include "common/crypto/crypto.hpp"
#include "sync-server/store/postgres_sealer.hpp"
#include "sync-server/store/postgres_session.hpp"

namespace pf::server::store {
namespace {

constexpr std::size_t rows_an_insert = 50;
constexpr int rows_a_fetch = 1'000;

struct Column {
    std::string name;
    bool integer = false;
};
struct Table {
    std::string name;
    std::vector<Column> columns;
    std::string columns_text;  // a, b, c
    std::string key_text;      // the key's columns, in its order
};

/// One value with room for either type, at an address that stays.
struct Cell {
    long long number = 0;
    std::string text;
    soci::indicator indicator = soci::i_ok;
};
using Cells = std::deque<Cell>;

std::vector<Table> tables_of(soci::session& file) {
    std::vector<std::string> names(100);
    file << "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
            " AND name <> 'schema_step' ORDER BY name",
        soci::into(names);
    std::vector<Table> out;
    for (const std::string& name : names) {
        Table table{.name = name, .columns = {}, .columns_text = {}, .key_text = {}};
        std::vector<std::string> columns(100), types(100);
        std::vector<long long> keys(100);
        file << "SELECT name, type, pk FROM pragma_table_info('" << name << "') ORDER BY cid",
            soci::into(columns), soci::into(types), soci::into(keys);
        for (std::size_t i = 0; i < columns.size(); ++i) {
            table.columns.push_back({columns[i], types[i] == "BIGINT"});
            table.columns_text += (i == 0 ? "" : ", ") + columns[i];
        }
        for (std::size_t place = 1; place <= columns.size(); ++place)
            for (std::size_t i = 0; i < columns.size(); ++i)
                if (keys[i] == static_cast<long long>(place))
                    table.key_text += (table.key_text.empty() ? "" : ", ") + columns[i];
        out.push_back(std::move(table));
    }
    return out;
}

/// Reads rows one after another into the same cells.
class Reader {
public:
    Reader(soci::session& session, const Table& table, const std::string& sql)
        : cells(table.columns.size()), statement_{session} {
        for (std::size_t i = 0; i < cells.size(); ++i) {
            if (table.columns[i].integer)
                statement_.exchange(soci::into(cells[i].number, cells[i].indicator));
            else
                statement_.exchange(soci::into(cells[i].text, cells[i].indicator));
        }
        statement_.alloc();
        statement_.prepare(sql);
        statement_.define_and_bind();
        more_ = statement_.execute(true);
    }
    /// False: that was the last.
    bool next() {
        if (!std::exchange(first_, false) && more_) more_ = statement_.fetch();
        return more_;
    }
    Cells cells;

private:
    soci::statement statement_;
    bool first_ = true;
    bool more_ = false;
};

/// Counts rows and chains their digests: another row, value or order is another digest.
struct Tally {
    std::uint64_t rows = 0;
    Digest digest{};

    void add(const Table& table, const Cells& cells) {
        Bytes text{digest.begin(), digest.end()};
        for (std::size_t i = 0; i < cells.size(); ++i) {
            const bool null = cells[i].indicator == soci::i_null;
            const std::string value = null                       ? "-"
                                      : table.columns[i].integer ? std::to_string(cells[i].number)
                                                                 : cells[i].text;
            const std::string framed =
                fmt::format("{}{}:{}", null ? 'n' : 'v', value.size(), value);
            text.insert(text.end(), framed.begin(), framed.end());
        }
        digest = crypto::sha256(text);
        ++rows;
    }
    friend bool operator==(const Tally&, const Tally&) = default;
};

/// Several rows a statement: each costs a round trip.
class Inserter {
public:
    Inserter(soci::session& session, const Table& table, std::size_t rows)
        : table_{table}, rows_{rows}, cells_(rows * table.columns.size()), statement_{session} {
        std::string sql =
            fmt::format("INSERT INTO {} ({}) VALUES ", table.name, table.columns_text);
        std::size_t number = 0;
        for (std::size_t row = 0; row < rows; ++row) {
            sql += row == 0 ? "(" : ", (";
            for (std::size_t i = 0; i < table.columns.size(); ++i, ++number) {
                sql += fmt::format("{}:v{}", i == 0 ? "" : ", ", number);
                Cell& cell = cells_[number];
                if (table.columns[i].integer)
                    statement_.exchange(soci::use(cell.number, cell.indicator));
                else
                    statement_.exchange(soci::use(cell.text, cell.indicator));
            }
            sql += ")";
        }
        statement_.alloc();
        statement_.prepare(sql);
        statement_.define_and_bind();
    }
    void add(const Cells& row) {
        std::ranges::copy(
            row, cells_.begin() + static_cast<std::ptrdiff_t>(filled_ * table_.columns.size()));
        if (++filled_ < rows_) return;
        statement_.execute(true);
        filled_ = 0;
    }
    /// What did not fill a statement goes row by row.
    void finish(soci::session& session) {
        if (filled_ == 0) return;
        Inserter single{session, table_, 1};
        const auto width = static_cast<std::ptrdiff_t>(table_.columns.size());
        for (std::size_t row = 0; row < filled_; ++row) {
            const auto begin = cells_.begin() + static_cast<std::ptrdiff_t>(row) * width;
            single.add(Cells(begin, begin + width));
        }
        filled_ = 0;
    }

private:
    const Table& table_;
    std::size_t rows_;
    Cells cells_;
    soci::statement statement_;
    std::size_t filled_ = 0;
};

Tally copy_rows(soci::session& file, soci::session& server, const Table& table) {
    Tally tally;
    Inserter inserter{server, table, rows_an_insert};
    Reader reader{file, table,
                  fmt::format("SELECT {} FROM {} ORDER BY {}", table.columns_text, table.name,
                              table.key_text)};
    while (reader.next()) {
        tally.add(table, reader.cells);
        inserter.add(reader.cells);
    }
    inserter.finish(server);
    return tally;
}

/// Through a cursor: SOCI would take the whole table into memory.
Tally count_rows(soci::session& server, const Table& table) {
    Tally tally;
    server << fmt::format("DECLARE rows CURSOR FOR SELECT {} FROM {} ORDER BY {}",
                          table.columns_text, table.name, table.key_text);
    for (std::uint64_t before = 1; before != tally.rows;) {
        before = tally.rows;
        Reader reader{server, table, fmt::format("FETCH {} FROM rows", rows_a_fetch)};
        while (reader.next()) tally.add(table, reader.cells);
    }
    server << "CLOSE rows";
    return tally;
}

/// What a database holds that was only opened.
bool empty(soci::session& server, const std::vector<Table>& tables) {
    for (const Table& table : tables) {
        long long rows = 0;
        const char* besides =
            table.name == "meta" ? " WHERE name NOT LIKE 'generation%' AND name <> 'places'" : "";
        server << "SELECT COUNT(*) FROM " << table.name << besides, soci::into(rows);
        if (rows != 0) return false;
    }
    return true;
}

Result<std::vector<CopiedTable>, Fault> copy_all(soci::session& file, PostgresSession& server,
                                                 const Teller& tell) {
    const std::vector<Table> tables = tables_of(file);
    soci::session& to = server.session();
    std::vector<CopiedTable> out;
    to << "BEGIN";
    if (!empty(to, tables)) {
        tell("the database is not empty");
        return Fault::unsuitable;
    }
    to << "DELETE FROM meta";
    for (const Table& table : tables) {
        const Tally read = copy_rows(file, to, table);
        if (count_rows(to, table) != read) {
            tell("table " + table.name + " arrived differently");
            return Fault::failed;
        }
        out.push_back({table.name, read.rows, to_hex(read.digest)});
    }
    const std::string lock_row{Sealer::lock_row};
    const long long tenant = tenant_default;
    to << "INSERT INTO meta (tenant, name, value) VALUES (:t, :n, 'locked by the sealer')",
        soci::use(tenant), soci::use(lock_row);
    server.commit();
    to << "ANALYZE";
    return out;
}

}  // namespace

Result<std::vector<CopiedTable>, Fault> copy(const Store::Options& from, const Store::Options& to) {
    const Teller tell{to.tell};
    // Opened for its lock and its schema, both as for any server.
    const auto source = Store::open(from);
    if (source.has_error()) return source.error();
    if (const auto target = Store::open(to); target.has_error()) return target.error();
    std::unique_ptr<PostgresSession> server;
    try {
        soci::session file{soci::sqlite3, sqlite_target(from)};
        server =
            std::make_unique<PostgresSession>(with_defaults(to.database), to.prepare_on_server);
        Unless all{[&] { (void)server->roll_back(); }};
        auto copied = copy_all(file, *server, tell);
        if (copied.has_value()) all.well();
        return copied;
    } catch (const soci::soci_error& error) {
        tell(first_line(error.get_error_message()));
        return server ? server->diagnose(error).fault : Fault::unavailable;
    }
}

}  // namespace pf::server::store
