package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"upnext"
)

// Cursors is the upnext.Cursors.
type Cursors struct{ db database }

var _ upnext.Cursors = (*Cursors)(nil)

// cursorBody is the body of a cursors row.
type cursorBody struct {
	Requests map[string]json.RawMessage `json:"requests,omitempty"`
	Returned []upnext.ItemID            `json:"returned,omitempty"`
}

// Cursor implements upnext.Cursors.
func (s *Cursors) Cursor(ctx context.Context, t upnext.Tenant, id upnext.SlateID) (upnext.Cursor, error) {
	c, err := one(ctx, s.db.read, scanCursor,
		`SELECT id, viewer, version, until, body FROM cursors WHERE tenant = $1 AND id = $2`, string(t), string(id))
	if err != nil {
		return upnext.Cursor{}, fmt.Errorf("cursor %s: %w", id, err)
	}
	return c, nil
}

func scanCursor(rows *sql.Rows) (upnext.Cursor, error) {
	var id, viewer, text string
	var version, until int64
	if err := rows.Scan(&id, &viewer, &version, &until, &text); err != nil {
		return upnext.Cursor{}, err
	}
	c := upnext.Cursor{ID: upnext.SlateID(id), Version: version, Until: fromMicros(until)}
	var err error
	if c.Viewer, err = upnext.ParseViewerID(viewer); err != nil {
		return c, fmt.Errorf("cursor %s: damaged row: %w", id, err)
	}
	body, err := decode[cursorBody]("cursor "+id, text)
	if err != nil {
		return c, err
	}
	if c.Returned = body.Returned; len(body.Requests) > 0 {
		c.Requests = make(map[string][]byte, len(body.Requests))
		for row, request := range body.Requests {
			c.Requests[row] = request
		}
	}
	return c, nil
}

// Advance implements upnext.Cursors. Requests are JSON.
func (s *Cursors) Advance(ctx context.Context, t upnext.Tenant, c upnext.Cursor) error {
	what := fmt.Sprintf("cursor %s", c.ID)
	body := cursorBody{Returned: c.Returned, Requests: make(map[string]json.RawMessage, len(c.Requests))}
	for row, request := range c.Requests {
		body.Requests[row] = request
	}
	text, err := encode(what, body)
	if err != nil {
		return err
	}
	if err := checkColumns("tenant", string(t), "id", string(c.ID), "viewer", c.Viewer.String()); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	statement := `INSERT INTO cursors (tenant, id, viewer, version, until, body) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (tenant, id) DO NOTHING`
	if c.Version > 1 {
		statement = `UPDATE cursors SET viewer = $3, version = $4, until = $5, body = $6
			WHERE tenant = $1 AND id = $2 AND version = $4 - 1`
	}
	err = s.db.update(ctx, func(tx *sql.Tx) error {
		n, err := affected(tx.ExecContext(ctx, statement, string(t), string(c.ID), c.Viewer.String(), c.Version, micros(c.Until), text))
		if err == nil && n == 0 {
			return fmt.Errorf("version %d: another step came first: %w", c.Version, upnext.ErrConflict)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// EraseCursors implements upnext.Cursors.
func (s *Cursors) EraseCursors(ctx context.Context, t upnext.Tenant, viewer upnext.ViewerID) (int, error) {
	n, err := s.db.remove(ctx, `DELETE FROM cursors WHERE tenant = $1 AND viewer = $2`, string(t), viewer.String())
	if err != nil {
		return 0, fmt.Errorf("erase the cursors of %s: %w", viewer, err)
	}
	return n, nil
}

// PruneCursors implements upnext.Cursors. It works in small transactions; on an
// error it returns how many it had removed by then.
func (s *Cursors) PruneCursors(ctx context.Context, before time.Time) (int, error) {
	for total := 0; ; {
		n, err := s.db.remove(ctx, `DELETE FROM cursors WHERE (tenant, id) IN (
			SELECT tenant, id FROM cursors WHERE until < $1 ORDER BY until LIMIT $2)`, micros(before), pruneBatch)
		total += n
		if err != nil {
			return total, fmt.Errorf("prune cursors before %s: %w", before.Format(time.RFC3339), err)
		}
		if n < pruneBatch {
			return total, nil
		}
	}
}
