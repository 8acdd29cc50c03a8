#include "sync-server/store/postgres_session.hpp"

#include <soci/postgresql/soci-postgresql.h>

namespace pf::server::store {
namespace {

PGconn* connection_of(soci::session& session) {
    return static_cast<soci::postgresql_session_backend*>(session.get_backend())->conn_;
}

/// Sent with BEGIN, in one round trip, and for this transaction alone, so that a pooler may sit in
/// between. Every statement here asks by key; a planner that has not seen a table grow yet reads it
/// whole, and under SERIALIZABLE who reads a table whole conflicts with everybody who writes to it.
/// A process that was stopped must not hold what others wait for: as long as its lease.
constexpr std::string_view manners =
    "; SET LOCAL enable_seqscan = off"
    "; SET LOCAL idle_in_transaction_session_timeout = '10s'";

/// Appendix A of PostgreSQL's manual; a class is the first two characters.
Diagnosis meaning_of(std::string_view state) {
    if (state == "40001" || state == "40P01") return {Ending::restart, Fault::busy};
    if (state == "55P03") return {Ending::fault, Fault::busy};  // Sql::wait_at_most
    if (state == "23505") return {Ending::duplicate, Fault::failed};
    const std::string_view of = state.substr(0, 2);
    // 57P: shut down, crashed, starting; 25006: a standby after a failover; 08: the wire.
    if (of == "08" || state.substr(0, 3) == "57P" || state == "25006")
        return {Ending::lost, Fault::unavailable};
    if (state == "53100") return {Ending::fault, Fault::disk_full};
    if (of == "53") return {Ending::fault, Fault::unavailable};  // memory, connections
    if (of == "58") return {Ending::fault, Fault::io_error};
    if (state == "XX001" || state == "XX002") return {Ending::fault, Fault::damaged};
    return {Ending::fault, Fault::failed};
}

}  // namespace

PostgresSession::PostgresSession(const std::string& url, bool prepare_on_server)
    : session_{soci::postgresql, url}, prepare_on_server_{prepare_on_server} {
    // libpq would print the server's notices to standard error, past the log.
    PQsetNoticeProcessor(
        connection_of(session_), [](void*, const char*) {}, nullptr);
}

Bundle& PostgresSession::bundle() {
    if (!bundle_)
        bundle_ = std::make_unique<Bundle>(
            session_, tenant_default,
            Sql::Manner{.dialect = Dialect::postgresql, .prepare_on_server = prepare_on_server_});
    return *bundle_;
}

void PostgresSession::begin_write() { session_ << "BEGIN ISOLATION LEVEL SERIALIZABLE" << manners; }
void PostgresSession::begin_read() {
    session_ << "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" << manners;
}
void PostgresSession::begin_seal() {
    session_ << "BEGIN ISOLATION LEVEL READ COMMITTED" << manners;
}

void PostgresSession::commit() {
    if (PQtransactionStatus(connection_of(session_)) == PQTRANS_INERROR)
        throw soci::postgresql_soci_error{"an error in this transaction was passed over", "25P02"};
    session_ << "COMMIT";
}

bool PostgresSession::roll_back() noexcept {
    try {
        if (PQtransactionStatus(connection_of(session_)) != PQTRANS_IDLE) session_ << "ROLLBACK";
        if (bundle_) {
            bundle_->sql().forget_broken();
            (void)bundle_->sql().take_unplaced();
        }
        return PQtransactionStatus(connection_of(session_)) == PQTRANS_IDLE;
    } catch (const std::exception&) {
        return false;
    }
}

bool PostgresSession::connected() const noexcept {
    return PQstatus(static_cast<const soci::postgresql_session_backend*>(
                        const_cast<soci::session&>(session_).get_backend())
                        ->conn_) == CONNECTION_OK;
}

Diagnosis PostgresSession::diagnose(const soci::soci_error& error) const {
    const auto* known = dynamic_cast<const soci::postgresql_soci_error*>(&error);
    if (!connected()) return {Ending::lost, Fault::unavailable};
    if (known == nullptr) return {Ending::fault, Fault::failed};
    return meaning_of(known->sqlstate());
}

std::string with_defaults(std::string url) {
    struct Default {
        std::string_view name, value;
    };
    // read-write: of several hosts named, the one that is not a standby.
    constexpr Default defaults[] = {{"connect_timeout", "5"},
                                    {"tcp_user_timeout", "10000"},
                                    {"keepalives_idle", "10"},
                                    {"application_name", "paifang-server"},
                                    {"target_session_attrs", "read-write"}};
    for (const auto& [name, value] : defaults) {
        const std::size_t parameters = url.find('?');
        if (parameters != std::string::npos &&
            url.find(std::string{name} + "=", parameters) != std::string::npos)
            continue;
        url += parameters == std::string::npos ? '?' : '&';
        url += std::string{name} + "=" + std::string{value};
    }
    return url;
}

std::optional<std::string> unsuitable(PostgresSession& connection) {
    soci::session& session = connection.session();
    // A pooler tells another process id than the server that works for it. One that pools
    // transactions would run another client's statement under the name of ours.
    long long worker = 0;
    session << "SELECT pg_backend_pid()", soci::into(worker);
    if (connection.prepares_on_server() && worker != PQbackendPID(connection_of(session)))
        return "there is a connection pooler in between: set `database.prepare` to false";
    std::string collation, encoding, synchronous;
    long long bytewise = 0;
    session
        << "SELECT datcollate, CASE WHEN 'B' < 'a' AND 'a-b' < 'aa' AND 'z' < '黄' THEN 1 ELSE 0"
           " END FROM pg_database WHERE datname = current_database()",
        soci::into(collation), soci::into(bytewise);
    session << "SHOW server_encoding", soci::into(encoding);
    session << "SHOW synchronous_commit", soci::into(synchronous);
    // Text keys are compared bytewise (docs/adr/0006), in the statements and in pages of answers.
    if (bytewise == 0)
        return "the database sorts words, not bytes (" + collation +
               "): make it with TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'";
    if (encoding != "UTF8")
        return "the database's encoding is " + encoding + ": make it with ENCODING 'UTF8'";
    // Acknowledgements promise durability (invariant 2).
    if (synchronous == "off")
        return "synchronous_commit is off for this database: a crash would lose what was promised";
    return std::nullopt;
}

std::string connect_trouble(const soci::soci_error& error) {
    std::string text = error.get_error_message();
    for (char& c : text)
        if (c == '\n') c = ' ';
    // Of a url it can't read libpq quotes the piece in question, which may be the password.
    if (text.find("URI") != std::string::npos || text.find("percent-encoded") != std::string::npos)
        return "the address can't be read as postgresql://user:password@host:port/database";
    return text;
}

}  // namespace pf::server::store
