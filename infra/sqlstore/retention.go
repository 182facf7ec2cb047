package sqlstore

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/binary"
	"fmt"
	"math"

	"upnext"
)

// Retention is the upnext.Retention.
type Retention struct{ db database }

var _ upnext.Retention = (*Retention)(nil)

// Retention returns the part of the store that removes what need not be kept.
func (s *Store) Retention() *Retention { return &Retention{s.db} }

// logCounter names the number that tells one database's log from another's.
const logCounter = "log"

// Log implements upnext.Retention.
func (r *Retention) Log(ctx context.Context, t upnext.Tenant) (upnext.Log, error) {
	log, err := r.log(ctx, t)
	if err == nil && log.ID == 0 {
		if err = r.name(ctx, t); err == nil {
			log, err = r.log(ctx, t)
		}
	}
	if err != nil {
		return upnext.Log{}, fmt.Errorf("log of tenant %s: %w", t, err)
	}
	return log, nil
}

func (r *Retention) log(ctx context.Context, t upnext.Tenant) (upnext.Log, error) {
	type counter struct {
		name  string
		value int64
	}
	counters, err := query(ctx, r.db.read, func(rows *sql.Rows) (counter, error) {
		var c counter
		err := rows.Scan(&c.name, &c.value)
		return c, err
	}, `SELECT name, value FROM counters WHERE tenant = $1 AND name IN ($2, $3, $4)`,
		string(t), logCounter, eventCounter, slateCounter)
	var log upnext.Log
	for _, c := range counters {
		switch c.name {
		case logCounter:
			log.ID = c.value
		case eventCounter:
			log.Events = c.value
		case slateCounter:
			log.Slates = c.value
		}
	}
	return log, err
}

// name gives the tenant's log its number, unless another process just did.
func (r *Retention) name(ctx context.Context, t upnext.Tenant) error {
	var b [8]byte
	rand.Read(b[:])                                      // never fails: see crypto/rand
	id := int64(binary.LittleEndian.Uint64(b[:])>>2) + 1 // above 0
	return r.db.update(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO counters (tenant, name, value) VALUES ($1, $2, $3)
			ON CONFLICT (tenant, name) DO NOTHING`, string(t), logCounter, id)
		return err
	})
}

// viewerPage is how many viewers PruneEvents reads at a time.
const viewerPage = 500

// PruneEvents implements upnext.Retention. It walks the viewers who have more
// than they keep along the index and looks at the rows of those alone.
func (r *Retention) PruneEvents(ctx context.Context, t upnext.Tenant, keep upnext.RetentionPolicy) (int, error) {
	total, err := r.pruneEvents(ctx, t, keep)
	if err != nil {
		return total, fmt.Errorf("prune the events of tenant %s up to %d: %w", t, keep.Archived, err)
	}
	return total, nil
}

func (r *Retention) pruneEvents(ctx context.Context, t upnext.Tenant, keep upnext.RetentionPolicy) (total int, err error) {
	keep.Latest = max(keep.Latest, 0)
	for after := ""; ; {
		viewers, err := query(ctx, r.db.read, scanText, `SELECT viewer FROM events
			WHERE tenant = $1 AND viewer > $2 GROUP BY viewer HAVING COUNT(*) > $3 ORDER BY viewer LIMIT $4`,
			string(t), after, keep.Latest, viewerPage)
		if err != nil {
			return total, err
		}
		for _, viewer := range viewers {
			n, err := r.pruneViewer(ctx, t, viewer, keep)
			total += n
			if err != nil {
				return total, err
			}
			after = viewer
		}
		if len(viewers) < viewerPage {
			return total, nil
		}
	}
}

// pruneViewer removes a viewer's events in batches, as Prune does slates. The
// rows are chosen by the statement that deletes them, so the latest are those
// that are the latest then.
func (r *Retention) pruneViewer(ctx context.Context, t upnext.Tenant, viewer string, keep upnext.RetentionPolicy) (int, error) {
	total := 0
	for {
		n, err := r.db.remove(ctx, `DELETE FROM events WHERE tenant = $1 AND seq IN (
			SELECT seq FROM (
				SELECT seq, received_at FROM events WHERE tenant = $1 AND viewer = $2
				ORDER BY at DESC, seq DESC LIMIT $3 OFFSET $4) AS older
			WHERE seq <= $5 AND received_at < $6 LIMIT $7)`,
			string(t), viewer, int64(math.MaxInt64), int64(keep.Latest), keep.Archived, micros(keep.Received), int64(pruneBatch))
		total += n
		if err != nil || n < pruneBatch {
			return total, err
		}
	}
}
