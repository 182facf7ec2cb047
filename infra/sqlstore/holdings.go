package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"iter"
	"math"

	"upnext"
)

// Holdings is the upnext.Holdings. It reads page by page: no connection waits
// for whoever takes the rows in.
type Holdings struct{ db database }

var _ upnext.Holdings = (*Holdings)(nil)

// heldPage is how many rows are in memory at once.
const heldPage = 200

// HeldEvents implements upnext.Holdings.
func (s *Holdings) HeldEvents(ctx context.Context, t upnext.Tenant, viewer upnext.ViewerID) iter.Seq2[upnext.Event, error] {
	at, seq := int64(math.MinInt64), int64(0)
	return paged("events", viewer, func() ([]upnext.Event, error) {
		events, err := query(ctx, s.db.read, scanEvent, `SELECT `+eventColumns+` FROM events
			WHERE tenant = $1 AND viewer = $2 AND (at, seq) > ($3, $4) ORDER BY at, seq LIMIT $5`, string(t), viewer.String(), at, seq, heldPage)
		if len(events) > 0 {
			last := events[len(events)-1]
			at, seq = micros(last.At), last.Seq
		}
		return events, err
	})
}

// HeldSlates implements upnext.Holdings.
func (s *Holdings) HeldSlates(ctx context.Context, t upnext.Tenant, viewer upnext.ViewerID) iter.Seq2[upnext.Slate, error] {
	after := ""
	return paged("slates", viewer, func() ([]upnext.Slate, error) {
		slates, err := query(ctx, s.db.read, scanSlate, `SELECT `+slateColumns+` FROM slates
			WHERE tenant = $1 AND viewer = $2 AND id > $3 ORDER BY id LIMIT $4`, string(t), viewer.String(), after, heldPage)
		if len(slates) > 0 {
			after = string(slates[len(slates)-1].ID)
		}
		return slates, err
	})
}

// HeldCursors implements upnext.Holdings.
func (s *Holdings) HeldCursors(ctx context.Context, t upnext.Tenant, viewer upnext.ViewerID) iter.Seq2[upnext.Cursor, error] {
	after := ""
	return paged("cursors", viewer, func() ([]upnext.Cursor, error) {
		cursors, err := query(ctx, s.db.read, scanCursor, `SELECT id, viewer, version, until, body FROM cursors
			WHERE tenant = $1 AND viewer = $2 AND id > $3 ORDER BY id LIMIT $4`, string(t), viewer.String(), after, heldPage)
		if len(cursors) > 0 {
			after = string(cursors[len(cursors)-1].ID)
		}
		return cursors, err
	})
}

// heldReply is a reply under its key.
type heldReply struct {
	key string
	upnext.HeldReply
}

// HeldReplies implements upnext.Holdings.
func (s *Holdings) HeldReplies(ctx context.Context, t upnext.Tenant, viewer upnext.ViewerID) iter.Seq2[upnext.HeldReply, error] {
	after := ""
	return paged("replies", viewer, func() ([]upnext.HeldReply, error) {
		rows, err := query(ctx, s.db.read, scanHeldReply, `SELECT key, at, status, lost, type, body FROM replies
			WHERE tenant = $1 AND viewer = $2 AND viewer <> '' AND key > $3 ORDER BY key LIMIT $4`, string(t), viewer.String(), after, heldPage)
		replies := make([]upnext.HeldReply, len(rows))
		for i, r := range rows {
			replies[i], after = r.HeldReply, r.key
			replies[i].Viewer = viewer
		}
		return replies, err
	})
}

func scanHeldReply(rows *sql.Rows) (r heldReply, err error) {
	var at int64
	var lost int
	err = rows.Scan(&r.key, &at, &r.Status, &lost, &r.Type, &r.Body)
	if r.At, r.Lost = fromMicros(at), lost != 0; len(r.Body) == 0 {
		r.Body = nil
	}
	return r, err
}

// paged yields what next returns, page by page, until one is short.
func paged[T any](what string, viewer upnext.ViewerID, next func() ([]T, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for {
			page, err := next()
			if err != nil {
				var none T
				yield(none, fmt.Errorf("held %s of %s: %w", what, viewer, err))
				return
			}
			for _, v := range page {
				if !yield(v, nil) {
					return
				}
			}
			if len(page) < heldPage {
				return
			}
		}
	}
}
