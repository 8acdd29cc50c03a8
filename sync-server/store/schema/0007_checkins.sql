-- One row a grant. position: its place in the site's log of uses; a change moves it to the end.
-- booked: its first place, which never changes. how: of the outcome, null until it arrives.
CREATE TABLE checkin (
    tenant            BIGINT NOT NULL,
    device            TEXT   NOT NULL,
    epoch             TEXT   NOT NULL,
    seq               BIGINT NOT NULL,
    site              BIGINT NOT NULL,
    position          BIGINT NOT NULL,
    booked            BIGINT NOT NULL,
    ticket            TEXT   NOT NULL,
    ticket_generation BIGINT NOT NULL,
    product           BIGINT NOT NULL,
    point             BIGINT NOT NULL,
    day               BIGINT NOT NULL,
    last_day          BIGINT NOT NULL,
    granted           BIGINT NOT NULL,
    passed            BIGINT NOT NULL,
    returned          BIGINT NOT NULL,
    person_type       BIGINT NOT NULL,
    carrier           BIGINT NOT NULL,
    flags             BIGINT NOT NULL,
    awaits_passage    BIGINT NOT NULL,
    how               BIGINT,
    at_ms             BIGINT NOT NULL,
    received_ms       BIGINT NOT NULL,
    PRIMARY KEY (tenant, device, epoch, seq)
);
CREATE UNIQUE INDEX checkin_log ON checkin (tenant, site, position);
CREATE INDEX checkin_by_ticket ON checkin (tenant, ticket, booked);
CREATE TABLE checkin_position (
    tenant   BIGINT NOT NULL,
    site     BIGINT NOT NULL,
    position BIGINT NOT NULL,
    PRIMARY KEY (tenant, site)
);
-- What tickets allow, told by sales. scope: 0 validity, 1 day.
CREATE TABLE ticket_quota (
    tenant   BIGINT NOT NULL,
    ticket   TEXT   NOT NULL,
    site     BIGINT NOT NULL,
    product  BIGINT NOT NULL,
    persons  BIGINT NOT NULL,
    entries  BIGINT NOT NULL,
    scope    BIGINT NOT NULL,
    last_day BIGINT NOT NULL,
    PRIMARY KEY (tenant, ticket, site, product)
);
-- From refused_ms on, generations below refused_below may not be admitted.
CREATE TABLE ticket_refused (
    tenant        BIGINT NOT NULL,
    ticket        TEXT   NOT NULL,
    refused_below BIGINT NOT NULL,
    refused_ms    BIGINT NOT NULL,
    PRIMARY KEY (tenant, ticket, refused_below)
);
