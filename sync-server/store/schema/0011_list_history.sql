-- Versions below oldest_version are no longer served: rows only they knew may be gone.
ALTER TABLE list_head ADD COLUMN oldest_version BIGINT NOT NULL DEFAULT 1;
-- Which version was the newest when, noted now and then: from this follows how old a version is.
CREATE TABLE list_mark (
    tenant  BIGINT NOT NULL,
    site    BIGINT NOT NULL,
    scope   BIGINT NOT NULL,
    at_ms   BIGINT NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (tenant, site, scope, at_ms)
);
