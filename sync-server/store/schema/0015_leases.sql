-- Servers that share this database. One row a run of the program; alive while until_ms is ahead of the
-- database's clock. seat: the number of its name at the broker.
CREATE TABLE server_process (
    tenant    BIGINT NOT NULL,
    life      TEXT   NOT NULL,
    name      TEXT   NOT NULL,
    seat      BIGINT NOT NULL,
    managed   BIGINT NOT NULL,
    joined_ms BIGINT NOT NULL,
    until_ms  BIGINT NOT NULL,
    PRIMARY KEY (tenant, life)
);
CREATE UNIQUE INDEX server_process_by_seat ON server_process (tenant, seat);
-- What one server does at a time: 0 to 15 a partition of devices, 16 the house. life empty: nobody. token
-- rises with every holder and never falls. A renewal does not touch this row: every transaction of a
-- partition reads it.
CREATE TABLE lease (
    tenant BIGINT NOT NULL,
    part   BIGINT NOT NULL,
    life   TEXT   NOT NULL,
    token  BIGINT NOT NULL,
    PRIMARY KEY (tenant, part)
);
