-- Slates get an order of acceptance, as events have one, so that the archive
-- can follow them. Those that are there already are numbered by their time.
ALTER TABLE slates ADD COLUMN seq BIGINT NOT NULL DEFAULT 0;

UPDATE slates SET seq = numbered.n
FROM (SELECT tenant, id, ROW_NUMBER() OVER (PARTITION BY tenant ORDER BY at, id) AS n FROM slates) AS numbered
WHERE numbered.tenant = slates.tenant AND numbered.id = slates.id;

INSERT INTO counters (tenant, name, value)
SELECT tenant, 'slates', MAX(seq) FROM slates GROUP BY tenant;

CREATE UNIQUE INDEX slates_seq ON slates (tenant, seq);
