-- What headquarters must look at; a batch delivered again raises nothing new.
CREATE TABLE finding (
    tenant BIGINT NOT NULL,
    number BIGINT NOT NULL,
    kind   BIGINT NOT NULL,
    at_ms  BIGINT NOT NULL,
    site   BIGINT,
    device TEXT   NOT NULL,
    ticket TEXT   NOT NULL,
    epoch  TEXT   NOT NULL,
    seq    BIGINT NOT NULL,
    detail TEXT   NOT NULL,
    PRIMARY KEY (tenant, number)
);
CREATE UNIQUE INDEX finding_once ON finding (tenant, kind, device, epoch, seq, ticket);
