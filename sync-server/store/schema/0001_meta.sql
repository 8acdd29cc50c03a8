-- Facts about the database itself. Every key begins with the tenant: one platform (a county) each.
CREATE TABLE meta (
    tenant BIGINT NOT NULL,
    name   TEXT   NOT NULL,
    value  TEXT   NOT NULL,
    PRIMARY KEY (tenant, name)
);
