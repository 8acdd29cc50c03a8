#include "tests/support/database/database.hpp"

#include <libpq-fe.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <sstream>
#include <vector>

namespace pf::tests {
namespace {

std::atomic<unsigned> databases{0};

struct Closer {
    void operator()(PGconn* connection) const { PQfinish(connection); }
    void operator()(PGresult* result) const { PQclear(result); }
    void operator()(sqlite3* file) const { sqlite3_close(file); }
};

std::optional<std::string> on_server(const std::string& database, const std::string& sql) {
    const std::unique_ptr<PGconn, Closer> connection{
        PQconnectdb(postgres_address(database).c_str())};
    if (PQstatus(connection.get()) != CONNECTION_OK)
        throw std::runtime_error{PQerrorMessage(connection.get())};
    PQsetNoticeProcessor(
        connection.get(), [](void*, const char*) {}, nullptr);
    const std::unique_ptr<PGresult, Closer> result{PQexec(connection.get(), sql.c_str())};
    const auto status = PQresultStatus(result.get());
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        throw std::runtime_error{PQerrorMessage(connection.get())};
    if (PQntuples(result.get()) == 0 || PQgetisnull(result.get(), 0, 0) == 1) return std::nullopt;
    return std::string{PQgetvalue(result.get(), 0, 0)};
}

std::optional<std::string> on_file(const std::string& file, const std::string& sql) {
    sqlite3* opened = nullptr;
    const int code = sqlite3_open(file.c_str(), &opened);
    const std::unique_ptr<sqlite3, Closer> database{opened};
    if (code != SQLITE_OK) throw std::runtime_error{"no SQLite file: " + file};
    std::optional<std::string> first;
    const auto take = [](void* out, int columns, char** values, char**) {
        auto& into = *static_cast<std::optional<std::string>*>(out);
        if (!into && columns > 0 && values[0] != nullptr) into = values[0];
        return 0;
    };
    if (sqlite3_exec(database.get(), sql.c_str(), take, &first, nullptr) != SQLITE_OK)
        throw std::runtime_error{sqlite3_errmsg(database.get())};
    return first;
}

constexpr const char* maintenance = "postgres";
constexpr const char* saved = "_saved";
constexpr const char* empty_ones =
    " TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'";

}  // namespace

std::string postgres_address(const std::string& database) {
    const char* file = ::getenv("PAIFANG_POSTGRES");
    std::string address;
    if (file != nullptr) std::getline(std::ifstream{file} >> std::ws, address);
    if (address.empty()) throw std::runtime_error{"PAIFANG_POSTGRES names no address"};
    // postgresql:///?host=…: the database's name goes before the parameters.
    const std::size_t parameters = address.find('?');
    return address.substr(0, parameters) + database + address.substr(parameters);
}

bool Database::on_postgres() { return ::getenv("PAIFANG_POSTGRES") != nullptr; }

bool Database::pooled() { return ::getenv("PAIFANG_POOLED") != nullptr; }

namespace {

/// Databases of this process that nobody has just now. Making one takes long, emptying one does
/// not.
struct Spare {
    std::mutex mutex;
    std::vector<std::string> names;

    ~Spare() {
        for (const std::string& name : names) drop(name);
    }
    static void drop(const std::string& name) {
        try {
            on_server(maintenance, "DROP DATABASE IF EXISTS " + name + " WITH (FORCE)");
        } catch (const std::runtime_error&) {
            // The server of the tests is thrown away whole.
        }
    }
    std::optional<std::string> take() {
        const std::lock_guard guard{mutex};
        if (names.empty()) return std::nullopt;
        std::string name = std::move(names.back());
        names.pop_back();
        return name;
    }
};
Spare spare;

constexpr const char* empty_all =
    "DO $$ DECLARE names text; BEGIN"
    " SELECT string_agg(format('%I', tablename), ', ') INTO names FROM pg_tables"
    " WHERE schemaname = 'public' AND tablename <> 'schema_step';"
    " IF names IS NOT NULL THEN EXECUTE 'TRUNCATE ' || names; END IF; END $$";

}  // namespace

Database::Database() {
    if (!on_postgres()) return;
    if (auto name = spare.take()) {
        name_ = std::move(*name);
        run(empty_all);
        soiled_ = false;
        return;
    }
    name_ = "paifang_" + std::to_string(::getpid()) + "_" + std::to_string(++databases);
    on_server(maintenance, "CREATE DATABASE " + name_ + empty_ones);
}

Database::~Database() {
    if (!on_postgres()) return;
    if (!soiled_) {
        const std::lock_guard guard{spare.mutex};
        spare.names.push_back(name_);
        return;
    }
    for (const char* suffix : {"", saved}) Spare::drop(name_ + suffix);
}

std::string Database::where() const {
    return on_postgres() ? postgres_address(name_) : folder_ / "server.db";
}

std::optional<std::string> Database::ask(const std::string& sql) const {
    soiled_ = true;  // it may hold what emptying the tables does not take away
    return on_postgres() ? on_server(name_, sql) : on_file(where(), sql);
}

void Database::run(const std::string& sql) const { (void)ask(sql); }

bool Database::holds(const std::string& text) const {
    if (on_postgres()) {
        std::string quoted;
        for (const char c : text) quoted += c == '\'' ? "''" : std::string(1, c);
        return ask("SELECT bool_or(position('" + quoted +
                   "' IN query_to_xml(format('SELECT * FROM %I', tablename), true, false, "
                   "'')::text)"
                   " > 0) FROM pg_tables WHERE schemaname = 'public'") == "t";
    }
    for (const auto& file : std::filesystem::directory_iterator{folder_.path()}) {
        std::ostringstream content;
        content << std::ifstream{file.path(), std::ios::binary}.rdbuf();
        if (content.str().find(text) != std::string::npos) return true;
    }
    return false;
}

void Database::save() const {
    soiled_ = true;
    if (on_postgres()) {
        on_server(maintenance, "DROP DATABASE IF EXISTS " + name_ + saved + " WITH (FORCE)");
        on_server(maintenance, "CREATE DATABASE " + name_ + saved + " TEMPLATE " + name_);
        return;
    }
    std::filesystem::copy_file(where(), where() + saved,
                               std::filesystem::copy_options::overwrite_existing);
}

void Database::restore() const {
    soiled_ = true;
    if (on_postgres()) {
        on_server(maintenance, "DROP DATABASE " + name_ + " WITH (FORCE)");
        on_server(maintenance, "CREATE DATABASE " + name_ + " TEMPLATE " + name_ + saved);
        return;
    }
    for (const char* beside : {"-wal", "-shm"}) std::filesystem::remove(where() + beside);
    std::filesystem::copy_file(where() + saved, where(),
                               std::filesystem::copy_options::overwrite_existing);
}

void Database::make_again(const std::string& options) const {
    soiled_ = true;
    on_server(maintenance, "DROP DATABASE " + name_ + " WITH (FORCE)");
    on_server(maintenance, "CREATE DATABASE " + name_ + options);
}

}  // namespace pf::tests
