package serve

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"

	"upnext"
	"upnext/filter"
	"upnext/serve/rule"
	"upnext/serve/source"
)

// onSight is how many items of a row are looked at to tell what it is worth: what
// a screen shows of it before anybody scrolls.
const onSight = 8

// rowAsked is a row on its way.
type rowAsked struct {
	upnext.Row
	*asked
	found  []recalled
	ranked []*candidate
	worth  float64
	slate  upnext.Slate
	left   error // why it is left out; nil where it is not
}

// Page answers with rows: those that req names, or those that suit the viewer. Rows
// that are not Fixed stand in the order of their worth, which one blend measures
// for the first items of all rows, as if they were one list. An item, and what
// has the same content, is in one row alone: rows that have few to choose from
// choose before those that have many, then the upper before the lower. Each row is
// an answer of its own with tokens and a cursor; what was returned in one row does
// not come again under the cursor of another.
//
// A row without items is left out with its reason: nothing was found, an item
// that it is about is not in the catalogue, or a part failed. ErrUnavailable:
// nothing can be served at all.
func (r *Recommender) Page(ctx context.Context, t upnext.Tenant, req upnext.PageRequest) (upnext.Page, error) {
	fail := func(err error) (upnext.Page, error) {
		return upnext.Page{}, fmt.Errorf("page%s: %w", to(req.Viewer), err)
	}
	if err := req.Validate(); err != nil {
		return fail(err)
	}
	base, err := r.begin(ctx, t, req.Request, nil)
	if err != nil {
		return fail(err)
	}
	ctx, cancel := base.within(ctx)
	defer cancel()
	if req.Rows == nil {
		req.Rows = suited(base)
		for i := range req.Rows {
			row := &req.Rows[i]
			row.Count = min(req.Of(*row).Count, upnext.MaxPageItems/len(req.Rows))
			row.Least = min(row.Least, row.Count)
		}
	}
	rows := make([]*rowAsked, len(req.Rows))
	for i, row := range req.Rows {
		rows[i] = &rowAsked{Row: row}
		if err := r.beginRow(ctx, base, req, rows[i]); errors.Is(err, upnext.ErrNotFound) {
			rows[i].left = err // what it is about has gone
		} else if err != nil {
			return fail(upnext.Within(fmt.Sprintf("rows/%d", i), err))
		}
	}
	asking := slices.DeleteFunc(slices.Clone(rows), func(row *rowAsked) bool { return row.left != nil })
	// Not before all have asked: by then the models have said to all rows what they say.
	each(asking, func(row *rowAsked) { row.found = r.recall(ctx, row.asked) })
	each(asking, func(row *rowAsked) { row.ranked = r.blend(ctx, row.asked, row.found) })
	defer func() {
		for _, row := range asking {
			row.copied.release()
		}
	}()
	r.weigh(ctx, base, asking)
	shown, page := r.assemble(base, inPageOrder(rows))
	if len(shown) == 0 {
		for _, row := range asking {
			for _, d := range row.degraded {
				return fail(fmt.Errorf("%s: %s: %w", d.Stage, d.Reason, upnext.ErrUnavailable))
			}
		}
	}
	if !req.Unrecorded {
		r.keepPage(ctx, page.ID, req, shown)
	}
	for _, row := range shown {
		page.Rows = append(page.Rows, upnext.PageRow{Row: row.Row, Worth: row.worth, Slate: row.slate})
	}
	page.Took = time.Since(base.started)
	return page, nil
}

// beginRow reads what a row needs. Its own filter is looked at alone first, so that
// an error is about what the caller wrote.
func (r *Recommender) beginRow(ctx context.Context, base *asked, req upnext.PageRequest, row *rowAsked) error {
	_, err := base.tenant.filter(row.Filter, filter.Parse, "filter")
	if err == nil {
		row.asked, err = r.begin(ctx, base.tenant.name, req.Of(row.Row), nil)
	}
	return err
}

// each does the rows at once.
func each(rows []*rowAsked, do func(*rowAsked)) {
	var wg sync.WaitGroup
	for _, row := range rows {
		wg.Go(func() { do(row) })
	}
	wg.Wait()
}

// weigh measures rows by one blend over what would stand first in each: the mean of
// the scores there, weighed by place as in DCG (Järvelin and Kekäläinen, 2002). One
// item to go on with is worth a row.
func (r *Recommender) weigh(ctx context.Context, base *asked, rows []*rowAsked) {
	lists, met := map[string]*recalled{}, map[string]map[int32]bool{}
	var order []string
	var all []source.Candidate
	add := func(name string, c source.Candidate) bool {
		if lists[name] == nil {
			lists[name], met[name] = &recalled{name: name}, map[int32]bool{}
			order = append(order, name)
		}
		if met[name][c.Item.Ord] {
			return false
		}
		met[name][c.Item.Ord] = true
		lists[name].candidates = append(lists[name].candidates, c)
		return true
	}
	for _, row := range rows {
		first := map[int32]bool{}
		for _, c := range row.ranked[:min(len(row.ranked), onSight)] {
			first[c.item.Ord] = true
			if add(givenSource, source.Candidate{Item: c.item}) {
				all = append(all, source.Candidate{Item: c.item})
			}
		}
		if row.class != classPage {
			continue // what they say of likeness to an item or a text says nothing of the viewer
		}
		for _, f := range row.found {
			for _, c := range f.candidates {
				if first[c.Item.Ord] {
					add(f.name, c)
				}
			}
		}
	}
	found := make([]recalled, 0, len(order))
	for _, name := range order {
		l := *lists[name]
		l.level = name == givenSource
		slices.SortStableFunc(l.candidates, func(a, b source.Candidate) int { return cmp.Compare(b.Score, a.Score) })
		found = append(found, l)
	}
	base.class, base.boosts = classRank, nil
	scores := make(map[int32]float64, len(all))
	for _, c := range r.blend(ctx, base, found) {
		scores[c.item.Ord] = c.score
	}
	base.copied.release()
	for _, row := range rows {
		sum, most := 0.0, 0.0
		for i, c := range row.ranked[:min(len(row.ranked), onSight)] {
			discount := 1 / math.Log2(float64(i+2))
			sum, most = sum+discount*scores[c.item.Ord], most+discount
		}
		if most > 0 {
			row.worth = sum / most
		}
	}
}

// inPageOrder puts rows in the order of their worth around those that are fixed.
func inPageOrder(rows []*rowAsked) []*rowAsked {
	var free []*rowAsked
	for _, row := range rows {
		if !row.Fixed {
			free = append(free, row)
		}
	}
	slices.SortStableFunc(free, func(a, b *rowAsked) int { return cmp.Compare(b.worth, a.worth) })
	order := make([]*rowAsked, len(rows))
	for i, row := range rows {
		if row.Fixed {
			order[i] = row
		} else {
			order[i], free = free[0], free[1:]
		}
	}
	return order
}

// scarce tells a row that has few to choose from: what others took of these would
// leave it empty.
func (row *rowAsked) scarce() bool { return row.left == nil && len(row.ranked) <= 2*row.req.Count }

// assemble arranges rows, each of what those before it have left, and returns
// those that are shown.
func (r *Recommender) assemble(base *asked, rows []*rowAsked) (shown []*rowAsked, page upnext.Page) {
	page.ID = upnext.SlateID("page_" + ulid.MustNewDefault(base.now).String())
	taken := map[upnext.ItemID]bool{}
	var above []rule.Known
	for _, scarce := range []bool{true, false} {
		for _, row := range rows {
			if row.left != nil || row.scarce() != scarce {
				continue
			}
			row.guard.Returned = maps.Clone(taken)
			row.known = append(row.known, above...)
			placed := r.rerank(row.asked, row.ranked)
			if row.left = row.short(len(placed)); row.left != nil {
				continue
			}
			row.slate = r.explain(row.asked, placed, row.ranked)
			for _, c := range placed {
				taken[c.item.Item.ID] = true
				above = append(above, rule.Known{Item: c.item, Vector: c.vector})
			}
		}
	}
	for _, row := range rows {
		if row.left == nil {
			shown = append(shown, row)
		} else {
			page.LeftOut = append(page.LeftOut, upnext.LeftOut{Row: row.Name, Reason: row.left.Error()})
		}
	}
	return shown, page
}

// short says why a row with n items is not shown; nil where it is.
func (row *rowAsked) short(n int) error {
	least := max(1, row.Least)
	if n >= least {
		return nil
	}
	reason := fmt.Sprintf("%d items, %d wanted at least", n, least)
	for _, d := range row.degraded {
		reason += "; " + d.Stage + ": " + d.Reason
	}
	return errors.New(reason)
}

// keepPage gives the rows their cursors, which lead to one place in the store, and
// keeps the rows' answers.
func (r *Recommender) keepPage(ctx context.Context, id upnext.SlateID, req upnext.PageRequest, rows []*rowAsked) {
	if len(rows) == 0 {
		return
	}
	first := rows[0].asked
	c := upnext.Cursor{ID: id, Viewer: first.req.Viewer, Requests: map[string][]byte{}, Version: 1, Until: r.until(first)}
	for _, row := range rows {
		request, err := encodeRequest(req.Of(row.Row))
		if err != nil {
			row.degrade("cursor", err)
		}
		c.Requests[row.Name] = request
		for _, p := range row.slate.Items {
			c.Returned = append(c.Returned, p.Item)
		}
	}
	kept := r.store(ctx, first, c)
	for i, row := range rows {
		if !kept && i > 0 { // the first has been told
			row.degraded = append(row.degraded, first.degraded[len(first.degraded)-1])
		}
		s := &row.slate
		if kept && row.goesOn(*s) && c.Requests[row.Name] != nil {
			s.Next, s.Until = r.sealCursor(row.tenant.name, bearer{id: id, row: row.Name, until: c.Until}), c.Until
		}
		s.Degraded = row.degraded
		remember(s, c.Requests[row.Name])
		r.keep(row.asked, *s)
	}
}
