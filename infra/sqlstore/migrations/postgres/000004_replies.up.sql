-- What requests with an idempotency key were answered with, for a day. A row
-- whose status is 0 is a request that is being answered; size is what the row
-- takes, about; viewer is empty where the answer tells of nobody.
CREATE TABLE replies (
    tenant TEXT COLLATE "C" NOT NULL,
    key    TEXT COLLATE "C" NOT NULL,
    digest TEXT COLLATE "C" NOT NULL,
    viewer TEXT COLLATE "C" NOT NULL,
    at     BIGINT  NOT NULL,
    status INTEGER NOT NULL,
    lost   INTEGER NOT NULL,
    size   BIGINT  NOT NULL,
    type   TEXT COLLATE "C" NOT NULL,
    body   BYTEA    NOT NULL,
    PRIMARY KEY (tenant, key)
);
CREATE INDEX replies_at ON replies (tenant, at, size);
CREATE INDEX replies_viewer ON replies (tenant, viewer) WHERE viewer <> '';
