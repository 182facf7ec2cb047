package serve

import (
	"context"
	"errors"
	"fmt"
	"time"

	"upnext"
)

// cursorTries is how often a page is made anew because another one was taken
// under the same cursor meanwhile.
const cursorTries = 10

// Next reads on under a cursor: count more items (0: as many as at first) for
// the same request, ranked with all that happened since, and never one that was
// returned under the same recommendation before, however often and wherever its
// cursors are used. It also returns the request.
//
// A cursor lives for Settings.CursorLife after the last step, then Next returns
// ErrExpired. ErrInvalid: it is not one of ours. ErrConflict: too many read on
// at the same time.
func (r *Recommender) Next(ctx context.Context, t upnext.Tenant, cursor string, count int) (upnext.Slate, upnext.Request, error) {
	fail := func(err error) (upnext.Slate, upnext.Request, error) {
		return upnext.Slate{}, upnext.Request{}, fmt.Errorf("next: %w", err)
	}
	of, err := r.unsealCursor(t, cursor)
	if err != nil {
		return fail(err)
	}
	for range cursorTries {
		slate, req, err := r.step(ctx, t, of, count)
		switch {
		case err == nil:
			return slate, req, nil
		case !errors.Is(err, upnext.ErrConflict):
			return fail(err)
		}
	}
	return fail(fmt.Errorf("cursor of %s: others read on at the same time: %w", of.id, upnext.ErrConflict))
}

// step makes one page and takes it: an ErrConflict says that another page was
// taken before.
func (r *Recommender) step(ctx context.Context, t upnext.Tenant, of bearer, count int) (upnext.Slate, upnext.Request, error) {
	c, err := r.reading(ctx, t, of)
	if err != nil {
		return upnext.Slate{}, upnext.Request{}, err
	}
	req, err := decodeRequest(c.Requests[of.row])
	if err != nil {
		return upnext.Slate{}, req, err
	}
	if count != 0 {
		req.Count = count
	}
	q, slate, err := r.answer(ctx, t, req, setOf(c.Returned))
	if err != nil {
		return upnext.Slate{}, req, err
	}
	if len(slate.Items) == 0 {
		return slate, req, nil // the end
	}
	for _, p := range slate.Items {
		c.Returned = append(c.Returned, p.Item)
	}
	c.Viewer, c.Version, c.Until = q.req.Viewer, c.Version+1, r.until(q)
	if err := r.Cursors.Advance(ctx, t, c); err != nil {
		return upnext.Slate{}, req, err
	}
	if q.goesOn(slate) && len(c.Returned) < r.Settings.CursorItems {
		slate.Next, slate.Until = r.sealCursor(t, bearer{id: of.id, row: of.row, until: c.Until}), c.Until
	}
	remember(&slate, c.Requests[of.row])
	r.keep(q, slate)
	return slate, req, nil
}

// offer gives an answer its cursor, if there may be more to come.
func (r *Recommender) offer(ctx context.Context, q *asked, req upnext.Request, request []byte, slate *upnext.Slate) {
	if !q.goesOn(*slate) {
		return
	}
	c := bearer{id: slate.ID, until: r.until(q), request: request, returned: make([]upnext.ItemID, len(slate.Items))}
	size := len(request)
	for i, p := range slate.Items {
		c.returned[i] = p.Item
		size += len(p.Item)
	}
	if size > cursorInline {
		stored := upnext.Cursor{
			ID: c.id, Viewer: req.Viewer, Requests: map[string][]byte{"": request}, Returned: c.returned, Version: 1, Until: c.until,
		}
		if err := r.store(ctx, q.tenant.name, stored); err != nil {
			q.degrade("cursor", err)
			slate.Degraded = q.degraded
			return
		}
		c.request, c.returned = nil, nil
	}
	slate.Next, slate.Until = r.sealCursor(q.tenant.name, c), c.until
}

// store keeps a new cursor. An answer whose cursor cannot be kept is an answer all
// the same, which says so.
func (r *Recommender) store(ctx context.Context, t upnext.Tenant, c upnext.Cursor) error {
	size := 0
	for _, request := range c.Requests {
		size += len(request)
	}
	if size > r.Settings.CursorBytes {
		return fmt.Errorf("the request is too long to be read on: %d bytes, %d allowed", size, r.Settings.CursorBytes)
	}
	return r.Cursors.Advance(ctx, t, c)
}

// goesOn tells an answer after which more may come: a full one, or one that
// went without a part.
func (q *asked) goesOn(s upnext.Slate) bool {
	if q.class == classRank && q.req.Count >= len(q.req.Candidates) {
		return false
	}
	return len(s.Items) > 0 && (s.Shortfall <= 0 || len(s.Degraded) > 0)
}

func (r *Recommender) until(q *asked) time.Time {
	return q.now.Add(r.Settings.CursorLife).UTC().Truncate(time.Microsecond)
}

func setOf(ids []upnext.ItemID) map[upnext.ItemID]bool {
	set := make(map[upnext.ItemID]bool, len(ids))
	for _, id := range ids {
		set[id] = true
	}
	return set
}
