package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"upnext"
)

// Measures is the upnext.Measures.
type Measures struct{ db database }

var _ upnext.Measures = (*Measures)(nil)

// Measures returns the part of the store that keeps attributions and counts.
func (s *Store) Measures() *Measures { return &Measures{s.db} }

// measureCounter names the counter that says how far attribution is.
const measureCounter = "measured"

// Followed implements upnext.Measures.
func (m *Measures) Followed(ctx context.Context, t upnext.Tenant) (int64, error) {
	seq, err := one(ctx, m.db.read, scanNumber, `SELECT value FROM counters WHERE tenant = $1 AND name = $2`, string(t), measureCounter)
	if errors.Is(err, upnext.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("how far attribution is: %w", err)
	}
	return seq, nil
}

func scanNumber(rows *sql.Rows) (n int64, err error) { return n, rows.Scan(&n) }

// Attribute implements upnext.Measures. It holds the counter's row first, as
// unmeasure does: an event that is taken back meanwhile is either gone when it
// looks, or there and known to whoever takes it back.
func (m *Measures) Attribute(ctx context.Context, t upnext.Tenant, after, upTo int64, attributions ...upnext.Attribution) error {
	if err := checkColumns("tenant", string(t)); err != nil {
		return fmt.Errorf("attribute: %w", err)
	}
	bodies := make([]string, len(attributions))
	for i, a := range attributions {
		var err error
		if bodies[i], err = encodeAttribution(a); err != nil {
			return fmt.Errorf("attribute: %w", err)
		}
	}
	err := m.db.update(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO counters (tenant, name, value) VALUES ($1, $2, 0)
			ON CONFLICT (tenant, name) DO NOTHING`, string(t), measureCounter); err != nil {
			return err
		}
		moved, err := query(ctx, tx, scanNumber, `UPDATE counters SET value = $3 WHERE tenant = $1 AND name = $2 AND value = $4
			RETURNING value`, string(t), measureCounter, upTo, after)
		switch {
		case err != nil:
			return err
		case len(moved) == 0:
			return fmt.Errorf("others are further: %w", upnext.ErrConflict)
		case len(attributions) == 0:
			return nil
		}
		return attribute(ctx, tx, t, after, upTo, attributions, bodies)
	})
	if err != nil {
		return fmt.Errorf("attribute events %d to %d: %w", after+1, upTo, err)
	}
	return nil
}

// shownItem is what is counted once: an item in a slate.
type shownItem struct {
	slate upnext.SlateID
	item  upnext.ItemID
}

func attribute(ctx context.Context, tx *sql.Tx, t upnext.Tenant, after, upTo int64, attributions []upnext.Attribution, bodies []string) error {
	type whose struct {
		seq    int64
		viewer string
	}
	there, err := query(ctx, tx, func(rows *sql.Rows) (w whose, err error) { return w, rows.Scan(&w.seq, &w.viewer) },
		`SELECT seq, viewer FROM events WHERE tenant = $1 AND seq > $2 AND seq <= $3`, string(t), after, upTo)
	if err != nil {
		return err
	}
	alive := make(map[int64]string, len(there)) // and whose they are: viewers may have been merged meanwhile
	for _, w := range there {
		alive[w.seq] = w.viewer
	}
	added := map[shownItem][]upnext.Attribution{}
	var rows [][]any
	for i, a := range attributions {
		viewer, ok := alive[a.Seq]
		if !ok {
			continue
		}
		added[shownItem{a.Slate, a.Item}] = append(added[shownItem{a.Slate, a.Item}], a)
		rows = append(rows, []any{string(t), string(a.Slate), string(a.Item), a.Seq, viewer, bodies[i]})
	}
	cells, err := before(ctx, tx, t, added)
	if err != nil {
		return err
	}
	if err := insertRows(ctx, tx, `INSERT INTO attributions (tenant, slate, item, seq, viewer, body) VALUES `, "", rows); err != nil {
		return err
	}
	return addCells(ctx, tx, t, cells)
}

// before returns what counting the added ones changes: their items' counts
// with them, less those without.
func before(ctx context.Context, tx *sql.Tx, t upnext.Tenant, added map[shownItem][]upnext.Attribution) (map[upnext.Cell]upnext.Counts, error) {
	var slates []any
	known := map[upnext.SlateID]bool{}
	for shown := range added {
		if !known[shown.slate] {
			known[shown.slate] = true
			slates = append(slates, string(shown.slate))
		}
	}
	kept := map[shownItem][]upnext.Attribution{}
	for len(slates) > 0 {
		n := min(len(slates), maxIn)
		page, err := query(ctx, tx, scanAttribution, `SELECT `+attributionColumns+` FROM attributions
			WHERE tenant = $1 AND slate IN (`+placeholders(2, n)+`)`, append([]any{string(t)}, slates[:n]...)...)
		if err != nil {
			return nil, err
		}
		for _, a := range page {
			kept[shownItem{a.Slate, a.Item}] = append(kept[shownItem{a.Slate, a.Item}], a)
		}
		slates = slates[n:]
	}
	cells := map[upnext.Cell]upnext.Counts{}
	for shown, acts := range added {
		upnext.Measure(cells, kept[shown], -1)
		upnext.Measure(cells, append(kept[shown], acts...), 1)
	}
	return cells, nil
}

// unmeasure removes a viewer's attributions, of the event with that seq or of
// all where seq is 0, and what they have counted.
func unmeasure(ctx context.Context, tx *sql.Tx, t upnext.Tenant, viewer string, seq int64) error {
	// Attribute holds this row, too: see there. It is made where it is missing,
	// or the first Attribute of all would not be waited for.
	if _, err := bump(ctx, tx, t, measureCounter, 0); err != nil {
		return err
	}
	gone, err := query(ctx, tx, scanAttribution, `SELECT `+attributionColumns+` FROM attributions
		WHERE tenant = $1 AND viewer = $2 AND (seq = $3 OR $3 = 0)`, string(t), viewer, seq)
	if err != nil || len(gone) == 0 {
		return err
	}
	touched, without := map[shownItem]bool{}, map[int64]bool{}
	for _, a := range gone {
		touched[shownItem{a.Slate, a.Item}], without[a.Seq] = true, true
	}
	cells := map[upnext.Cell]upnext.Counts{}
	for shown := range touched {
		acts, err := query(ctx, tx, scanAttribution, `SELECT `+attributionColumns+` FROM attributions
			WHERE tenant = $1 AND slate = $2 AND item = $3`, string(t), string(shown.slate), string(shown.item))
		if err != nil {
			return err
		}
		var left []upnext.Attribution
		for _, a := range acts {
			if !without[a.Seq] {
				left = append(left, a)
			}
		}
		upnext.Measure(cells, acts, -1)
		upnext.Measure(cells, left, 1)
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM attributions WHERE tenant = $1 AND viewer = $2 AND (seq = $3 OR $3 = 0)`,
		string(t), viewer, seq); err != nil {
		return err
	}
	return addCells(ctx, tx, t, cells)
}

// addCells adds to the counts that are kept.
func addCells(ctx context.Context, tx *sql.Tx, t upnext.Tenant, cells map[upnext.Cell]upnext.Counts) error {
	var rows [][]any
	for cell, c := range cells {
		if c == (upnext.Counts{}) {
			continue
		}
		rows = append(rows, []any{
			string(t), cell.Hour, string(cell.Part), cell.Scenario, cell.Value, c.Impressions, c.Clicks, c.Conversions, c.Watches,
			c.Timed, c.ValidViews, c.Completes, c.QuickSkips, c.Watched, c.Squares,
		})
	}
	var sums []string
	for _, c := range countColumns {
		sums = append(sums, c+" = measures."+c+" + excluded."+c)
	}
	return insertRows(ctx, tx, `INSERT INTO measures (tenant, hour, part, scenario, value, `+strings.Join(countColumns, ", ")+`) VALUES `,
		` ON CONFLICT (tenant, hour, part, scenario, value) DO UPDATE SET `+strings.Join(sums, ", "), rows)
}

// insertRows writes rows in statements of few sizes.
func insertRows(ctx context.Context, tx *sql.Tx, before, after string, rows [][]any) error {
	for _, n := range chunks {
		for len(rows) >= n {
			var args []any
			groups := make([]string, n)
			for i, row := range rows[:n] {
				groups[i] = "(" + placeholders(1+len(args), len(row)) + ")"
				args = append(args, row...)
			}
			if err := checkArgs(args); err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, before+strings.Join(groups, ", ")+after, args...); err != nil {
				return err
			}
			rows = rows[n:]
		}
	}
	return nil
}

// Attributions implements upnext.Measures.
func (m *Measures) Attributions(ctx context.Context, t upnext.Tenant, id upnext.SlateID) ([]upnext.Attribution, error) {
	all, err := query(ctx, m.db.read, scanAttribution, `SELECT `+attributionColumns+` FROM attributions
		WHERE tenant = $1 AND slate = $2 ORDER BY item, seq`, string(t), string(id))
	if err != nil {
		return nil, fmt.Errorf("attributions to %s: %w", id, err)
	}
	return all, nil
}

// Measured implements upnext.Measures.
func (m *Measures) Measured(ctx context.Context, t upnext.Tenant, q upnext.MeasureQuery) ([]upnext.Measured, error) {
	from, to := q.From.Unix()/3600, (q.To.Unix()+3599)/3600
	bucket, value := int64(q.Bucket/time.Hour), "value"
	if bucket <= 0 {
		bucket = math.MaxInt32 // all in the first
	}
	if q.By == upnext.PartScenario {
		value = "scenario"
	}
	var sums []string
	for _, c := range countColumns {
		sums = append(sums, "CAST(SUM("+c+") AS BIGINT)")
	}
	rows, err := query(ctx, m.db.read, func(rows *sql.Rows) (upnext.Measured, error) {
		var r upnext.Measured
		var n int64
		err := rows.Scan(&r.Value, &n, &r.Impressions, &r.Clicks, &r.Conversions, &r.Watches, &r.Timed, &r.ValidViews,
			&r.Completes, &r.QuickSkips, &r.Watched, &r.Squares)
		r.At = time.Unix(max(n*bucket, from)*3600, 0).UTC()
		return r, err
	}, `SELECT `+value+`, hour / $6 AS bucket, `+strings.Join(sums, ", ")+` FROM measures
		WHERE tenant = $1 AND part = $2 AND hour >= $3 AND hour < $4 AND (scenario = $5 OR $5 = '')
		GROUP BY `+value+`, bucket HAVING SUM(impressions) > 0 ORDER BY `+value+`, bucket LIMIT $7`,
		string(t), string(q.By), from, to, q.Scenario, bucket, q.Limit)
	if err != nil {
		return nil, fmt.Errorf("measures by %s: %w", q.By, err)
	}
	return rows, nil
}

// PruneMeasures implements upnext.Measures. Attributions go in small transactions.
func (m *Measures) PruneMeasures(ctx context.Context, t upnext.Tenant, slates, counts time.Time) (int, error) {
	total := 0
	oldest := "rec_" + ulidAt(slates)
	for {
		n, err := m.db.remove(ctx, `DELETE FROM attributions WHERE tenant = $1 AND (slate, item, seq) IN (
			SELECT slate, item, seq FROM attributions WHERE tenant = $1 AND slate < $2 ORDER BY slate LIMIT $3)`, string(t), oldest, pruneBatch)
		total += n
		if err != nil {
			return total, fmt.Errorf("prune the attributions to slates before %s: %w", slates.Format(time.RFC3339), err)
		}
		if n < pruneBatch {
			break
		}
	}
	n, err := m.db.remove(ctx, `DELETE FROM measures WHERE tenant = $1 AND hour < $2`, string(t), counts.Unix()/3600)
	if err != nil {
		return total, fmt.Errorf("prune the measures before %s: %w", counts.Format(time.RFC3339), err)
	}
	return total + n, nil
}

// ulidAt is the smallest ULID of a time.
func ulidAt(at time.Time) string {
	var id ulid.ULID
	if at.UnixMilli() > 0 {
		_ = id.SetTime(uint64(at.UnixMilli())) // fails after the year 10889
	}
	return id.String()
}
