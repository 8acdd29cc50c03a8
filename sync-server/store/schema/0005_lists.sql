-- The two lists of every site. A row lives in [added_version, removed_version); what lives still
-- has the largest number there is, so that "alive at v" is two comparisons. Scopes: 1 revoked,
-- 2 tickets.
CREATE TABLE list_head (
    tenant    BIGINT NOT NULL,
    site      BIGINT NOT NULL,
    scope     BIGINT NOT NULL,
    version   BIGINT NOT NULL,
    row_count BIGINT NOT NULL,
    last_call TEXT   NOT NULL,
    PRIMARY KEY (tenant, site, scope)
);
CREATE TABLE list_row (
    tenant          BIGINT NOT NULL,
    site            BIGINT NOT NULL,
    scope           BIGINT NOT NULL,
    list_key        TEXT   NOT NULL,
    added_version   BIGINT NOT NULL,
    removed_version BIGINT NOT NULL,
    bucket          BIGINT NOT NULL,
    body            TEXT   NOT NULL,
    PRIMARY KEY (tenant, site, scope, list_key, added_version)
);
CREATE INDEX list_row_added ON list_row (tenant, site, scope, added_version, list_key);
CREATE INDEX list_row_removed ON list_row (tenant, site, scope, removed_version, list_key);
-- Sums of the newest version; those of older ones are summed from the rows.
CREATE TABLE list_bucket (
    tenant     BIGINT NOT NULL,
    site       BIGINT NOT NULL,
    scope      BIGINT NOT NULL,
    bucket     BIGINT NOT NULL,
    bucket_sum TEXT   NOT NULL,
    PRIMARY KEY (tenant, site, scope, bucket)
);
