package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"upnext"
)

// Slates is the upnext.Slates.
type Slates struct{ db database }

var _ upnext.Slates = (*Slates)(nil)

// slateCounter names the counter of a tenant's slates.
const slateCounter = "slates"

// Record implements upnext.Slates.
func (s *Slates) Record(ctx context.Context, t upnext.Tenant, slates ...upnext.Slate) error {
	if len(slates) == 0 {
		return nil
	}
	bodies, showings := make([]string, len(slates)), make([]string, len(slates))
	for i, slate := range slates {
		var err error
		if bodies[i], err = encodeSlate(slate); err == nil {
			showings[i], err = encodeShowing(slate)
		}
		if err != nil {
			return fmt.Errorf("record: %w", err)
		}
	}
	err := s.db.update(ctx, func(tx *sql.Tx) error {
		seq, err := bump(ctx, tx, t, slateCounter, len(slates))
		if err != nil {
			return err
		}
		stmt, err := tx.PrepareContext(ctx, `INSERT INTO slates (tenant, seq, id, viewer, at, body, shown) VALUES ($1, $2, $3, $4, $5, $6, $7)
			ON CONFLICT (tenant, id) DO UPDATE SET viewer = excluded.viewer, at = excluded.at, body = excluded.body, shown = excluded.shown`)
		if err != nil {
			return err
		}
		defer func() { _ = stmt.Close() }() // ends with the transaction anyway
		for i, slate := range slates {
			_, err := stmt.ExecContext(ctx, string(t), seq+int64(i), string(slate.ID), slate.Viewer.String(), micros(slate.At), bodies[i], showings[i])
			if err != nil {
				return fmt.Errorf("slate %s: %w", slate.ID, err)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("record %d slates: %w", len(slates), err)
	}
	return nil
}

// Slate implements upnext.Slates.
func (s *Slates) Slate(ctx context.Context, t upnext.Tenant, id upnext.SlateID) (upnext.Slate, error) {
	slate, err := one(ctx, s.db.read, scanSlate,
		`SELECT `+slateColumns+` FROM slates WHERE tenant = $1 AND id = $2`, string(t), string(id))
	if err != nil {
		return upnext.Slate{}, fmt.Errorf("slate %s: %w", id, err)
	}
	return slate, nil
}

// SlatesSince implements upnext.Slates.
func (s *Slates) SlatesSince(ctx context.Context, t upnext.Tenant, after int64, limit int) ([]upnext.Slate, error) {
	slates, err := query(ctx, s.db.read, scanSlate, `SELECT `+slateColumns+` FROM slates
		WHERE tenant = $1 AND seq > $2 ORDER BY seq LIMIT $3`, string(t), after, max(limit, 0))
	if err != nil {
		return nil, fmt.Errorf("slates after %d: %w", after, err)
	}
	return slates, nil
}

// EraseSlates implements upnext.Slates.
func (s *Slates) EraseSlates(ctx context.Context, t upnext.Tenant, viewer upnext.ViewerID) (int, error) {
	n, err := s.db.remove(ctx, `DELETE FROM slates WHERE tenant = $1 AND viewer = $2`, string(t), viewer.String())
	if err != nil {
		return 0, fmt.Errorf("erase the slates of %s: %w", viewer, err)
	}
	return n, nil
}

// pruneBatch is how many slates one transaction of Prune removes: events wait
// for the writer meanwhile.
const pruneBatch = 1_000

// Prune implements upnext.Slates. It works in small transactions; on an error
// it returns how many it had removed by then.
func (s *Slates) Prune(ctx context.Context, before time.Time) (int, error) {
	total := 0
	for {
		n, err := s.db.remove(ctx, `DELETE FROM slates WHERE (tenant, id) IN (
			SELECT tenant, id FROM slates WHERE at < $1 ORDER BY at LIMIT $2)`, micros(before), pruneBatch)
		total += n
		if err != nil {
			return total, fmt.Errorf("prune slates before %s: %w", before.Format(time.RFC3339), err)
		}
		if n < pruneBatch {
			return total, nil
		}
	}
}
