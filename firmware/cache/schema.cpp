#include "firmware/cache/schema.hpp"

namespace pf::firmware::cache {

namespace {

// list        the list in force per scope. sums: the 256 bucket sums of its rows.
// stage       an update under way; its rows are in a slot of their own, its sums are those the list
//             will have.
// row         rows of all lists and stages. Applying a snapshot only changes which slot is in
//             force; slots nobody names any more are removed in slices. A row without body deletes.
// use         grants of all devices as the server told them.
constexpr const char* schema = R"sql(
CREATE TABLE list (
    scope          INTEGER PRIMARY KEY,
    slot           INTEGER NOT NULL,
    generation     BLOB NOT NULL CHECK (length(generation) = 8),
    version        INTEGER NOT NULL,
    root           BLOB NOT NULL CHECK (length(root) = 32),
    fresh_until_ms INTEGER NOT NULL,
    row_count      INTEGER NOT NULL,
    sums           BLOB NOT NULL CHECK (length(sums) = 8192)
) STRICT;
CREATE TABLE stage (
    scope        INTEGER PRIMARY KEY,
    slot         INTEGER NOT NULL,
    what         INTEGER NOT NULL,
    generation   BLOB NOT NULL CHECK (length(generation) = 8),
    from_version INTEGER NOT NULL,
    to_version   INTEGER NOT NULL,
    bucket       INTEGER NOT NULL,
    after        BLOB NOT NULL,
    row_count    INTEGER NOT NULL,
    sums         BLOB NOT NULL CHECK (length(sums) = 8192)
) STRICT;
CREATE TABLE row (
    scope INTEGER NOT NULL,
    slot  INTEGER NOT NULL,
    key   BLOB NOT NULL,
    body  BLOB,
    PRIMARY KEY (scope, slot, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE use (
    device           TEXT NOT NULL,
    epoch            BLOB NOT NULL CHECK (length(epoch) = 8),
    seq              INTEGER NOT NULL,
    ticket           BLOB NOT NULL CHECK (length(ticket) = 8),
    product          INTEGER NOT NULL,
    day              INTEGER NOT NULL,
    last_day         INTEGER NOT NULL,
    persons          INTEGER NOT NULL,
    return_pending   INTEGER NOT NULL,
    at_ms            INTEGER NOT NULL,
    unseen           INTEGER NOT NULL,
    automatic_return INTEGER NOT NULL,
    PRIMARY KEY (device, epoch, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX use_ticket ON use (ticket);
CREATE INDEX use_last_day ON use (last_day);
CREATE TABLE document (
    type  INTEGER PRIMARY KEY,
    bytes BLOB NOT NULL
) STRICT;
CREATE TABLE confirmed (
    ordinal INTEGER PRIMARY KEY,
    epoch   BLOB NOT NULL UNIQUE CHECK (length(epoch) = 8),
    seq     INTEGER NOT NULL,
    head    BLOB NOT NULL CHECK (length(head) = 32)
) STRICT;
CREATE TABLE command (
    id         BLOB PRIMARY KEY CHECK (length(id) = 16),
    expires_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX command_expires ON command (expires_ms);
CREATE TABLE number (
    name  TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE position (
    only                 INTEGER PRIMARY KEY CHECK (only = 1),
    uses_generation      BLOB NOT NULL CHECK (length(uses_generation) = 8),
    uses_position        INTEGER NOT NULL,
    confirmed_generation BLOB NOT NULL CHECK (length(confirmed_generation) = 8)
) STRICT;
INSERT INTO position VALUES (1, zeroblob(8), 0, zeroblob(8));
)sql";

}  // namespace

void create_schema(SQLite::Database& database) {
    database.exec(schema);
    sqlite::write_identity(database, file_identity);
}

}  // namespace pf::firmware::cache
