package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"upnext"
)

// Events is the upnext.Events.
type Events struct {
	db     database
	insert *inserter
	commit *committer
}

var (
	_ upnext.Events      = (*Events)(nil)
	_ upnext.Withdrawals = (*Events)(nil)
)

func openEvents(ctx context.Context, db database) (*Events, error) {
	insert, err := newInserter(ctx, db)
	if err != nil {
		return nil, failureIn(ctx, err)
	}
	e := &Events{db: db, insert: insert}
	e.commit = startCommitter(insert.write)
	return e, nil
}

// close ends the committer once what has queued is committed.
func (e *Events) close() {
	e.commit.close()
	e.insert.close()
}

// Append implements upnext.Events. If ctx ends while the events are being
// committed, its error returns and they may have been kept: sending them again
// is safe, as they count once.
func (e *Events) Append(ctx context.Context, t upnext.Tenant, events ...upnext.Event) ([]upnext.Appended, error) {
	if len(events) == 0 {
		return nil, ctx.Err()
	}
	if err := checkColumns("tenant", string(t)); err != nil {
		return nil, fmt.Errorf("append: %w", err)
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
		if err != nil {
			return err
		}
		if err := unmeasure(ctx, tx, t, sender, event.Seq); err != nil {
			return err
		}
		if _, err := bump(ctx, tx, t, withdrawnCounter, 1); err != nil {
			return err
		}
		return e.db.forget(ctx, tx, t, sender)
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
	n, err := e.db.removeOf(ctx, t, viewer, `DELETE FROM events WHERE tenant = $1 AND viewer = $2`, func(tx *sql.Tx) error {
		if err := unmeasure(ctx, tx, t, viewer.String(), 0); err != nil { // attributions outlive events that were pruned
			return err
		}
		_, err := bump(ctx, tx, t, withdrawnCounter, 1)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("erase the events of %s: %w", viewer, err)
	}
	return n, nil
}

// withdrawnCounter counts how often events were taken back.
const withdrawnCounter = "withdrawals"

// Withdrawn implements upnext.Withdrawals.
func (e *Events) Withdrawn(ctx context.Context, t upnext.Tenant) (int64, error) {
	n, err := one(ctx, e.db.read, scanNumber, `SELECT value FROM counters WHERE tenant = $1 AND name = $2`, string(t), withdrawnCounter)
	if errors.Is(err, upnext.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("how often events were taken back: %w", err)
	}
	return n, nil
}

// remove runs a DELETE in a transaction of its own and returns how many rows went.
func (db database) remove(ctx context.Context, text string, args ...any) (int, error) {
	if err := checkArgs(args); err != nil {
		return 0, err
	}
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

// removeOf is remove of a viewer's rows, of which other processes are told,
// and of what hangs on them.
func (db database) removeOf(ctx context.Context, t upnext.Tenant, viewer upnext.ViewerID, text string, also func(tx *sql.Tx) error) (int, error) {
	if err := checkColumns("tenant", string(t), "viewer", viewer.String()); err != nil {
		return 0, err
	}
	var n int64
	err := db.update(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, text, string(t), viewer.String())
		if err != nil {
			return err
		}
		if n, err = res.RowsAffected(); err != nil {
			return err
		}
		if err := also(tx); err != nil || n == 0 {
			return err
		}
		return db.forget(ctx, tx, t, viewer.String())
	})
	return int(n), err
}
