-- How answers came about, of those that were asked to tell. Rows are large, and
-- live for a day: they are kept apart from the slates, which live for a week.
CREATE TABLE traces (
    tenant TEXT   NOT NULL,
    id     TEXT   NOT NULL,
    viewer TEXT   NOT NULL,
    at     BIGINT NOT NULL,
    body   TEXT   NOT NULL,
    PRIMARY KEY (tenant, id)
);
CREATE INDEX traces_viewer ON traces (tenant, viewer);
CREATE INDEX traces_at ON traces (at);
