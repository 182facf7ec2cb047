package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"upnext"
)

// Merges is the upnext.Merges.
type Merges struct{ db database }

var _ upnext.Merges = (*Merges)(nil)

// Merge implements upnext.Merges, in one transaction.
func (s *Merges) Merge(ctx context.Context, t upnext.Tenant, anonymous, known upnext.ViewerID, at time.Time) (upnext.Merged, error) {
	var merged upnext.Merged
	err := checkColumns("tenant", string(t), "anonymous_id", anonymous.String(), "user_id", known.String())
	if !anonymous.Anonymous || known.Anonymous {
		err = fmt.Errorf("an anonymous viewer is merged into a known one: %w", upnext.ErrInvalid)
	}
	if err == nil {
		err = s.db.update(ctx, func(tx *sql.Tx) error {
			var err error
			merged, err = s.merge(ctx, tx, t, anonymous, known, at)
			return err
		})
	}
	if err != nil {
		return upnext.Merged{}, fmt.Errorf("merge %s into %s: %w", anonymous, known, err)
	}
	return merged, nil
}

func (s *Merges) merge(ctx context.Context, tx *sql.Tx, t upnext.Tenant, anonymous, known upnext.ViewerID, at time.Time) (upnext.Merged, error) {
	// Who appends holds the counter: there is none between the link and the move.
	if _, err := bump(ctx, tx, t, eventCounter, 0); err != nil {
		return upnext.Merged{}, err
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO merges (tenant, viewer, target, at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (tenant, viewer) DO NOTHING`, string(t), anonymous.String(), known.String(), micros(at)); err != nil {
		return upnext.Merged{}, err
	}
	link, err := one(ctx, tx, scanLink, `SELECT viewer, target, at FROM merges WHERE tenant = $1 AND viewer = $2`, string(t), anonymous.String())
	if err == nil && link.target != known.String() {
		err = fmt.Errorf("was merged into %s: %w", link.target, upnext.ErrConflict)
	}
	if err != nil {
		return upnext.Merged{}, err
	}
	moved, err := affected(tx.ExecContext(ctx, `UPDATE events SET viewer = $3 WHERE tenant = $1 AND viewer = $2 AND NOT EXISTS (
		SELECT 1 FROM events AS theirs WHERE theirs.tenant = $1 AND theirs.id = events.id AND theirs.viewer = $3)`,
		string(t), anonymous.String(), known.String()))
	if err != nil {
		return upnext.Merged{}, err
	}
	if err := giveAttributions(ctx, tx, t, anonymous, known); err != nil {
		return upnext.Merged{}, err
	}
	dropped, err := affected(tx.ExecContext(ctx, `DELETE FROM events WHERE tenant = $1 AND viewer = $2`, string(t), anonymous.String()))
	if err != nil {
		return upnext.Merged{}, err
	}
	if _, err := bump(ctx, tx, t, withdrawnCounter, 1); err != nil {
		return upnext.Merged{}, err
	}
	given, err := giveProperties(ctx, tx, t, anonymous, known)
	for _, viewer := range []upnext.ViewerID{anonymous, known} {
		if err == nil {
			err = s.db.forget(ctx, tx, t, viewer.String())
		}
	}
	return upnext.Merged{Events: int(moved), Duplicates: int(dropped), Properties: given, At: fromMicros(link.at)}, err
}

// giveAttributions makes the known viewer's what was attributed to the anonymous one,
// but for the events that are about to be dropped: the same are counted already.
func giveAttributions(ctx context.Context, tx *sql.Tx, t upnext.Tenant, anonymous, known upnext.ViewerID) error {
	twice, err := query(ctx, tx, scanNumber, `SELECT seq FROM events WHERE tenant = $1 AND viewer = $2`, string(t), anonymous.String())
	if err != nil {
		return err
	}
	// It is held so that nobody attributes between the events' move and this.
	if _, err := bump(ctx, tx, t, measureCounter, 0); err != nil {
		return err
	}
	for _, seq := range twice {
		if err := unmeasure(ctx, tx, t, anonymous.String(), seq); err != nil {
			return err
		}
	}
	_, err = tx.ExecContext(ctx, `UPDATE attributions SET viewer = $3 WHERE tenant = $1 AND viewer = $2`, string(t), anonymous.String(), known.String())
	return err
}

// giveProperties gives a known viewer what an anonymous one said and they did
// not, and removes the anonymous one's. It reports whether there was anything.
func giveProperties(ctx context.Context, tx *sql.Tx, t upnext.Tenant, anonymous, known upnext.ViewerID) (bool, error) {
	read := func(id upnext.ViewerID) (v upnext.Viewer, there bool, err error) {
		v, err = one(ctx, tx, scanViewer, `SELECT viewer, updated_at, body FROM viewers WHERE tenant = $1 AND viewer = $2`, string(t), id.String())
		if errors.Is(err, upnext.ErrNotFound) {
			return upnext.Viewer{}, false, nil
		}
		return v, err == nil, err
	}
	from, there, err := read(anonymous)
	if err != nil || !there {
		return false, err
	}
	to, _, err := read(known)
	if err != nil {
		return false, err
	}
	given := to.Locale == "" && from.Locale != "" || to.Region == "" && from.Region != "" || to.BirthYear == 0 && from.BirthYear != 0
	to.Locale, to.Region, to.BirthYear = cmp.Or(to.Locale, from.Locale), cmp.Or(to.Region, from.Region), cmp.Or(to.BirthYear, from.BirthYear)
	for name, v := range from.Attributes {
		if _, said := to.Attributes[name]; !said {
			if to.Attributes == nil {
				to.Attributes = map[string]any{}
			}
			to.Attributes[name], given = v, true
		}
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM viewers WHERE tenant = $1 AND viewer = $2`, string(t), anonymous.String()); err != nil || !given {
		return false, err
	}
	body, err := encodeViewer(to)
	if err != nil {
		return false, err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO viewers (tenant, viewer, updated_at, body) VALUES ($1, $2, $3, $4)
		ON CONFLICT (tenant, viewer) DO UPDATE SET updated_at = excluded.updated_at, body = excluded.body`,
		string(t), known.String(), max(micros(to.UpdatedAt), micros(from.UpdatedAt)), body)
	return true, err
}

// Into implements upnext.Merges.
func (s *Merges) Into(ctx context.Context, t upnext.Tenant, anonymous upnext.ViewerID) (upnext.ViewerID, error) {
	target, err := one(ctx, s.db.read, scanText, `SELECT target FROM merges WHERE tenant = $1 AND viewer = $2`, string(t), anonymous.String())
	if err != nil {
		return upnext.ViewerID{}, fmt.Errorf("whom %s was merged into: %w", anonymous, err)
	}
	return upnext.ParseViewerID(target)
}

// Absorbed implements upnext.Merges.
func (s *Merges) Absorbed(ctx context.Context, t upnext.Tenant, known upnext.ViewerID) ([]upnext.ViewerID, error) {
	ids, err := query(ctx, s.db.read, func(rows *sql.Rows) (upnext.ViewerID, error) {
		id, err := scanText(rows)
		if err != nil {
			return upnext.ViewerID{}, err
		}
		return upnext.ParseViewerID(id)
	}, `SELECT viewer FROM merges WHERE tenant = $1 AND target = $2 ORDER BY viewer`, string(t), known.String())
	if err != nil {
		return nil, fmt.Errorf("who was merged into %s: %w", known, err)
	}
	return ids, nil
}

// Part implements upnext.Merges.
func (s *Merges) Part(ctx context.Context, t upnext.Tenant, known upnext.ViewerID) error {
	err := s.db.update(ctx, func(tx *sql.Tx) error {
		parted, err := query(ctx, tx, scanText, `DELETE FROM merges WHERE tenant = $1 AND target = $2 RETURNING viewer`, string(t), known.String())
		for _, viewer := range parted {
			if err == nil {
				err = s.db.forget(ctx, tx, t, viewer)
			}
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("part who was merged into %s: %w", known, err)
	}
	return nil
}

// link is a row of merges.
type link struct {
	viewer, target string
	at             int64
}

func scanLink(rows *sql.Rows) (l link, err error) {
	return l, rows.Scan(&l.viewer, &l.target, &l.at)
}

// follow finds, for the anonymous senders among a run's rows, whom they were
// merged into. It comes after the counter was raised: see merge.
func (r *run) follow(ctx context.Context, tx *sql.Tx) error {
	var senders []any
	seen := map[string]bool{}
	for i := range r.rows {
		row := &r.rows[i]
		if row.viewer = row.sender; strings.HasPrefix(row.sender, "a:") && !seen[row.sender] {
			seen[row.sender] = true
			senders = append(senders, row.sender)
		}
	}
	into := map[string]string{}
	for len(senders) > 0 {
		n := min(len(senders), maxIn)
		args := append([]any{string(r.tenant)}, senders[:n]...)
		// Few different texts are planned: lists grow by doubling.
		size := 1
		for size < n {
			size *= 2
		}
		for len(args) <= size {
			args = append(args, senders[0])
		}
		links, err := query(ctx, tx, scanLink, `SELECT viewer, target, at FROM merges WHERE tenant = $1 AND viewer IN (`+placeholders(2, size)+`)`, args...)
		if err != nil {
			return err
		}
		for _, l := range links {
			into[l.viewer] = l.target
		}
		senders = senders[n:]
	}
	if len(into) == 0 {
		return nil
	}
	for i := range r.rows {
		r.rows[i].viewer = cmp.Or(into[r.rows[i].sender], r.rows[i].sender)
	}
	return nil
}
