-- The tenant leads every key. Times are microseconds since 1970; bodies are
-- JSON text that SQL never looks into. Small columns stand before the bodies,
-- so that scans do not read those. COLLATE "C" compares bytes, as SQLite does.

-- Counters hand out versions and sequence numbers. Whoever raises one holds
-- its row to the end of the transaction, so numbers appear in their order.
CREATE TABLE counters (
    tenant TEXT   COLLATE "C" NOT NULL,
    name   TEXT   COLLATE "C" NOT NULL,
    value  BIGINT NOT NULL,
    PRIMARY KEY (tenant, name)
);

CREATE TABLE items (
    tenant     TEXT    COLLATE "C" NOT NULL,
    id         TEXT    COLLATE "C" NOT NULL,
    version    BIGINT  NOT NULL,
    deleted    INTEGER NOT NULL,
    source     TEXT    COLLATE "C" NOT NULL,
    hash       TEXT    COLLATE "C" NOT NULL,
    digest     TEXT    COLLATE "C" NOT NULL,
    updated_at BIGINT  NOT NULL,
    believed   TEXT    COLLATE "C" NOT NULL,
    said       TEXT    COLLATE "C" NOT NULL,
    body       TEXT    COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX items_version ON items (tenant, version);
CREATE INDEX items_source ON items (tenant, source, id);

CREATE TABLE indexings (
    tenant     TEXT   COLLATE "C" NOT NULL,
    item       TEXT   COLLATE "C" NOT NULL,
    collection TEXT   COLLATE "C" NOT NULL,
    hash       TEXT   COLLATE "C" NOT NULL,
    at         BIGINT NOT NULL,
    text       TEXT   COLLATE "C" NOT NULL,
    image      TEXT   COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, item, collection)
);

CREATE TABLE schemas (
    tenant TEXT COLLATE "C" NOT NULL,
    kind   TEXT COLLATE "C" NOT NULL,
    body   TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, kind)
);

CREATE TABLE events (
    tenant      TEXT   COLLATE "C" NOT NULL,
    seq         BIGINT NOT NULL,
    viewer      TEXT   COLLATE "C" NOT NULL,
    id          TEXT   COLLATE "C" NOT NULL,
    at          BIGINT NOT NULL,
    received_at BIGINT NOT NULL,
    body        TEXT   COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, seq)
);
CREATE UNIQUE INDEX events_once ON events (tenant, id, viewer);
CREATE INDEX events_viewer ON events (tenant, viewer, at, seq);

CREATE TABLE viewers (
    tenant     TEXT   COLLATE "C" NOT NULL,
    viewer     TEXT   COLLATE "C" NOT NULL,
    updated_at BIGINT NOT NULL,
    body       TEXT   COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, viewer)
);

CREATE TABLE slates (
    tenant TEXT   COLLATE "C" NOT NULL,
    id     TEXT   COLLATE "C" NOT NULL,
    viewer TEXT   COLLATE "C" NOT NULL,
    at     BIGINT NOT NULL,
    body   TEXT   COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, id)
);
CREATE INDEX slates_viewer ON slates (tenant, viewer);
CREATE INDEX slates_at ON slates (at);

CREATE TABLE imports (
    tenant    TEXT   COLLATE "C" NOT NULL,
    id        TEXT   COLLATE "C" NOT NULL,
    queued_at BIGINT NOT NULL,
    body      TEXT   COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, id)
);
CREATE INDEX imports_queued ON imports (tenant, queued_at, id);

CREATE TABLE failures (
    tenant TEXT   COLLATE "C" NOT NULL,
    import TEXT   COLLATE "C" NOT NULL,
    seq    BIGINT NOT NULL,
    key    TEXT   COLLATE "C" NOT NULL,
    line   BIGINT NOT NULL,
    stage  TEXT   COLLATE "C" NOT NULL,
    item   TEXT   COLLATE "C" NOT NULL,
    cause  TEXT   COLLATE "C" NOT NULL,
    detail TEXT   COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, import, seq)
);
CREATE UNIQUE INDEX failures_once ON failures (tenant, import, key, line, stage);
