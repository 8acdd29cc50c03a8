#pragma once
// Inside the room: one connection to PostgreSQL, and what its errors mean.
#include <soci/soci.h>

#include <memory>
#include <string>

#include "sync-server/store/engine.hpp"
#include "sync-server/store/repositories.hpp"

namespace pf::server::store {

/// What to do about an error inside a transaction.
enum class Ending : std::uint8_t {
    restart = 1,  // others were first: run it again
    duplicate,    // a key that is there: others were first, or a bug
    lost,         // the connection ended; before COMMIT nothing was kept
    fault,        // it failed, and would again
};
struct Diagnosis {
    Ending ending = Ending::fault;
    Fault fault = Fault::failed;
};

class PostgresSession {
public:
    /// Connects; throws soci_error. `url` as in Store::Options.
    PostgresSession(const std::string& url, bool prepare_on_server);

    soci::session& session() noexcept { return session_; }
    Bundle& bundle();
    Repositories& repositories() { return bundle().repositories(); }

    void begin_write();  // SERIALIZABLE
    void begin_read();   // REPEATABLE READ READ ONLY
    void begin_seal();   // READ COMMITTED: sees what was committed while it waited
    /// Throws also when the transaction is one PostgreSQL only waits to roll back: it would answer
    /// COMMIT with a ROLLBACK and call that a success.
    void commit();
    /// False: the connection is of no use any more.
    bool roll_back() noexcept;

    Diagnosis diagnose(const soci::soci_error& error) const;
    bool connected() const noexcept;
    bool prepares_on_server() const noexcept { return prepare_on_server_; }

private:
    soci::session session_;
    bool prepare_on_server_;
    std::unique_ptr<Bundle> bundle_;  // after the schema is there
};

/// The url with what a server needs that must notice a dead peer, where it does not say itself.
std::string with_defaults(std::string url);
/// Nothing: the database can keep what this server promises. Else why it can't.
std::optional<std::string> unsuitable(PostgresSession& connection);
/// What may be said about a failed connect: libpq's own words, without the password.
std::string connect_trouble(const soci::soci_error& error);

}  // namespace pf::server::store
