-- What a device said of itself last: its birth as it came, with the lists it reported applied since.
CREATE TABLE device_report (
    tenant  BIGINT NOT NULL,
    device  TEXT   NOT NULL,
    body    TEXT   NOT NULL,
    said_ms BIGINT NOT NULL,
    PRIMARY KEY (tenant, device)
);
