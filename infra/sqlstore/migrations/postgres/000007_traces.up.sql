-- How answers came about, of those that were asked to tell. Rows are large, and
-- live for a day: they are kept apart from the slates, which live for a week.
CREATE TABLE traces (
    tenant TEXT   COLLATE "C" NOT NULL,
    id     TEXT   COLLATE "C" NOT NULL,
    viewer TEXT   COLLATE "C" NOT NULL,
    at     BIGINT NOT NULL,
    body   TEXT   COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, id)
);
CREATE INDEX traces_viewer ON traces (tenant, viewer);
CREATE INDEX traces_at ON traces (at);
