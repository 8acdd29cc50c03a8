-- API keys: only a hash of the secret. permissions are bits (sync-server/access/permissions.hpp).
CREATE TABLE api_key (
    tenant      BIGINT NOT NULL,
    api_key     TEXT   NOT NULL,
    name        TEXT   NOT NULL,
    secret_hash TEXT   NOT NULL,
    permissions BIGINT NOT NULL,
    created_by  TEXT   NOT NULL,
    created_ms  BIGINT NOT NULL,
    revoked_ms  BIGINT,
    PRIMARY KEY (tenant, api_key)
);
-- Every act of somebody, done or refused. number rises without meaning more than the order.
CREATE TABLE audit (
    tenant     BIGINT NOT NULL,
    number     BIGINT NOT NULL,
    at_ms      BIGINT NOT NULL,
    actor      TEXT   NOT NULL,
    action     TEXT   NOT NULL,
    target     TEXT   NOT NULL,
    outcome    TEXT   NOT NULL,
    request_id TEXT   NOT NULL,
    PRIMARY KEY (tenant, number)
);
-- Answers kept for requests that come twice, sealed under the master key.
CREATE TABLE kept_answer (
    tenant      BIGINT NOT NULL,
    actor       TEXT   NOT NULL,
    request_key TEXT   NOT NULL,
    fingerprint TEXT   NOT NULL,
    sealed      TEXT   NOT NULL,
    at_ms       BIGINT NOT NULL,
    PRIMARY KEY (tenant, actor, request_key)
);
CREATE INDEX kept_answer_by_time ON kept_answer (tenant, at_ms);
