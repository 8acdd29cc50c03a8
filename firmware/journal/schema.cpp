#include "firmware/journal/schema.hpp"

namespace pf::firmware::journal {

namespace {

// device      whose memory this is; one row.
// epoch       one life of the journal each, numbered in order. pruned_seq: events up to here may be
//             gone; pruned_head is the chain head there, so what follows can still be verified.
// event       append only. ticket is set for admissions (own uses are counted by it), grant_seq for
//             outcomes (which admission they end), latest_ms is the latest wall time of all events
//             so far in any epoch: the clock floor reads one row.
//             Few events tell of commands (9 command_done, 11 opened): an index finds those alone.
// waiting     admissions whose passage is awaited: written and removed with the events themselves.
// kept        admissions in the pruned range that stay because their ticket still lives.
constexpr const char* schema = R"sql(
CREATE TABLE device (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    id   TEXT NOT NULL
) STRICT;
CREATE TABLE epoch (
    ordinal     INTEGER PRIMARY KEY,
    epoch       BLOB NOT NULL UNIQUE CHECK (length(epoch) = 8),
    pruned_seq  INTEGER NOT NULL,
    pruned_head BLOB NOT NULL CHECK (length(pruned_head) = 32)
) STRICT;
CREATE TABLE event (
    ordinal   INTEGER NOT NULL REFERENCES epoch (ordinal),
    seq       INTEGER NOT NULL CHECK (seq >= 1),
    kind      INTEGER NOT NULL,
    clock     INTEGER NOT NULL,
    wall_ms   INTEGER NOT NULL,
    latest_ms INTEGER NOT NULL,
    ticket    BLOB CHECK (length(ticket) = 8),
    grant_seq INTEGER,
    event     BLOB NOT NULL,
    head      BLOB NOT NULL CHECK (length(head) = 32),
    PRIMARY KEY (ordinal, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX event_ticket ON event (ticket) WHERE ticket IS NOT NULL;
CREATE UNIQUE INDEX event_outcome ON event (ordinal, grant_seq) WHERE grant_seq IS NOT NULL;
CREATE INDEX event_command ON event (ordinal, seq) WHERE kind IN (9, 11);
CREATE TABLE waiting (
    ordinal INTEGER NOT NULL,
    seq     INTEGER NOT NULL,
    PRIMARY KEY (ordinal, seq)
) STRICT, WITHOUT ROWID;
CREATE TABLE kept (
    last_day INTEGER NOT NULL,
    ordinal  INTEGER NOT NULL,
    seq      INTEGER NOT NULL,
    PRIMARY KEY (last_day, ordinal, seq)
) STRICT, WITHOUT ROWID;
)sql";

}  // namespace

void create_schema(SQLite::Database& database) {
    database.exec(schema);
    sqlite::write_identity(database, file_identity);
}

}  // namespace pf::firmware::journal
