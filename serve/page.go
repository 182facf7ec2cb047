package serve

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"upnext"
	"upnext/filter"
)

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
			row.release()
		}
	}()
	r.weigh(ctx, base, asking)
	shown, page := r.assemble(ctx, base, inPageOrder(rows))
	if len(shown) == 0 {
		for _, row := range asking {
			if err := unserved(row.degraded); err != nil {
				return fail(err)
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
	unkept := r.store(ctx, first.tenant.name, c)
	for _, row := range rows {
		if unkept != nil {
			row.degrade("cursor", unkept)
		}
		s := &row.slate
		if unkept == nil && row.goesOn(*s) && c.Requests[row.Name] != nil {
			s.Next, s.Until = r.sealCursor(row.tenant.name, bearer{id: id, row: row.Name, until: c.Until}), c.Until
		}
		s.Degraded = row.degraded
		remember(s, c.Requests[row.Name])
		r.keep(row.asked, *s)
	}
}
