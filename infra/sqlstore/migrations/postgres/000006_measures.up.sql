-- What of each answer attribution needs, without the rest of its body; and an
-- index by which a viewer's latest answers are found without reading them.
ALTER TABLE slates ADD COLUMN shown TEXT COLLATE "C" NOT NULL DEFAULT '';
CREATE INDEX slates_latest ON slates (tenant, viewer, at, id);
DROP INDEX slates_viewer;

-- An event's answer, and hourly counts of what is attributed. A slate's id
-- begins with its time, so that old ones are found by the key.
CREATE TABLE attributions (
    tenant TEXT COLLATE "C" NOT NULL,
    slate  TEXT COLLATE "C" NOT NULL,
    item   TEXT COLLATE "C" NOT NULL,
    seq    BIGINT NOT NULL,
    viewer TEXT COLLATE "C" NOT NULL,
    body   TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, slate, item, seq)
);
CREATE INDEX attributions_viewer ON attributions (tenant, viewer, seq);

CREATE TABLE measures (
    tenant      TEXT COLLATE "C" NOT NULL,
    hour        BIGINT NOT NULL,
    part        TEXT COLLATE "C" NOT NULL,
    scenario    TEXT COLLATE "C" NOT NULL,
    value       TEXT COLLATE "C" NOT NULL,
    impressions BIGINT NOT NULL,
    clicks      BIGINT NOT NULL,
    conversions BIGINT NOT NULL,
    watches     BIGINT NOT NULL,
    timed       BIGINT NOT NULL,
    valid_views BIGINT NOT NULL,
    completes   BIGINT NOT NULL,
    quick_skips BIGINT NOT NULL,
    watched     BIGINT NOT NULL,
    squares     BIGINT NOT NULL,
    PRIMARY KEY (tenant, hour, part, scenario, value)
);
