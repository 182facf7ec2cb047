-- How far recommendations have been read. Rows live for half an hour after the
-- last step; version is raised by each, and lets one of two steps win.
CREATE TABLE cursors (
    tenant  TEXT   COLLATE "C" NOT NULL,
    id      TEXT   COLLATE "C" NOT NULL,
    viewer  TEXT   COLLATE "C" NOT NULL,
    version BIGINT NOT NULL,
    until   BIGINT NOT NULL,
    body    TEXT   COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, id)
);
CREATE INDEX cursors_viewer ON cursors (tenant, viewer);
CREATE INDEX cursors_until ON cursors (until);
