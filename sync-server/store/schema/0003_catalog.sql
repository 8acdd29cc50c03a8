-- Points, windows and products of a site; the version counts changes of what devices must know.
CREATE TABLE point (
    tenant  BIGINT NOT NULL,
    site    BIGINT NOT NULL,
    point   BIGINT NOT NULL,
    name_zh TEXT   NOT NULL,
    name_en TEXT   NOT NULL,
    PRIMARY KEY (tenant, site, point)
);
CREATE TABLE day_window (
    tenant    BIGINT NOT NULL,
    site      BIGINT NOT NULL,
    number    BIGINT NOT NULL,
    from_min  BIGINT NOT NULL,
    until_min BIGINT NOT NULL,
    PRIMARY KEY (tenant, site, number)
);
-- points and certificate: numbers joined by commas, empty for every point and for no proof.
CREATE TABLE product (
    tenant      BIGINT NOT NULL,
    site        BIGINT NOT NULL,
    product     BIGINT NOT NULL,
    name_zh     TEXT   NOT NULL,
    name_en     TEXT   NOT NULL,
    points      TEXT   NOT NULL,
    stale       BIGINT NOT NULL,
    certificate TEXT   NOT NULL,
    PRIMARY KEY (tenant, site, product)
);
CREATE TABLE catalog_version (
    tenant  BIGINT NOT NULL,
    site    BIGINT NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (tenant, site)
);
