-- Journals as they arrived. epoch: the name it is stored under; a fork's branch has one of its own,
-- its origin is the epoch the device says. A chain holds the events after base_seq; those before
-- are its parent's.
CREATE TABLE journal_chain (
    tenant   BIGINT NOT NULL,
    device   TEXT   NOT NULL,
    epoch    TEXT   NOT NULL,
    origin   TEXT   NOT NULL,
    parent   TEXT   NOT NULL,
    base_seq BIGINT NOT NULL,
    end_seq  BIGINT NOT NULL,
    end_head TEXT   NOT NULL,
    PRIMARY KEY (tenant, device, epoch)
);
CREATE INDEX journal_chain_by_origin ON journal_chain (tenant, device, origin);
-- head: of the chain after this event. position: order of arrival over all devices. verdict: of the
-- ack.
CREATE TABLE journal_event (
    tenant      BIGINT NOT NULL,
    device      TEXT   NOT NULL,
    epoch       TEXT   NOT NULL,
    seq         BIGINT NOT NULL,
    head        TEXT   NOT NULL,
    body        TEXT   NOT NULL,
    verdict     BIGINT,
    received_ms BIGINT NOT NULL,
    position    BIGINT NOT NULL,
    PRIMARY KEY (tenant, device, epoch, seq)
);
CREATE UNIQUE INDEX journal_event_by_position ON journal_event (tenant, position);
-- What nobody may book, kept for people.
CREATE TABLE quarantine (
    tenant      BIGINT NOT NULL,
    number      BIGINT NOT NULL,
    sender      TEXT   NOT NULL,
    digest      TEXT   NOT NULL,
    reason      TEXT   NOT NULL,
    payload     TEXT   NOT NULL,
    received_ms BIGINT NOT NULL,
    PRIMARY KEY (tenant, number)
);
CREATE UNIQUE INDEX quarantine_once ON quarantine (tenant, sender, digest);
