-- Tickets as sold. Claims are the encoded claims of the present generation; the signed text is made anew
-- when asked for, so no bearer code rests here.
CREATE TABLE ticket (
    tenant      BIGINT NOT NULL,
    ticket      TEXT   NOT NULL,
    claims      TEXT   NOT NULL,
    state       BIGINT NOT NULL,
    signed_qr   BIGINT NOT NULL,
    reference   TEXT   NOT NULL,
    revoked_why TEXT   NOT NULL,
    issued_ms   BIGINT NOT NULL,
    PRIMARY KEY (tenant, ticket)
);
CREATE INDEX ticket_by_time ON ticket (tenant, issued_ms, ticket);
-- Codes, documents and cards: the original sealed, a keyed lookup for the server's own questions.
CREATE TABLE carrier (
    tenant BIGINT NOT NULL,
    lookup TEXT   NOT NULL,
    ticket TEXT   NOT NULL,
    kind   BIGINT NOT NULL,
    sealed TEXT   NOT NULL,
    masked TEXT   NOT NULL,
    PRIMARY KEY (tenant, lookup, ticket)
);
CREATE INDEX carrier_by_ticket ON carrier (tenant, ticket);
