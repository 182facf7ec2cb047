package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
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
	bodies, showings, traces := make([]string, len(slates)), make([]string, len(slates)), make([]string, len(slates))
	for i, slate := range slates {
		var err error
		if bodies[i], err = encodeSlate(slate); err == nil {
			showings[i], err = encodeShowing(slate)
		}
		if err != nil {
			return fmt.Errorf("record: %w", err)
		}
		if slate.Trace != nil {
			if traces[i], err = encodeTrace(slate.ID, *slate.Trace); err != nil {
				return fmt.Errorf("record: %w", err)
			}
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
		return recordTraces(ctx, tx, t, slates, traces)
	})
	if err != nil {
		return fmt.Errorf("record %d slates: %w", len(slates), err)
	}
	return nil
}

// recordTraces keeps the traces of slates, and removes those that a replaced
// slate had and has no more.
func recordTraces(ctx context.Context, tx *sql.Tx, t upnext.Tenant, slates []upnext.Slate, traces []string) error {
	for part := range slices.Chunk(slates, maxIn) {
		args := []any{string(t)}
		for _, slate := range part {
			args = append(args, string(slate.ID))
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM traces WHERE tenant = $1 AND id IN (`+placeholders(2, len(part))+`)`, args...)
		if err != nil {
			return err
		}
	}
	for i, slate := range slates {
		if traces[i] == "" {
			continue
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO traces (tenant, id, viewer, at, body) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (tenant, id) DO UPDATE SET viewer = excluded.viewer, at = excluded.at, body = excluded.body`,
			string(t), string(slate.ID), slate.Viewer.String(), micros(slate.At), traces[i])
		if err != nil {
			return fmt.Errorf("trace of slate %s: %w", slate.ID, err)
		}
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
	text, err := one(ctx, s.db.read, scanText, `SELECT body FROM traces WHERE tenant = $1 AND id = $2`, string(t), string(id))
	if errors.Is(err, upnext.ErrNotFound) {
		return slate, nil
	}
	if err == nil {
		slate.Trace, err = decodeTrace(id, text)
	}
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
	var n int64
	err := s.db.update(ctx, func(tx *sql.Tx) (err error) {
		if n, err = affected(tx.ExecContext(ctx, `DELETE FROM slates WHERE tenant = $1 AND viewer = $2`, string(t), viewer.String())); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM traces WHERE tenant = $1 AND viewer = $2`, string(t), viewer.String())
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("erase the slates of %s: %w", viewer, err)
	}
	return int(n), nil
}

// pruneBatch is how many slates one transaction of Prune removes: events wait
// for the writer meanwhile.
const pruneBatch = 1_000

// Prune implements upnext.Slates. It works in small transactions; on an error
// it returns how many slates it had removed by then.
func (s *Slates) Prune(ctx context.Context, before, traces time.Time) (int, error) {
	if traces.Before(before) {
		traces = before // none outlives its slate
	}
	if _, err := s.pruneTable(ctx, "traces", traces); err != nil {
		return 0, fmt.Errorf("prune traces before %s: %w", traces.Format(time.RFC3339), err)
	}
	n, err := s.pruneTable(ctx, "slates", before)
	if err != nil {
		return n, fmt.Errorf("prune slates before %s: %w", before.Format(time.RFC3339), err)
	}
	return n, nil
}

func (s *Slates) pruneTable(ctx context.Context, table string, before time.Time) (total int, err error) {
	for {
		n, err := s.db.remove(ctx, `DELETE FROM `+table+` WHERE (tenant, id) IN (
			SELECT tenant, id FROM `+table+` WHERE at < $1 ORDER BY at LIMIT $2)`, micros(before), pruneBatch)
		total += n
		if err != nil || n < pruneBatch {
			return total, err
		}
	}
}
