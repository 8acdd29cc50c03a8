#include "sync-server/store/migrate.hpp"

#include <soci/soci.h>

#include "sync-server/store/schema.hpp"

namespace pf::server::store {
namespace {

/// Statements end with ';' at the end of a line; a portable history needs no more parsing than
/// that.
std::vector<std::string> statements_of(const std::string& sql) {
    std::vector<std::string> out;
    std::string statement;
    std::size_t begin = 0;
    while (begin < sql.size()) {
        std::size_t end = sql.find('\n', begin);
        if (end == std::string::npos) end = sql.size();
        const std::string line = sql.substr(begin, end - begin);
        begin = end + 1;
        if (line.starts_with("--") || line.empty()) continue;
        statement += line + '\n';
        if (line.ends_with(';')) out.push_back(std::exchange(statement, {}));
    }
    if (!statement.empty()) throw std::logic_error{"a schema file ends without ';'"};
    return out;
}

}  // namespace

std::optional<Fault> migrate(soci::session& session, WallTime now, Dialect dialect) {
    session
        << "CREATE TABLE IF NOT EXISTS schema_step ("
           " number BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL, applied_ms BIGINT NOT NULL)";
    const std::vector<SchemaStep> steps = schema_steps();
    for (;;) {
        soci::transaction tx{session};
        if (dialect == Dialect::postgresql)
            session << "LOCK TABLE schema_step IN ACCESS EXCLUSIVE MODE";
        long long done = 0;
        session << "SELECT COALESCE(MAX(number), 0) FROM schema_step", soci::into(done);
        const auto next = static_cast<std::size_t>(done);
        // A release never runs on a schema it does not know: it could not keep that schema's
        // promises.
        if (next > steps.size()) return Fault::schema_newer;
        if (next == steps.size()) return std::nullopt;

        for (const std::string& statement : statements_of(steps[next].sql)) session << statement;
        const long long number = done + 1;
        const long long at = to_ms(now);
        session
            << "INSERT INTO schema_step (number, name, applied_ms) VALUES (:number, :name, :at)",
            soci::use(number), soci::use(steps[next].name), soci::use(at);
        tx.commit();
    }
}

}  // namespace pf::server::store
