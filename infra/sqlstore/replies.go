package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"upnext"
)

// Replies is the upnext.Replies.
type Replies struct{ db database }

var _ upnext.Replies = (*Replies)(nil)

// replyOverhead is what a row takes beside its body, about: many empty replies
// are bounded by it, too.
const replyOverhead = 512

// Claim implements upnext.Replies. One statement decides between claims of the
// same key, whichever process they come from.
func (s *Replies) Claim(ctx context.Context, t upnext.Tenant, c upnext.Claim) (upnext.Reply, bool, error) {
	var reply upnext.Reply
	claimed := false
	err := checkColumns("tenant", string(t), "key", c.Key, "digest", c.Digest)
	if err == nil {
		err = s.db.update(ctx, func(tx *sql.Tx) error {
			var err error
			if claimed, err = s.take(ctx, tx, t, c); err == nil && !claimed {
				reply, err = s.standing(ctx, tx, t, c)
			}
			return err
		})
	}
	if err != nil {
		return upnext.Reply{}, false, fmt.Errorf("claim key %s: %w", c.Key, err)
	}
	return reply, claimed, nil
}

func (s *Replies) take(ctx context.Context, tx *sql.Tx, t upnext.Tenant, c upnext.Claim) (bool, error) {
	n, err := affected(tx.ExecContext(ctx, `
		INSERT INTO replies (tenant, key, digest, viewer, at, status, lost, size, type, body) VALUES ($1, $2, $3, '', $4, 0, 0, $5, '', '')
		ON CONFLICT (tenant, key) DO UPDATE SET digest = excluded.digest, viewer = '', at = excluded.at, status = 0, lost = 0,
			size = excluded.size, type = '', body = ''
		WHERE replies.at < $6 OR replies.status = 0 AND replies.at < $7`,
		string(t), c.Key, c.Digest, micros(c.At), replyOverhead, micros(c.At.Add(-upnext.KeepReply)), micros(c.At.Add(-upnext.AbandonClaim))))
	return n > 0, err
}

// standing returns the reply that a key has, for a claim that came second.
func (s *Replies) standing(ctx context.Context, tx *sql.Tx, t upnext.Tenant, c upnext.Claim) (upnext.Reply, error) {
	type row struct {
		upnext.Reply
		digest string
	}
	first, err := one(ctx, tx, func(rows *sql.Rows) (r row, err error) {
		var viewer string
		var lost int
		if err := rows.Scan(&r.digest, &viewer, &r.Status, &lost, &r.Type, &r.Body); err != nil {
			return r, err
		}
		if len(r.Body) == 0 {
			r.Body = nil
		}
		if r.Lost = lost != 0; viewer != "" {
			var err error
			r.Viewer, err = upnext.ParseViewerID(viewer)
			return r, err
		}
		return r, nil
	}, `SELECT digest, viewer, status, lost, type, body FROM replies WHERE tenant = $1 AND key = $2`, string(t), c.Key)
	switch {
	case errors.Is(err, upnext.ErrNotFound): // released between the two statements
		return upnext.Reply{}, fmt.Errorf("the first request with it has just ended: %w", upnext.ErrConflict)
	case err != nil:
		return upnext.Reply{}, err
	case first.digest != c.Digest:
		return upnext.Reply{}, fmt.Errorf("it came first with another request: %w", upnext.ErrInvalid)
	case first.Status == 0:
		return upnext.Reply{}, fmt.Errorf("the first request with it is being answered: %w", upnext.ErrConflict)
	}
	return first.Reply, nil
}

// Keep implements upnext.Replies.
func (s *Replies) Keep(ctx context.Context, t upnext.Tenant, c upnext.Claim, r upnext.Reply) error {
	if r.Body == nil {
		r.Body = []byte{}
	}
	viewer, lost := "", 0
	if r.Viewer != (upnext.ViewerID{}) {
		viewer = r.Viewer.String()
	}
	if r.Lost {
		lost = 1
	}
	err := checkColumns("viewer", viewer, "type", r.Type)
	if err == nil {
		_, err = s.db.remove(ctx, `UPDATE replies SET viewer = $4, status = $5, lost = $6, size = $7, type = $8, body = $9
			WHERE tenant = $1 AND key = $2 AND at = $3 AND status = 0`,
			string(t), c.Key, micros(c.At), viewer, r.Status, lost, len(r.Body)+replyOverhead, r.Type, r.Body)
	}
	if err != nil {
		return fmt.Errorf("keep the reply of key %s: %w", c.Key, err)
	}
	return nil
}

// Release implements upnext.Replies.
func (s *Replies) Release(ctx context.Context, t upnext.Tenant, c upnext.Claim) error {
	_, err := s.db.remove(ctx, `DELETE FROM replies WHERE tenant = $1 AND key = $2 AND at = $3 AND status = 0`, string(t), c.Key, micros(c.At))
	if err != nil {
		return fmt.Errorf("release key %s: %w", c.Key, err)
	}
	return nil
}

// EraseReplies implements upnext.Replies.
func (s *Replies) EraseReplies(ctx context.Context, t upnext.Tenant, viewer upnext.ViewerID) (int, error) {
	n, err := s.db.remove(ctx, `DELETE FROM replies WHERE tenant = $1 AND viewer = $2 AND viewer <> ''`, string(t), viewer.String())
	if err != nil {
		return 0, fmt.Errorf("erase the replies to %s: %w", viewer, err)
	}
	return n, nil
}

// PruneReplies implements upnext.Replies. It works in small transactions.
func (s *Replies) PruneReplies(ctx context.Context, before time.Time, bytes int64) (int, error) {
	total, err := s.pruneAll(ctx, `DELETE FROM replies WHERE (tenant, key) IN (
		SELECT tenant, key FROM replies WHERE at < $1 LIMIT $2)`, micros(before), pruneBatch)
	if err != nil {
		return total, fmt.Errorf("prune replies before %s: %w", before.Format(time.RFC3339), err)
	}
	type heavy struct {
		tenant string
		size   int64
	}
	tenants, err := query(ctx, s.db.read, func(rows *sql.Rows) (heavy, error) {
		var h heavy
		err := rows.Scan(&h.tenant, &h.size)
		return h, err
	}, `SELECT tenant, CAST(SUM(size) AS BIGINT) FROM replies GROUP BY tenant HAVING SUM(size) > $1`, bytes)
	for _, h := range tenants {
		if err != nil {
			break
		}
		var n int
		// The running sum, newest first, says which rows are over.
		n, err = s.pruneAll(ctx, `DELETE FROM replies WHERE (tenant, key) IN (
			SELECT tenant, key FROM (SELECT tenant, key, status, SUM(size) OVER (ORDER BY at DESC, key) AS upto
				FROM replies WHERE tenant = $1) AS r
			WHERE upto > $2 AND status <> 0 LIMIT $3)`, h.tenant, bytes, pruneBatch)
		total += n
	}
	if err != nil {
		return total, fmt.Errorf("prune replies to %d bytes: %w", bytes, err)
	}
	return total, nil
}

// pruneAll repeats a DELETE of at most pruneBatch rows until none is left.
func (s *Replies) pruneAll(ctx context.Context, text string, args ...any) (int, error) {
	for total := 0; ; {
		n, err := s.db.remove(ctx, text, args...)
		total += n
		if err != nil || n < pruneBatch {
			return total, err
		}
	}
}
