-- Tickets sold long before their first day at a site: they go on that site's list when it comes near.
CREATE TABLE ticket_waiting (
    tenant    BIGINT NOT NULL,
    site      BIGINT NOT NULL,
    first_day BIGINT NOT NULL,
    ticket    TEXT   NOT NULL,
    PRIMARY KEY (tenant, site, first_day, ticket)
);
