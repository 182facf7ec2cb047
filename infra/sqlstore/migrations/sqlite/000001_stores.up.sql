-- The tenant leads every key. Times are microseconds since 1970; bodies are
-- JSON text that SQL never looks into. Small columns stand before the bodies,
-- so that scans do not read those.

-- Counters hand out versions and sequence numbers. Whoever raises one holds
-- its row to the end of the transaction, so numbers appear in their order.
CREATE TABLE counters (
    tenant TEXT   NOT NULL,
    name   TEXT   NOT NULL,
    value  BIGINT NOT NULL,
    PRIMARY KEY (tenant, name)
) WITHOUT ROWID;

CREATE TABLE items (
    tenant     TEXT    NOT NULL,
    id         TEXT    NOT NULL,
    version    BIGINT  NOT NULL,
    deleted    INTEGER NOT NULL,
    source     TEXT    NOT NULL,
    hash       TEXT    NOT NULL,
    digest     TEXT    NOT NULL,
    updated_at BIGINT  NOT NULL,
    believed   TEXT    NOT NULL,
    said       TEXT    NOT NULL,
    body       TEXT    NOT NULL,
    PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX items_version ON items (tenant, version);
CREATE INDEX items_source ON items (tenant, source, id);

CREATE TABLE indexings (
    tenant     TEXT   NOT NULL,
    item       TEXT   NOT NULL,
    collection TEXT   NOT NULL,
    hash       TEXT   NOT NULL,
    at         BIGINT NOT NULL,
    text       TEXT   NOT NULL,
    image      TEXT   NOT NULL,
    PRIMARY KEY (tenant, item, collection)
) WITHOUT ROWID;

CREATE TABLE schemas (
    tenant TEXT NOT NULL,
    kind   TEXT NOT NULL,
    body   TEXT NOT NULL,
    PRIMARY KEY (tenant, kind)
);

CREATE TABLE events (
    tenant      TEXT   NOT NULL,
    seq         BIGINT NOT NULL,
    viewer      TEXT   NOT NULL,
    id          TEXT   NOT NULL,
    at          BIGINT NOT NULL,
    received_at BIGINT NOT NULL,
    body        TEXT   NOT NULL,
    PRIMARY KEY (tenant, seq)
) WITHOUT ROWID;
CREATE UNIQUE INDEX events_once ON events (tenant, id, viewer);
CREATE INDEX events_viewer ON events (tenant, viewer, at, seq);

CREATE TABLE viewers (
    tenant     TEXT   NOT NULL,
    viewer     TEXT   NOT NULL,
    updated_at BIGINT NOT NULL,
    body       TEXT   NOT NULL,
    PRIMARY KEY (tenant, viewer)
);

CREATE TABLE slates (
    tenant TEXT   NOT NULL,
    id     TEXT   NOT NULL,
    viewer TEXT   NOT NULL,
    at     BIGINT NOT NULL,
    body   TEXT   NOT NULL,
    PRIMARY KEY (tenant, id)
);
CREATE INDEX slates_viewer ON slates (tenant, viewer);
CREATE INDEX slates_at ON slates (at);

CREATE TABLE imports (
    tenant    TEXT   NOT NULL,
    id        TEXT   NOT NULL,
    queued_at BIGINT NOT NULL,
    body      TEXT   NOT NULL,
    PRIMARY KEY (tenant, id)
);
CREATE INDEX imports_queued ON imports (tenant, queued_at, id);

CREATE TABLE failures (
    tenant TEXT   NOT NULL,
    import TEXT   NOT NULL,
    seq    BIGINT NOT NULL,
    key    TEXT   NOT NULL,
    line   BIGINT NOT NULL,
    stage  TEXT   NOT NULL,
    item   TEXT   NOT NULL,
    cause  TEXT   NOT NULL,
    detail TEXT   NOT NULL,
    PRIMARY KEY (tenant, import, seq)
) WITHOUT ROWID;
CREATE UNIQUE INDEX failures_once ON failures (tenant, import, key, line, stage);
