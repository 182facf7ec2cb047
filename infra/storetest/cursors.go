package storetest

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"upnext"
)

func testCursors(t *testing.T, open Open) {
	t.Run("round trip", func(t *testing.T) { cursorRoundTrip(t, open(t, "cursors")) })
	t.Run("steps", func(t *testing.T) { cursorSteps(t, open(t, "cursors")) })
	t.Run("gone", func(t *testing.T) { cursorGone(t, open(t, "cursors")) })
}

func cursorRoundTrip(t *testing.T, s Stores) {
	ctx, n := t.Context(), 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		in := upnext.Cursor{
			ID: upnext.SlateID(fmt.Sprintf("%s %d", identifiers().Draw(rt, "id"), n)), Viewer: viewerIDs().Draw(rt, "viewer"),
			Version: 1, Until: times().Draw(rt, "until"),
			Requests: maps(rapid.SampledFrom([][]byte{[]byte(`{}`), []byte(`{"count":3}`), []byte(`"中文"`)})).Draw(rt, "requests"),
			Returned: lists(rapid.Map(texts(), func(s string) upnext.ItemID { return upnext.ItemID(s) })).Draw(rt, "returned"),
		}
		ok(rt, "advance", s.Cursors.Advance(ctx, a, in))
		out, err := s.Cursors.Cursor(ctx, a, in.ID)
		ok(rt, "cursor", err)
		want(rt, "cursor", out, in)
		in.Version, in.Returned = 2, append(in.Returned, "one more")
		ok(rt, "advance again", s.Cursors.Advance(ctx, a, in))
		out, err = s.Cursors.Cursor(ctx, a, in.ID)
		ok(rt, "cursor again", err)
		want(rt, "cursor again", out, in)
	})
	err := s.Cursors.Advance(ctx, a, upnext.Cursor{ID: "bad", Version: 1, Requests: map[string][]byte{"": []byte("{")}})
	is(t, "a request that is no JSON", err, upnext.ErrInvalid)
	err = s.Cursors.Advance(ctx, a, upnext.Cursor{ID: "\x00", Version: 1})
	is(t, "an id with NUL", err, upnext.ErrInvalid)
}

// cursorSteps lets many step on one cursor at once: each step is taken by one.
func cursorSteps(t *testing.T, s Stores) {
	ctx := t.Context()
	const walkers, steps = 4, 10
	var wg sync.WaitGroup
	for w := range walkers {
		wg.Go(func() {
			for n := 0; n < steps; {
				c, err := s.Cursors.Cursor(ctx, a, "c")
				if err != nil && !errors.Is(err, upnext.ErrNotFound) {
					t.Error(err)
					return
				}
				c.ID, c.Version = "c", c.Version+1
				c.Returned = append(c.Returned, upnext.ItemID(fmt.Sprintf("%d-%d", w, n)))
				switch err := s.Cursors.Advance(ctx, a, c); {
				case err == nil:
					n++
				case !errors.Is(err, upnext.ErrConflict):
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	c, err := s.Cursors.Cursor(ctx, a, "c")
	ok(t, "cursor", err)
	want(t, "steps", c.Version, int64(walkers*steps))
	want(t, "returned", len(c.Returned), walkers*steps)
	is(t, "a step twice", s.Cursors.Advance(ctx, a, c), upnext.ErrConflict)
	c.Version = 1
	is(t, "the first step again", s.Cursors.Advance(ctx, a, c), upnext.ErrConflict)
	is(t, "a step of what is not there", s.Cursors.Advance(ctx, b, upnext.Cursor{ID: "c", Version: 2}), upnext.ErrConflict)
}

func cursorGone(t *testing.T, s Stores) {
	ctx, at := t.Context(), time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	ann, bob := upnext.ViewerID{ID: "ann"}, upnext.ViewerID{ID: "bob"}
	put := func(tenant upnext.Tenant, id upnext.SlateID, v upnext.ViewerID, until time.Time) {
		t.Helper()
		ok(t, "advance", s.Cursors.Advance(ctx, tenant, upnext.Cursor{ID: id, Viewer: v, Version: 1, Until: until}))
	}
	put(a, "1", ann, at)
	put(a, "2", bob, at)
	put(a, "3", bob, at.Add(time.Second))
	put(b, "1", ann, at)
	n, err := s.Cursors.EraseCursors(ctx, a, ann)
	ok(t, "erase", err)
	want(t, "erased", n, 1)
	_, err = s.Cursors.Cursor(ctx, a, "1")
	is(t, "an erased cursor", err, upnext.ErrNotFound)
	n, err = s.Cursors.PruneCursors(ctx, at.Add(time.Microsecond))
	ok(t, "prune", err)
	want(t, "pruned in every tenant", n, 2)
	_, err = s.Cursors.Cursor(ctx, a, "3")
	ok(t, "one whose time is to come", err)
}
