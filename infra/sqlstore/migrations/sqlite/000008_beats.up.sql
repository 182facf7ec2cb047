-- The latest sign of life of each live stream: a row an item, however long it lives.
CREATE TABLE beats (
    tenant TEXT NOT NULL,
    item   TEXT NOT NULL,
    at     BIGINT NOT NULL,
    until  BIGINT NOT NULL,
    PRIMARY KEY (tenant, item)
) WITHOUT ROWID;
CREATE INDEX beats_at ON beats (tenant, at);
