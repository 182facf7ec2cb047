-- Anonymous viewers who turned out to be known ones. Who appends events looks
-- here, under the tenant's counter of events, which a merge holds, too: no event
-- comes between.
CREATE TABLE merges (
    tenant TEXT COLLATE "C" NOT NULL,
    viewer TEXT COLLATE "C" NOT NULL,
    target TEXT COLLATE "C" NOT NULL,
    at     BIGINT NOT NULL,
    PRIMARY KEY (tenant, viewer)
);
CREATE INDEX merges_target ON merges (tenant, target, viewer);
