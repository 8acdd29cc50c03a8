-- Sites, the keys of sites and tickets (sealed under the master key), devices and what they were told.
CREATE TABLE site (
    tenant         BIGINT NOT NULL,
    site           BIGINT NOT NULL,
    name_zh        TEXT   NOT NULL,
    name_en        TEXT   NOT NULL,
    utc_offset_min BIGINT NOT NULL,
    day_begins_min BIGINT NOT NULL,
    PRIMARY KEY (tenant, site)
);
-- kind: authority, carrier, holder. number rises; the newest of a kind is in use.
CREATE TABLE site_key (
    tenant     BIGINT NOT NULL,
    site       BIGINT NOT NULL,
    kind       TEXT   NOT NULL,
    number     BIGINT NOT NULL,
    sealed     TEXT   NOT NULL,
    created_ms BIGINT NOT NULL,
    PRIMARY KEY (tenant, site, kind, number)
);
CREATE TABLE ticket_key (
    tenant     BIGINT NOT NULL,
    number     BIGINT NOT NULL,
    point      TEXT   NOT NULL,
    sealed     TEXT   NOT NULL,
    created_ms BIGINT NOT NULL,
    PRIMARY KEY (tenant, number)
);
CREATE TABLE device (
    tenant          BIGINT NOT NULL,
    device          TEXT   NOT NULL,
    site            BIGINT NOT NULL,
    partition       BIGINT NOT NULL,
    state           BIGINT NOT NULL,
    point           TEXT,
    certificate_until_ms BIGINT,
    last_heard_ms   BIGINT,
    connected       BIGINT NOT NULL,
    connect_counter BIGINT NOT NULL,
    firmware        TEXT   NOT NULL,
    clock           BIGINT NOT NULL,
    PRIMARY KEY (tenant, device)
);
CREATE INDEX device_by_site ON device (tenant, site);
-- Remote coding with its history: the highest version is in force.
CREATE TABLE device_configuration (
    tenant     BIGINT NOT NULL,
    device     TEXT   NOT NULL,
    version    BIGINT NOT NULL,
    body       TEXT   NOT NULL,
    changed_by TEXT   NOT NULL,
    changed_ms BIGINT NOT NULL,
    PRIMARY KEY (tenant, device, version)
);
-- Only a hash of the code: who reads the database can't pair.
CREATE TABLE pairing_code (
    tenant     BIGINT NOT NULL,
    code_hash  TEXT   NOT NULL,
    device     TEXT   NOT NULL,
    expires_ms BIGINT NOT NULL,
    used_ms    BIGINT,
    PRIMARY KEY (tenant, code_hash)
);
CREATE TABLE certificate (
    tenant     BIGINT NOT NULL,
    serial     TEXT   NOT NULL,
    device     TEXT   NOT NULL,
    until_ms   BIGINT NOT NULL,
    revoked_ms BIGINT,
    PRIMARY KEY (tenant, serial)
);
CREATE INDEX certificate_by_device ON certificate (tenant, device);
CREATE TABLE command (
    tenant     BIGINT NOT NULL,
    command    TEXT   NOT NULL,
    device     TEXT   NOT NULL,
    body       TEXT   NOT NULL,
    state      BIGINT,
    detail     TEXT   NOT NULL,
    issued_ms  BIGINT NOT NULL,
    expires_ms BIGINT NOT NULL,
    PRIMARY KEY (tenant, command)
);
CREATE INDEX command_by_device ON command (tenant, device, expires_ms);
-- Every key a device ever had: the journal of a replaced board is still signed with its own.
CREATE TABLE device_key (
    tenant  BIGINT NOT NULL,
    device  TEXT   NOT NULL,
    point   TEXT   NOT NULL,
    from_ms BIGINT NOT NULL,
    PRIMARY KEY (tenant, device, point)
);
