package sqlstore

import (
	"context"
	"database/sql"
	"fmt"

	"upnext"
)

// Events is the upnext.Events.
type Events struct {
	db     database
	insert *sql.Stmt // on the writing connection
	commit *committer
}

var _ upnext.Events = (*Events)(nil)

// eventCounter names the counter of a tenant's sequence numbers.
const eventCounter = "events"

func openEvents(ctx context.Context, db database) (*Events, error) {
	insert, err := db.write.PrepareContext(ctx, `
		INSERT INTO events (tenant, seq, viewer, id, at, received_at, body) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (tenant, id, viewer) DO NOTHING`)
	if err != nil {
		return nil, failure(err)
	}
	e := &Events{db: db, insert: insert}
	e.commit = startCommitter(e.write)
	return e, nil
}

// close ends the committer once what has queued is committed.
func (e *Events) close() {
	e.commit.close()
	_ = e.insert.Close() // a statement dies with its connection
}

// Append implements upnext.Events. If ctx ends while the events are being
// committed, its error returns and they may have been kept: sending them again
// is safe, as they count once.
func (e *Events) Append(ctx context.Context, t upnext.Tenant, events ...upnext.Event) ([]upnext.Appended, error) {
	if len(events) == 0 {
		return nil, ctx.Err()
	}
	rows := make([]eventRow, len(events))
	for i, ev := range events {
		row, err := encodeEvent(ev) // here, so that it fails its own caller alone
		if err != nil {
			return nil, fmt.Errorf("append: %w", err)
		}
		rows[i] = row
	}
	appended, err := e.commit.append(ctx, t, rows)
	if err != nil {
		return nil, fmt.Errorf("append %d events: %w", len(events), err)
	}
	return appended, nil
}

// write commits a group of calls in one transaction and fills in their
// outcomes. The calls come ordered by tenant: two writers of one database take
// the counters' rows in one order, so they never wait for each other in a ring.
func (e *Events) write(ctx context.Context, calls []*appendCall) error {
	return e.db.update(ctx, func(tx *sql.Tx) error {
		insert := tx.StmtContext(ctx, e.insert)
		defer func() { _ = insert.Close() }() // ends with the transaction anyway
		for _, c := range calls {
			seq, err := bump(ctx, tx, c.tenant, eventCounter, len(c.rows))
			if err != nil {
				return err
			}
			for i, r := range c.rows {
				res, err := insert.ExecContext(ctx, string(c.tenant), seq+int64(i), r.viewer, r.id, r.at, r.received, r.body)
				if err != nil {
					return fmt.Errorf("event %s: %w", r.id, err)
				}
				n, err := res.RowsAffected()
				if err != nil {
					return err
				}
				if n == 0 {
					c.out[i] = upnext.Appended{Duplicate: true}
				} else {
					c.out[i] = upnext.Appended{Seq: seq + int64(i)}
				}
			}
		}
		return nil
	})
}

// Retract implements upnext.Events.
func (e *Events) Retract(ctx context.Context, t upnext.Tenant, viewer upnext.ViewerID, id upnext.EventID) (upnext.Event, error) {
	var event upnext.Event
	err := e.db.update(ctx, func(tx *sql.Tx) error {
		sender := viewer.String()
		if viewer == (upnext.ViewerID{}) {
			senders, err := query(ctx, tx, scanText, `SELECT viewer FROM events WHERE tenant = $1 AND id = $2 LIMIT 2`,
				string(t), string(id))
			switch {
			case err != nil:
				return err
			case len(senders) == 0:
				return upnext.ErrNotFound
			case len(senders) > 1:
				return fmt.Errorf("several viewers have sent it: %w", upnext.ErrConflict)
			}
			sender = senders[0]
		}
		var err error
		event, err = one(ctx, tx, scanEvent, `DELETE FROM events WHERE tenant = $1 AND id = $2 AND viewer = $3
			RETURNING `+eventColumns, string(t), string(id), sender)
		return err
	})
	if err != nil {
		return upnext.Event{}, fmt.Errorf("retract event %s: %w", id, err)
	}
	return event, nil
}

func scanText(rows *sql.Rows) (string, error) {
	var s string
	err := rows.Scan(&s)
	return s, err
}

// ByViewer implements upnext.Events. Of events with one At the later accepted
// comes first.
func (e *Events) ByViewer(ctx context.Context, t upnext.Tenant, viewer upnext.ViewerID, limit int) ([]upnext.Event, error) {
	events, err := query(ctx, e.db.read, scanEvent, `SELECT `+eventColumns+` FROM events
		WHERE tenant = $1 AND viewer = $2 ORDER BY at DESC, seq DESC LIMIT $3`, string(t), viewer.String(), max(limit, 0))
	if err != nil {
		return nil, fmt.Errorf("events of %s: %w", viewer, err)
	}
	return events, nil
}

// Since implements upnext.Events.
func (e *Events) Since(ctx context.Context, t upnext.Tenant, after int64, limit int) ([]upnext.Event, error) {
	events, err := query(ctx, e.db.read, scanEvent, `SELECT `+eventColumns+` FROM events
		WHERE tenant = $1 AND seq > $2 ORDER BY seq LIMIT $3`, string(t), after, max(limit, 0))
	if err != nil {
		return nil, fmt.Errorf("events after %d: %w", after, err)
	}
	return events, nil
}

// Erase implements upnext.Events.
func (e *Events) Erase(ctx context.Context, t upnext.Tenant, viewer upnext.ViewerID) (int, error) {
	n, err := e.db.remove(ctx, `DELETE FROM events WHERE tenant = $1 AND viewer = $2`, string(t), viewer.String())
	if err != nil {
		return 0, fmt.Errorf("erase the events of %s: %w", viewer, err)
	}
	return n, nil
}

// remove runs a DELETE in a transaction of its own and returns how many rows went.
func (db database) remove(ctx context.Context, text string, args ...any) (int, error) {
	var n int64
	err := db.update(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, text, args...)
		if err != nil {
			return err
		}
		n, err = res.RowsAffected()
		return err
	})
	return int(n), err
}
